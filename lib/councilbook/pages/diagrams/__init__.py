"""Diagrams: how are steps, and those who take part, drawn so that a phone and a screen reader can follow?"""
