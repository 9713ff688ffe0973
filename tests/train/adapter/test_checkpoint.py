"""Checkpoints: whole or not at all, and never executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchword.errors import CalibrationError

pytestmark = pytest.mark.torch


def checkpoint(epoch: int) -> Any:
    import torch

    from watchword.train.adapter.checkpoint import Checkpoint

    weights = {"a": torch.full((2, 3), float(epoch)), "b": torch.arange(3) + epoch}
    return Checkpoint("key", weights, weights, {"0.step": torch.tensor(epoch)}, ({"epoch": epoch},))


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    import torch

    from watchword.train.adapter.checkpoint import load_checkpoint, save_checkpoint

    for epoch in (1, 2):
        save_checkpoint(checkpoint(epoch), tmp_path)
    kept, wanted = load_checkpoint(tmp_path), checkpoint(2)
    assert (kept.key, kept.history) == (wanted.key, wanted.history)
    for name in ("best", "latest", "optimizer"):
        got, want = getattr(kept, name), getattr(wanted, name)
        assert got.keys() == want.keys()
        assert all(torch.equal(got[one], want[one]) for one in want)
    names = sorted(path.name for path in (tmp_path / "checkpoint").iterdir())
    assert names == ["state.json", "state.safetensors", "weights.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_an_optimiser_goes_on_as_if_it_had_not_stopped() -> None:
    import torch

    from watchword.train.checkpoint import optimizer_tensors, restore_optimizer

    def steps(weight: Any, optimizer: Any, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()

    whole = torch.nn.Parameter(torch.arange(4.0))
    optimizer = torch.optim.AdamW([whole], lr=0.1)
    steps(whole, optimizer, 3)
    kept = {name: one.clone() for name, one in optimizer_tensors(optimizer).items()}
    again = torch.nn.Parameter(whole.detach().clone())
    steps(whole, optimizer, 3)
    other = torch.optim.AdamW([again], lr=0.1)
    restore_optimizer(other, kept)
    steps(again, other, 3)
    assert torch.equal(whole, again)


@pytest.mark.parametrize("broken", ["writing", "moving"])
def test_a_checkpoint_broken_off_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from watchword.train import checkpoint as folder
    from watchword.train.adapter import checkpoint as module

    module.save_checkpoint(checkpoint(1), tmp_path)
    with monkeypatch.context() as patch:
        if broken == "writing":
            patch.setattr(folder, "save_file", _fail)
        else:
            right = Path.rename
            patch.setattr(
                Path, "rename", lambda p, to: _fail() if p.name.endswith("new") else right(p, to)
            )
        with pytest.raises(OSError, match="full"):
            module.save_checkpoint(checkpoint(2), tmp_path)
    assert folder.has_checkpoint(tmp_path)
    assert module.load_checkpoint(tmp_path).history == ({"epoch": 1},)
    module.save_checkpoint(checkpoint(3), tmp_path)
    assert module.load_checkpoint(tmp_path).history == ({"epoch": 3},)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def _fail(*_: Any) -> None:
    raise OSError("the disk is full")


@pytest.mark.parametrize("name", ["state.json", "state.safetensors", "weights.safetensors"])
@pytest.mark.parametrize("damage", [None, b"", b"\x80\x04pickle"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, name: str, damage: bytes | None) -> None:
    from watchword.train.adapter.checkpoint import load_checkpoint, save_checkpoint

    save_checkpoint(checkpoint(1), tmp_path)
    path = tmp_path / "checkpoint" / name
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(CalibrationError, match="Train anew with --overwrite"):
        load_checkpoint(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    from watchword.train.adapter.checkpoint import load_checkpoint, save_checkpoint

    save_checkpoint(checkpoint(1), tmp_path)
    path = tmp_path / "checkpoint" / "state.json"
    path.write_text(json.dumps({"format": "another"}))
    with pytest.raises(CalibrationError, match="not of the format"):
        load_checkpoint(tmp_path)
