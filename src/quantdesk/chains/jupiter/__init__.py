"""Jupiter: an executor whose transactions another builds and lands, and the desk looks for itself.

contents  what a transaction that another built may do, and how it is found again   pure
answers   what Jupiter says, and what its errors mean                               pure
client    two questions over HTTP                                                   I/O
chain     `Jupiter`: the chains port, on top of the chain that settles              I/O
"""

from quantdesk.chains.jupiter.chain import Jupiter as Jupiter
from quantdesk.chains.jupiter.client import Client as Client
