"""Sources: how a file that comes in is read, checked and cut to the council's rows."""
