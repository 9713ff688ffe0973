"""A memory of the videos of a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.errors import NormalityError, VideoError
from watchword.pipeline.embed import Progress
from watchword.run.learning import learn_normal
from watchword.run.manifest import Job
from yard_clips import encoding, learned, yard_clip


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Two days of one camera, of eight seconds each."""
    clips = [yard_clip(tmp_path / f"{day}.mp4", seconds=8, seed=day) for day in range(2)]
    return [Job(str(clip)) for clip in clips]


def test_all_videos_of_the_list_are_learned_in_order(jobs: list[Job]) -> None:
    memory = learn_normal(encoding(), jobs)
    assert [one.video for one in memory.footage] == [job.source for job in jobs]
    direct = learned(*(Path(job.source) for job in jobs))
    assert memory.fingerprint == direct.fingerprint


def test_another_day_is_added(jobs: list[Job], tmp_path: Path) -> None:
    base = learn_normal(encoding(), jobs)
    more = Job(str(yard_clip(tmp_path / "more.mp4", seed=7)))
    assert len(learn_normal(encoding(), [more], extend=base).footage) == 3


def test_progress_is_told_by_video(jobs: list[Job]) -> None:
    heard: list[tuple[str, int]] = []

    def listener(job: Job) -> object:
        def listen(progress: Progress) -> None:
            heard.append((job.name, progress.pictures))

        return listen

    learn_normal(encoding(), jobs, listener=listener)  # type: ignore[arg-type]
    assert [name for name, count in heard if count == 40] == ["0", "1"]


def test_one_video_that_cannot_be_used_ends_it(jobs: list[Job], tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        learn_normal(encoding(), [*jobs, Job(str(tmp_path / "bad.mp4"))])
    with pytest.raises(NormalityError, match="no footage"):
        learn_normal(encoding(), [])
