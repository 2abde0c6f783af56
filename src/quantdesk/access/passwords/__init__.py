"""Email and password: registering, signing in, and getting back in."""
