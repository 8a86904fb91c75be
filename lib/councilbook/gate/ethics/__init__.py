"""Ethics: which points of a study's canvas are open for a council, who accepted them, and what agreements allow."""
