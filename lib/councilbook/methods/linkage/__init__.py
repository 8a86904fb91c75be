"""Linkage: which record of one list is which record of another."""
