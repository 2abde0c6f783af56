"""Order books (L2): kept in sync with the exchange, never shown as good when they are not.

book   the levels of one book, best first, as the exchange wrote them
sync   one book and whether it can be believed: gaps, snapshots, when to ask for another
books  the public face: diffs and snapshots in, tops and depths out
"""
