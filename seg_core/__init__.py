"""Nuclei in whole-slide images of H&E-stained tissue: everything that knows no user interface."""
