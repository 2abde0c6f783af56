"""API keys as their owner handles them: made, rotated, revoked, and when they were last used."""
