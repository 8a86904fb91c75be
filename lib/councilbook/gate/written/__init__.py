"""Written: what has been released before, and which versions of it the next one is held against."""
