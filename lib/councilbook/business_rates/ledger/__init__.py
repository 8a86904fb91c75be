"""The ledger: what is in the file that a council hands over, and how it is read as the council says."""
