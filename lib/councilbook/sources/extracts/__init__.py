"""Extracts: what do the columns and codes of a council's own file mean, and how is it read in ours."""
