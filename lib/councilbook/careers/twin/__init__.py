"""Synthetic twins: an invented town's schools, colleges, timetables, and all that is published of them."""
