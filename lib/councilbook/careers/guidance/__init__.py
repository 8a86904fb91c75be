"""Guidance: which Gatsby benchmarks a school or college says it meets, what it offers, and where that was read."""
