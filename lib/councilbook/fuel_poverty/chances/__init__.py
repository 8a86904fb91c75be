"""Chances: how likely each household is in fuel poverty, learnt from its records or from official rates of areas."""
