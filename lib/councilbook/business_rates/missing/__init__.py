"""The missing: which businesses other lists know and the roll does not."""
