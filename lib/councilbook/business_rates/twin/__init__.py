"""One invented town, and the synthetic twins of all that knows it."""
