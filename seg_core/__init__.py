"""Nuclei in whole-slide images of H&E-stained tissue: everything that knows no user interface."""

PROGRAM = "Nuclei in H&E whole slides"
"""What the program is called, in reports and on pages."""

__version__ = "0.1.0"
"""Of the program; stands in every run and report, in CITATION.cff and CHANGELOG.md."""
