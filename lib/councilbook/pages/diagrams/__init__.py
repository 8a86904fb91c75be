"""Diagrams: how steps, and those who take part, are drawn so that a phone and a screen reader can follow."""
