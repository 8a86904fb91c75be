"""The ledger: what is in the file that a council hands over, and is it read as the council says?"""
