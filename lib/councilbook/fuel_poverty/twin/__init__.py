"""Synthetic twins of the sources of this study."""
