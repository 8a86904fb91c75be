"""Reach: how many people a venue or an event reaches, and who they are."""
