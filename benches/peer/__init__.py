"""The peer: the documents' Node stack, with the Postgres and the Redis it needs.

target     starts all three as something a bench can measure
postgres   a throw-away Postgres from the wheel     redis   a throw-away Redis
peer.mjs   the order flow itself                    schema.sql   its table
"""
