"""Kernels: how is a notebook run in a fresh one, and how do kernels start fast."""
