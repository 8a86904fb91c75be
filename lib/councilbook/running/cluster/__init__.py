"""Cluster: how jobs run on other machines, while this one alone writes what they make."""
