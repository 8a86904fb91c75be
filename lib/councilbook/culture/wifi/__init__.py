"""Wifi: what devices an access point heard, made safe as it is read, and whether that can be believed."""
