"""Visits: how long people stay in a venue, where they go in it, and what they say of their visit."""
