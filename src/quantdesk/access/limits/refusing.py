"""The refusal of those who ask too often: a 429 that says when to come back."""

import math

from quantdesk.core.errors import Unavailable

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields of an answer."""


class TooMany(Unavailable):
    """Asked too often; `retry_after_s` is whole seconds, `fields` go out with the answer."""

    default_code = "request.too_many"

    def __init__(
        self, what: str, *, wait_s: float, code: str | None = None, fields: Fields = ()
    ) -> None:
        self.fields = fields
        self.retry_after_s = max(1, math.ceil(wait_s))
        super().__init__(f"{what}; try again in {self.retry_after_s} s", code=code)
        self.extension = {"retryAfterS": self.retry_after_s}
