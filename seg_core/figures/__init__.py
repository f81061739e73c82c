"""Figures for pages and reports; the only package that imports plotly.

Colours are those of the class scheme; everything else is left to the theme of what shows the
figure. A module for each subject, and `style` for what they share.
"""
