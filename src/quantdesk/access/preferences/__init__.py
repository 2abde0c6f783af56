"""Preferences: how each user set up the terminal, kept for whichever browser they come from."""
