"""Methods: what several studies compute in the same way."""
