"""Master keys: the file they live in, what they have sealed, and their rotation."""
