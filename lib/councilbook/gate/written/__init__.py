"""Written: what has been released before, and which of its versions are the next one held against?"""
