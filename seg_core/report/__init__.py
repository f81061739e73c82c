"""A run as one document, HTML or PDF."""
