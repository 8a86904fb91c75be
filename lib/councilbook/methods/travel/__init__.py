"""Travel: how long the way takes from any point to any place, on foot, by bicycle, by car, and by bus and train."""
