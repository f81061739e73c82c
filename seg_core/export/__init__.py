"""Files to take away, and pictures of what was found."""
