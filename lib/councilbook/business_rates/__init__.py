"""Non-domestic rates: the roll without a person in it, who is missing from it, its bills, and requests for it."""
