"""Maps: how areas and points are drawn so that they work offline, by keyboard and without colour."""
