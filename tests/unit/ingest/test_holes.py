"""Promise: what is not covered is a hole, all of it and nothing else."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ingest.holes import holes, on_grid, pieces

_SPANS = st.lists(
    st.tuples(st.integers(-5, 60), st.integers(1, 20)).map(lambda at: (at[0], at[0] + at[1])),
    max_size=12,
)


@given(_SPANS, st.integers(0, 40), st.integers(0, 40))
def test_every_moment_is_covered_or_in_a_hole(
    spans: list[tuple[int, int]], begin: int, length: int
) -> None:
    end = begin + length
    found = list(holes(sorted(spans), from_ms=begin, to_ms=end))
    inside = {at for one, other in found for at in range(one, other)}
    assert inside == {
        at for at in range(begin, end) if not any(one <= at < other for one, other in spans)
    }
    assert all(one < other for one, other in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 30))
def test_pieces_make_up_the_hole(begin: int, length: int, most: int) -> None:
    made = list(pieces((begin, begin + length), length_ms=most))
    assert [at for one, other in made for at in range(one, other)] == [
        *range(begin, begin + length)
    ]
    assert all(0 < other - one <= most for one, other in made)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([1, 7, 1000]))
def test_only_whole_windows_lie_on_the_grid(begin: int, end: int, length: int) -> None:
    one, other = on_grid(begin, end, length_ms=length)
    assert one % length == other % length == 0
    assert begin <= one < begin + length
    assert end - length < other <= end
