"""A table shows medians; a ratio compares only what ran in the same round."""

from benches.figures import (
    FIGURES,
    HEADS,
    Figure,
    Sample,
    markdown,
    ratio_rows,
    ratios,
    rows,
    table,
)
from benches.loadgen.drive import Outcome

PER_S = FIGURES[0]


def an_outcome(*, per_s: float = 1000, p99_ms: float = 50, errors: int = 0) -> Outcome:
    return Outcome(
        orders=100,
        accepted=100,
        confirmed=100,
        failed=0,
        unfinished=0,
        errors=errors,
        updates=500,
        frames=500,
        accepted_per_s=2 * per_s,
        confirmed_per_s=per_s,
        p50_ms=p99_ms / 2,
        p99_ms=p99_ms,
        max_ms=2 * p99_ms,
        wall_s=1,
        client_cpu_s=0.1,
    )


def a_sample(
    target: str, number: int, outcome: Outcome, *, load: str = "backlog", cpu_s: float = 0.1
) -> Sample:
    return Sample(target, load, number, outcome, {"main": cpu_s}, machine_load=0.5 * number)


def test_a_row_holds_the_medians_of_its_rounds() -> None:
    speeds = {1: 900.0, 2: 5000.0, 3: 1100.0}
    samples = [a_sample("desk", n, an_outcome(per_s=speed)) for n, speed in speeds.items()]

    (row,) = rows(samples)

    shown = dict(zip(HEADS, row, strict=True))
    assert shown["rounds"] == "3"
    assert shown["confirmed/s"] == "1100"
    assert shown["CPU ms/order"] == "1.000"
    assert shown["CPU by process"] == "main 1.000"
    assert shown["machine load"] == "0.5-1.5"


def test_rows_stay_in_the_order_of_the_loads_with_their_targets_together() -> None:
    loads, targets = ("backlog", "64 in flight"), ("desk", "peer")
    samples = [a_sample(t, 1, an_outcome(), load=load) for t in targets for load in loads]

    places = [row[:2] for row in rows(samples)]

    assert places == [(load, target) for load in loads for target in targets]


def test_errors_of_all_rounds_are_added_up() -> None:
    samples = [a_sample("desk", n, an_outcome(errors=n)) for n in (1, 2)]

    assert rows(samples)[0][HEADS.index("errors")] == "3"


def test_a_sample_with_an_error_is_not_clean() -> None:
    assert a_sample("desk", 1, an_outcome()).clean
    assert not a_sample("desk", 1, an_outcome(errors=1)).clean


def test_ratios_compare_round_by_round_and_skip_a_round_that_lacks_one() -> None:
    samples = [
        a_sample("desk", 1, an_outcome(per_s=5000)),
        a_sample("peer", 1, an_outcome(per_s=1000)),
        a_sample("peer", 2, an_outcome(per_s=100)),
        a_sample("desk", 2, an_outcome(per_s=700)),
        a_sample("desk", 3, an_outcome(per_s=1)),
    ]

    assert ratios(samples, PER_S, ours="desk", theirs="peer") == [5.0, 7.0]


def test_ratios_skip_a_round_in_which_the_other_reads_zero() -> None:
    zero = Figure("zero", lambda _: 0.0, 0)
    samples = [a_sample(target, 1, an_outcome()) for target in ("desk", "peer")]

    assert ratios(samples, zero, ours="desk", theirs="peer") == []


def test_a_ratio_row_gives_the_median_ratio_of_each_load() -> None:
    samples = [
        a_sample(target, n, an_outcome(per_s=per_s * n))
        for n in (1, 2, 3)
        for target, per_s in (("desk", 600), ("peer", 100))
    ]

    (row,) = ratio_rows(samples, ours="desk", theirs="peer")

    assert row[:4] == ("backlog", "desk / peer", "3", "6.00x")
    assert len(row) == len(HEADS)


def test_a_table_aligns_its_columns() -> None:
    lines = table(("load", "n"), [("backlog", "1"), ("b", "22")]).splitlines()

    assert lines == ["load     n", "backlog  1", "b        22"]


def test_markdown_has_a_rule_under_its_heads() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
