"""A progress line on standard error: video, share read, pictures a second, time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.pipeline.embed import Listener
    from watchword.pipeline.embed import Progress as Seen
    from watchword.run.manifest import Job


@contextmanager
def progress_of(jobs: Sequence[Job], *, quiet: bool) -> Iterator[Callable[[Job], Listener] | None]:
    """Gives each job the listener that draws its line; None when nobody is looking."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:

        def listener(job: Job) -> Listener:
            number = jobs.index(job) + 1
            name = job.name if len(jobs) == 1 else f"{number}/{len(jobs)} {job.name}"
            task = bars.add_task(name[:40], total=None, speed="")

            def listen(seen: Seen) -> None:
                elapsed = bars.tasks[task].elapsed or 0.0
                speed = f"{seen.pictures / elapsed:.0f} pictures/s" if elapsed > 0 else ""
                bars.update(task, total=seen.total_s, completed=seen.seen_s, speed=speed)

            return listen

        yield listener
