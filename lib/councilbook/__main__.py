"""`python -m councilbook`: the command line, where its own command is not on the path."""

from councilbook.cli import app

app()
