"""The risk kernel: what passes `check` may be stored, and nothing else."""
