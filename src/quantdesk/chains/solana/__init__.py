"""Solana: how the desk prepares, sends, watches and measures its transactions there.

rpc        one session to a node, batched questions, errors sorted      I/O
answers    what a node says, typed
keys       the wallet's key file and its token accounts
fees       what to pay for speed, how much compute to ask for           pure
tables     lookup tables: usable entries, and which are worth using     pure
builder    a trade's instructions → the message to sign, and its size   pure
failures   what the chain said went wrong → code, words, retry or not   pure
monitor    statuses and heights → the fate of sent bytes                pure
receipt    balance changes → what the wallet really gained and gave     pure
simulated  what a simulation would move, held against the quote         pure
trials     one simulation, judged                                       I/O
recent     blockhashes, prices, lookup tables, shared while fresh       I/O
chain      `Solana`: the port, joined from the above                    I/O
pubsub     one WebSocket: subscriptions, heartbeat, changes             I/O
accounts   `LiveAccounts`: account states as they change                I/O
"""
