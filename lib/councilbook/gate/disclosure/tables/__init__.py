"""Tables of counts and sums: which cells to hide so that nobody can work a small one out."""
