"""Twin: an invented borough's culture, and an invented museum with its wifi."""
