"""Ways to sign in, over HTTP."""
