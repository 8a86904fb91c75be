"""Households: who is in fuel poverty, and whom a list of visits would reach."""
