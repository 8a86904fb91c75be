"""Publishing on: what the gate released, in the forms that portals take."""
