"""Careers: every option after 16, the way there, and whether it lasts."""
