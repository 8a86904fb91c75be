"""Running: which notebooks have to run, and how they are run."""
