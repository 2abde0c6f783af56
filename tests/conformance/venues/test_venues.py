"""Promise: every venue keeps the port's word; the suite is the one that is shipped."""

from collections.abc import Callable

import pytest
from tests.conformance.venues.grounds import GROUNDS

from quantdesk.testing.venue_suite import CHECKS, Check, Ground


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("made", GROUNDS, ids=lambda made: made.__name__)
def test_venue(made: Callable[[], Ground], check: Check) -> None:
    check(made())
