import os
from dataclasses import replace

import numpy as np
import pytest

from normal_footage import learned, street
from watchword.errors import NormalityError, OutputError
from watchword.evidence.normality.memory_file import memory_bytes, read_memory, write_memory
from watchword.evidence.normality.meter import NormalMeter


@pytest.fixture(scope="module")
def memory():
    return replace(learned([street(20)]), notes=("Said.",))


def test_a_memory_comes_back_as_it_was(memory, tmp_path):
    again = read_memory(write_memory(memory, tmp_path / "new" / "door.normal"))
    assert again.fingerprint == memory.fingerprint
    assert again.footage == memory.footage
    assert (again.skipped, again.notes, again.rate) == (1, ("Said.",), memory.rate)
    cells, *times = street(10, seed=4)
    values = [NormalMeter(m).update({"seen": cells}, *times).surprise for m in (memory, again)]
    np.testing.assert_array_equal(*values)
    assert memory_bytes(again) == memory_bytes(memory)


def test_a_memory_that_is_there_is_replaced_only_when_asked(memory, tmp_path):
    path = tmp_path / "door.normal"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"is there already.*--overwrite"):
        write_memory(memory, path)
    assert path.read_text() == "mine"
    write_memory(memory, path, overwrite=True)
    assert read_memory(path).names == ("seen",)
    assert [file.name for file in tmp_path.iterdir()] == ["door.normal"]


def test_a_folder_is_no_place_for_a_memory(memory, tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        write_memory(memory, tmp_path, overwrite=True)


def test_a_failed_write_leaves_nothing(memory, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_memory(memory, tmp_path / "door.normal")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["absent", "text", "cut", "byte", "head"])
def test_what_is_no_memory_is_refused(memory, tmp_path, damage):
    path = tmp_path / "door.normal"
    content = bytearray(memory_bytes(memory))
    if damage == "text":
        content = bytearray(b"hello")
    if damage == "cut":
        content = content[:-100]
    if damage == "byte":
        content[-10] ^= 1
    if damage == "head":
        content = content.replace(b"watchword normal 1", b"watchword normal 9")
    if damage != "absent":
        path.write_bytes(content)
    with pytest.raises(NormalityError, match="watchword normal learn"):
        read_memory(path)
