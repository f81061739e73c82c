"""Labelled images: which data sets there are, what their labels mean, and how they are read."""
