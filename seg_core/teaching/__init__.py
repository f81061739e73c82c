"""A classifier of nuclei that a person teaches by labels, in seconds."""
