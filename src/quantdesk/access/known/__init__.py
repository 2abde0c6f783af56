"""What every process knows in memory of accounts, keys and sessions, and how it stays true."""
