"""Work on another thread: same items, same errors, no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from watchword.pipeline.ahead import ahead, side_by_side


def alive() -> int:
    return sum(thread.name.startswith("watchword-ahead") for thread in threading.enumerate())


def test_items_come_in_order_and_all() -> None:
    assert list(ahead(iter(range(500)), depth=3)) == list(range(500))
    assert alive() == 0


def test_an_error_of_the_maker_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("lost")

    line = ahead(items(), depth=2)
    assert next(line) == 1
    with pytest.raises(RuntimeError, match="lost"):
        next(line)
    assert alive() == 0


def test_at_most_depth_items_wait() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    line = ahead(items(), depth=2)
    next(line)
    threading.Event().wait(0.3)
    # One given, two waiting, one in the maker's hand.
    assert len(made) <= 4
    line.close()
    assert alive() == 0


def test_a_consumer_that_fails_stops_the_maker() -> None:
    def consume() -> None:
        for _ in ahead(iter(int, 1), depth=2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert alive() == 0


def test_side_by_side_keeps_the_order_of_items_that_take_unequal_time() -> None:
    waits = [0.05, 0.0, 0.03, 0.0, 0.0, 0.02]

    def work(number: int) -> int:
        threading.Event().wait(waits[number])
        return number

    assert list(side_by_side(work, range(6), workers=3)) == list(range(6))
    assert alive() == 0


def test_side_by_side_raises_what_an_item_raised_after_those_before_it() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise RuntimeError("lost")
        return number

    line = side_by_side(work, range(10), workers=2)
    assert [next(line) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="lost"):
        next(line)
    assert alive() == 0
