"""What stands before the edge: who may call it, by which name, from which page, and how safely."""
