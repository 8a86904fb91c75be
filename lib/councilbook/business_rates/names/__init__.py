"""Names: which may be published, since no person is behind them."""
