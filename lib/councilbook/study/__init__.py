"""Study: what does a notebook hold, and what comes in and goes out by it."""

from councilbook.study.door import Study

__all__ = ["Study"]
