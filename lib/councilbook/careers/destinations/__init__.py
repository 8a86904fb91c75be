"""Destinations: where young people go after 16 and after 18, and whether it lasts."""
