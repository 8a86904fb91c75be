"""Postcodes: how high each one's risk is, by open data alone."""
