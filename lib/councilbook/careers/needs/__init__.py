"""Needs: who asks for careers data, what each needs, and which data would answer it."""
