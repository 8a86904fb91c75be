"""The roll: how any council's file becomes one frame with a row a property."""
