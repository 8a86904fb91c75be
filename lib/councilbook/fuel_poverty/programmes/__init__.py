"""Past programmes: what they did for the homes that had them."""
