"""A source's clock, told from the least time its messages ever took to reach us.

The difference of arrival and event time is the way plus what the clocks are apart. The least of the
last minute is taken for the latter, whatever its sign: a recorder that runs 1.3 s behind its
exchange is no reason to call every message one from the future. Pure: time comes with the messages.
"""

SKEWED_MS = 250
"""Clocks further apart than this are reported."""
FORGIVEN_MS = 15_000
"""An event older than this on arrival was delayed; no clock is set so badly."""
FUTURE_MS = 60_000
"""An event this far ahead of the others of its source is not believed at once."""
BELIEVED_AFTER = 3

_SLOT_MS = 10_000
_WINDOW_MS = 60_000


class SourceClock:
    """How far a source's clock is from ours; `replayed` sources tell of another day.

    `offset_ms` is arrival less event of the quickest message of the last minute, None before one.
    """

    __slots__ = ("_lows", "_strange", "_turn_ms", "low_ms", "offset_ms", "replayed")

    def __init__(self, *, replayed: bool = False) -> None:
        self.replayed = replayed
        self.offset_ms: int | None = None
        self.low_ms = 0
        self._turn_ms = 0
        self._lows: list[tuple[int, int]] = []  # when a slot began, and its least delay
        self._strange = 0

    @property
    def skewed(self) -> bool:
        """Return whether the clocks are further apart than may pass without a word."""
        return not self.replayed and abs(self.offset_ms or 0) > SKEWED_MS

    def lag_ms(self, received_ms: int, event_ms: int) -> int | None:
        """Return how long an event took to arrive beyond the quickest, never less than zero.

        None when its time is so far ahead of the others that the message is not to be believed.
        """
        delay_ms = received_ms - event_ms
        offset_ms = self.offset_ms
        if (
            offset_ms is None
            or self._strange
            or delay_ms < self.low_ms
            or not self._turn_ms - _SLOT_MS <= received_ms < self._turn_ms
        ):
            if not self._learn(delay_ms, received_ms):
                return None
            offset_ms = self.offset_ms
            assert offset_ms is not None, "a delay was learned"
        if self.replayed:
            return 0
        if offset_ms > FORGIVEN_MS:
            return delay_ms
        return delay_ms - offset_ms if delay_ms > offset_ms else 0

    def event_ms(self, received_ms: int) -> int:
        """Return the source's time at an arrival of ours, for messages that name none."""
        offset_ms = self.offset_ms or 0
        forgiven = self.replayed or offset_ms <= FORGIVEN_MS
        return received_ms - offset_ms if forgiven else received_ms

    def _learn(self, delay_ms: int, received_ms: int) -> bool:
        if not self.replayed and delay_ms < min(self.offset_ms or 0, 0) - FUTURE_MS:
            self._strange += 1
            if self._strange < BELIEVED_AFTER:
                return False
            self._turn_ms = 0  # the source's clock was set anew
        self._strange = 0
        if not self._turn_ms - _SLOT_MS <= received_ms < self._turn_ms:
            self._turn(delay_ms, received_ms)
        self.low_ms = min(self.low_ms, delay_ms)
        self.offset_ms = min([self.low_ms, *(low_ms for _, low_ms in self._lows)])
        return True

    def _turn(self, delay_ms: int, received_ms: int) -> None:
        began_ms = self._turn_ms - _SLOT_MS
        if self._turn_ms and began_ms <= received_ms:
            self._lows.append((began_ms, self.low_ms))
            self._lows = [low for low in self._lows if low[0] > received_ms - _WINDOW_MS]
        else:  # the first slot, or one after time ran backwards
            self._lows = []
        self.low_ms = delay_ms
        self._turn_ms = received_ms + _SLOT_MS
