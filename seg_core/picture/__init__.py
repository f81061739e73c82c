"""Painting: nuclei, maps, TIL scores, crops, and the slide below them."""
