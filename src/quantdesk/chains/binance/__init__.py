"""Binance spot: how the desk places, watches and measures orders there, and follows its books.

signing   API keys (HMAC-SHA256, Ed25519): payload → signature                 pure
answers   what the exchange says, typed                                        pure
failures  error codes and HTTP statuses → code, words, and what was executed   pure
budget    request weight, bans, and who may still ask                          pure
requests  a trade's instruction → the bytes of an order, and back              pure
fate      order states and the exchange's own time → the fate of sent bytes    pure
fills     trades of an order → what the account gained, gave and paid in fees  pure
client    one session: signed questions, server time, budget kept              I/O
chain     `Binance`: the chains port, joined from the above                    I/O
reports   the user data stream, which only wakes `chain`                       I/O
book      depth snapshot + differences → a book in sync                        pure
feed      `LiveBooks`: books, rules and fees as account states                 I/O
"""

from quantdesk.chains.binance.chain import Binance as Binance
from quantdesk.chains.binance.client import Client as Client
from quantdesk.chains.binance.feed import LiveBooks as LiveBooks
from quantdesk.chains.binance.reports import Reports as Reports
from quantdesk.chains.binance.signing import Ed25519Key as Ed25519Key
from quantdesk.chains.binance.signing import HmacKey as HmacKey
