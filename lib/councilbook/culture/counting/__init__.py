"""Counting: how many people were in a room, from the devices that were heard there."""
