"""The fuel poverty study: which homes are at risk, and what goes with it."""
