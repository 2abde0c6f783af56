"""The watch over threats: what acts add up to, who is kept out for a while, who is told."""
