"""Ethics: which points of a study's canvas are open for a council, and who has accepted them."""
