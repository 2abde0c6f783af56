"""Second factors: authenticator apps, passkeys, recovery codes, and proofs of presence."""
