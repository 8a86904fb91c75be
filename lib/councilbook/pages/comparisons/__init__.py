"""Comparisons: how councils that a study was run for stand beside each other, and how sure that is."""
