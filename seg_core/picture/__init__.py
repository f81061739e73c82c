"""Painting: nuclei, maps, TIL scores, crops, and the slide behind them."""
