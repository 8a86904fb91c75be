"""Bills: what each should be, and which look wrong."""
