"""All the ways into an account together: which there are, and how all are taken away at once."""
