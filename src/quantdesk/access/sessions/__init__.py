"""Sessions: opened by a sign-in, renewed by a rotating token, ended at once and everywhere."""
