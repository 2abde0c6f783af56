"""Who may act: accounts and the keys that speak for them."""
