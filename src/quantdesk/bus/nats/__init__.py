"""The bus between processes, on NATS; loaded only where `nats_url` is set.

link       one connection, made anew for ever      events  batches of events, as they happen
window     the messages of the last minutes        cache   the latest value of each key
"""
