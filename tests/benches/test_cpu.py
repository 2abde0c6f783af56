"""CPU time is counted once, for the group whose process tree used it."""

from benches.cpu import Process, group_seconds, parse_stat


def test_reads_a_process_whose_name_holds_blanks_and_brackets() -> None:
    line = "77 (a (b) c) S 12 77 77 0 -1 4194560 9 8 7 6 100 20 3 4 20 0 1 0 5000 1 2\n"

    assert parse_stat(line) == Process(pid=77, parent=12, ticks=127)


def test_counts_the_whole_tree_of_a_root() -> None:
    tree = [Process(1, 0, 999), Process(10, 1, 100), Process(11, 10, 20), Process(12, 11, 5)]

    assert group_seconds(tree, {"desk": (10,)}, ticks_per_s=100) == {"desk": 1.25}


def test_a_group_ends_where_another_begins() -> None:
    tree = [Process(10, 1, 100), Process(20, 10, 300), Process(21, 20, 50)]

    seconds = group_seconds(tree, {"desk": (10,), "postgres": (20,)}, ticks_per_s=100)

    assert seconds == {"desk": 1.0, "postgres": 3.5}


def test_two_roots_of_one_group_are_not_counted_twice() -> None:
    tree = [Process(10, 1, 100), Process(11, 10, 100)]

    assert group_seconds(tree, {"desk": (10, 11)}, ticks_per_s=100) == {"desk": 2.0}


def test_a_group_without_processes_used_nothing() -> None:
    assert group_seconds([], {"redis": (5,)}, ticks_per_s=100) == {"redis": 0.0}
