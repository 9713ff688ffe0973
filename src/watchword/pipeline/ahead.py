"""Work done on another thread, a few items ahead of whoever consumes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], *, depth: int) -> Iterator[Item]:
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
