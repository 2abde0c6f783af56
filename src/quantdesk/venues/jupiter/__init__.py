"""Jupiter: answers to questions about one size each, as pools.

venue   `Jupiter`: the venues port over answers that are a moment old; pure

The questions are asked by whoever joins it with `chains.jupiter` (`app`).
"""

from quantdesk.venues.jupiter.venue import Asked as Asked
from quantdesk.venues.jupiter.venue import Jupiter as Jupiter
