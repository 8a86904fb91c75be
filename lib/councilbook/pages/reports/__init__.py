"""Reports: how an executed notebook becomes one page or PDF."""
