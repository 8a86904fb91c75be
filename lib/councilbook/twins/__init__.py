"""Twins: what synthetic places and homes look like where there is no real file."""
