"""Work done on other threads, a few items ahead of whoever consumes it, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(items: Iterator[Item], *, depth: int) -> Generator[Item]:
    """The same items in the same order, made on a thread of their own, at most ``depth`` ahead.

    What the maker raises is raised here. When the consumer stops early (an error, Ctrl-C) the maker
    is stopped and waited for, so that it never outlives what it reads from.

    >>> list(ahead(iter("abc"), depth=2))
    ['a', 'b', 'c']
    """
    # None marks the end, so that an item may itself be None.
    following = ((item,) for item in items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="watchword-ahead")
    try:
        coming = deque(pool.submit(next, following, None) for _ in range(depth))
        while (entry := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, following, None))
            yield entry[0]
    finally:
        pool.shutdown(cancel_futures=True)


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """``function`` of each item, in order, while up to ``workers`` of them are under way.

    >>> list(side_by_side(str.upper, "abc", workers=2))
    ['A', 'B', 'C']
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="watchword-ahead")
    under_way: deque[Future[Result]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
