"""Culture: who takes part in arts and culture, and how a venue is really used."""
