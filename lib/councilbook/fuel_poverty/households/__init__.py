"""Households: which are in fuel poverty, and which of them a list of visits would reach."""
