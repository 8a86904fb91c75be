"""The gate: what may leave, and how it is written."""
