"""Small areas: how many homes are in fuel poverty there, and what goes with it."""
