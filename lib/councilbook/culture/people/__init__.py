"""People: what a survey says of who takes part, what keeps the others away, and which areas are alike."""
