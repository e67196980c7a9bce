"""Figures: compute arrays, draw them, save both. Run one with `python -m figures.fig_NAME`."""
