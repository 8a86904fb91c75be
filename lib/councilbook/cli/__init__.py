"""The command line: run studies, bring sources in, and look at what came out.

Nothing of the library that takes its time to import (pandas, papermill, nbconvert) is imported at the top: each
command imports what it needs, so that `--help` answers at once.
"""

from councilbook.cli import running, sources, outputs, sharing, beginning  # isort: skip  # in the order of the help
from councilbook.cli.base import app

__all__ = ["app", "beginning", "outputs", "running", "sharing", "sources"]
