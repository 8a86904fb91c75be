"""How do the guides of a workbook and the docstrings of its library become pages that people read?"""
