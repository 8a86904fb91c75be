"""Statistical disclosure control: pure functions on tables."""
