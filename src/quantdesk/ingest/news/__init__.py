"""News: headlines of all sources told once, kept, and shown newest first.

    headlines of a frame → `News` (once each, recent ones) → listeners (hub)
                                └→ `NewsKeeper` → `store` (rows, pages, retention)

`spending` writes down what the sources that cost something ask and spend.
"""
