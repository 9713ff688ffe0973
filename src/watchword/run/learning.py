"""From videos of a camera to the memory of what is normal there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from watchword.evidence.normality.memory import NormalMemory
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.pipeline.learning import NormalLearner
from watchword.run.manifest import Job


def learn_normal(
    videos: VideoEncoder,
    jobs: Sequence[Job],
    *,
    extend: NormalMemory | None = None,
    listener: Callable[[Job], Listener] | None = None,
) -> NormalMemory:
    """The memory of all the videos; one that cannot be used ends it, so that none goes missing.

    Args:
        videos: reads and encodes.
        jobs: the videos.
        extend: a memory that they are added to.
        listener: gives, for a video that starts, the function told of its progress.

    Raises:
        VideoError: a video cannot be read.
        NormalityError: too little footage, or not of one camera.
    """
    learner = NormalLearner(videos, extend=extend)
    for job in jobs:
        learner.learn(job.source, listener=listener(job) if listener else None)
    return learner.finish()
