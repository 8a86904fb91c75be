"""Venues: where they are, how sure that is, and what public money reaches them."""
