"""Changes: what does a notebook's result depend on, and which notebooks have to be run again."""
