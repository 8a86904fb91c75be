"""Pages: how what was released becomes something that people read."""
