"""Journeys: how long the way takes from each home to each place to learn at, and when the last way home leaves."""
