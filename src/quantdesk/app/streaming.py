"""The hub of a desk: every channel that can be followed, and the loops that tell them."""

from functools import partial

from quantdesk.app.background import Background
from quantdesk.app.channels import MarketChannels
from quantdesk.app.watch_data import DataWatch
from quantdesk.core.clock import Clock
from quantdesk.hub.client import Limits as ClientLimits
from quantdesk.hub.hub import Hub


def open_hub(
    background: Background,
    channels: MarketChannels,
    watch: DataWatch,
    *,
    clock: Clock,
    epoch: str,
) -> Hub:
    """Return a hub that tells of market data, alerts and services until the stack unwinds."""
    hub = Hub((*channels.channels, watch.channel), epoch=epoch, clock=clock, limits=ClientLimits())
    watch.join(hub)
    background.begin("hub", hub.run)
    background.begin("market channels", partial(channels.run, hub))
    background.begin("market watch", watch.run)
    return hub
