"""The command line: what a person types, and how the desk answers on a terminal.

root      every command, and how a run ends
up demo   run a desk; run one for a single order and show it all
order orders prices doctor      talk to a desk over HTTP, as any other program would
client    the way to the desk           watching  one order, live, across restarts
figures stages tables           how numbers, stages and tables look; pure
"""

from quantdesk.cli.root import main

__all__ = ["main"]
