"""How often one may ask: requests by route class, tries to sign in by account and network.

edge ─ Rates.take(principal, ip, class) ─▶ served, or 429 with Retry-After
sign-in ─ Throttle.check(who, ip) ─▶ the secret is looked at, or 429 with Retry-After
"""
