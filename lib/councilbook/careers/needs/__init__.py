"""Who needs what, and which data would answer it?"""
