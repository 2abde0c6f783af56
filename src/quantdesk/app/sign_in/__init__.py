"""The ways to sign in, each joined to the one entrance."""
