"""A parcel gives back the frames that went into it, and anything else is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame
from quantdesk.sources.parcels import Parcel, pack, rows, unpack

FRAMES = st.lists(
    st.builds(Frame, st.text(), st.text(), st.integers(0, 2**63 - 1), st.binary()), max_size=20
)


@given(FRAMES, st.integers(0, 2**40))
def test_that_frames_come_out_as_they_went_in(frames: list[Frame], first: int) -> None:
    parcel = Parcel("life", 1, first, 2, rows(frames))

    found = unpack(pack(parcel))

    assert (found.life, found.began_ns, found.first, found.sent_ns) == ("life", 1, first, 2)
    assert list(found.frames()) == frames
    assert list(found.frames(known=3)) == frames[3:]


@given(st.binary(max_size=300))
def test_that_garbage_is_a_parcel_or_corrupt(body: bytes) -> None:
    with suppress(Corrupt):
        assert isinstance(unpack(body), Parcel)


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_that_a_cut_parcel_is_corrupt(cut: int) -> None:
    body = pack(Parcel("life", 1, 0, 2, rows([Frame("pyth", "sse", 3, b"data" * 10)])))

    with pytest.raises(Corrupt):
        unpack(body[:cut])


def test_that_parcels_without_frames_have_names_of_their_own() -> None:
    assert Parcel("life", 1, 5, 2).name != Parcel("life", 1, 5, 3).name
