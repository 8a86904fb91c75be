"""Ideas: which services were thought of, what they would take, and how they were ranked."""
