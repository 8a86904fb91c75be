"""Requests for information: what people ask, and what would answer it."""
