"""The risk kernel and its bounds: what passes `check` may be stored, and nothing else.

    settings ─┐
    desk ─────┼─ strictest ─▶ LimitBook.of(account) ─▶ check      an order exists, or it does not
    account ──┘                LimitBook.halts ──────▶ execution  an order is signed, or it waits

`limits` is the table of what may be edited while the desk runs; `book` holds it in memory and in
the database, for every process alike.
"""
