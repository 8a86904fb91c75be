"""The open register: what of the roll goes out, month after month."""
