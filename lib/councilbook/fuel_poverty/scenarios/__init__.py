"""Scenarios: what it would take to lift homes out of fuel poverty."""
