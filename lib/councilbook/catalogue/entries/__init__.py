"""Entries: what is declared of what comes in, of what goes out, and of who makes it."""

from councilbook.catalogue.entries.base import Entry, GssCode, Name, StrictLoader, read_yaml

__all__ = ["Entry", "GssCode", "Name", "StrictLoader", "read_yaml"]
