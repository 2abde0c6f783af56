"""The one place where parts are joined; nothing else names a concrete adapter.

desk      settings in, a desk that serves out
prices    which source fills the board
paper     where orders are executed on paper
localnet  where orders are executed on the local chain
opened    what both have in common
"""
