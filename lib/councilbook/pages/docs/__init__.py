"""Documentation: how guides and the docstrings of the library become pages that people read."""
