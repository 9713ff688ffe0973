"""Nothing half-written, and nothing of a user's replaced."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.errors import OutputError
from watchword.output.atomic import new_file, new_folder


def is_ours(name: str) -> bool:
    return name in ("mark.json", "table.csv", "old.csv")


def left_in(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


def test_a_file_appears_with_its_folders_when_the_block_ends(tmp_path: Path) -> None:
    with new_file(tmp_path / "a" / "b.txt") as made:
        made.write_text("whole")
        assert not (tmp_path / "a" / "b.txt").exists()
    assert left_in(tmp_path) == {"a/b.txt": "whole"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    (tmp_path / "old.txt").write_text("old")

    def stopped_file() -> None:
        with new_file(tmp_path / "old.txt", overwrite=True) as made:
            made.write_text("half")
            raise stop

    def stopped_folder() -> None:
        with new_folder(tmp_path / "run", mark="m", ours=is_ours) as folder:
            (folder / "half").write_text("half")
            raise stop

    for write in (stopped_file, stopped_folder):
        with pytest.raises(stop):
            write()
    assert left_in(tmp_path) == {"old.txt": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"is there already.*--overwrite"), new_file(path):
        pytest.fail("the block must not begin")
    assert path.read_text() == "mine"
    with new_file(path, overwrite=True) as made:
        made.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_in_place_of_a_file_is_never_replaced(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="is a folder; give the path of a file"),
        new_file(tmp_path, overwrite=True),
    ):
        pytest.fail("the block must not begin")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_watchword_did_not_make_is_refused(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "table.csv").write_text("mine")
    with (
        pytest.raises(OutputError, match=r"was not made by Watchword \(it has no mark.json\)"),
        new_folder(tmp_path, mark="mark.json", ours=is_ours, overwrite=overwrite),
    ):
        pytest.fail("the block must not begin")
    assert left_in(tmp_path) == {"table.csv": "mine"}


def test_overwriting_a_folder_replaces_our_files_removes_stale_ones_and_keeps_the_users(
    tmp_path: Path,
) -> None:
    for name in ("mark.json", "table.csv", "old.csv", "notes.txt"):
        (tmp_path / name).write_text("before")
    with new_folder(tmp_path, mark="mark.json", ours=is_ours, overwrite=True) as folder:
        for name in ("mark.json", "table.csv"):
            (folder / name).write_text("after")
    assert left_in(tmp_path) == {"mark.json": "after", "table.csv": "after", "notes.txt": "before"}


def test_an_empty_folder_is_filled_without_asking(tmp_path: Path) -> None:
    with new_folder(tmp_path, mark="mark.json", ours=is_ours) as folder:
        (folder / "mark.json").write_text("new")
    assert left_in(tmp_path) == {"mark.json": "new"}


def test_a_path_below_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written: "), new_file(tmp_path / "file" / "x"):
        pytest.fail("the block must not begin")


def test_no_permission_says_so_and_what_to_do(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from watchword.output.atomic import new_file\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "with new_file(sys.argv[1]) as made: made.write_text('x')\n"
    )
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    result = subprocess.run(
        [sys.executable, "-c", script, locked / "x.txt"], capture_output=True, text=True
    )
    assert "OutputError" in result.stderr
    assert "no permission; choose another place" in result.stderr


def test_a_disk_that_takes_no_more_leaves_nothing_half_written(tmp_path: Path) -> None:
    def tiny_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    script = (
        "import sys\n"
        "from watchword.output.atomic import new_file\n"
        "with new_file(sys.argv[1]) as made: made.write_bytes(b'x' * 5000)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "x.bin"],
        capture_output=True,
        text=True,
        preexec_fn=tiny_files,
    )
    assert "OutputError" in result.stderr
    assert "cannot be written: File too large" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with (
        pytest.raises(OutputError, match="the disk is full; make room"),
        new_file(tmp_path / "x.txt"),
        full.open("wb") as file,
    ):
        os.write(file.fileno(), b"x")
    assert list(tmp_path.iterdir()) == []
