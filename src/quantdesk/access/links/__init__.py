"""Links that prove once that whoever opens them reads a mailbox."""
