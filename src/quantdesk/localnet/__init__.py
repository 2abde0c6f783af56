"""The localnet: a Solana cluster on this machine, for rehearsal and for tests."""
