"""Engagement: what share of adults takes part in culture in each small area."""
