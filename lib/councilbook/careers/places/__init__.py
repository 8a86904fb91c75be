"""Places: where somebody can learn after 16, and where young people live."""
