"""Councilbook: the helper library of a council's Jupyter research workbook."""

__version__ = "0.1.0"
