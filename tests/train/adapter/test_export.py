"""The ONNX graph of an adapter: the same as the model, and cut up in any way the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from watchword.errors import CalibrationError, OutputError
from watchword.evidence.adapter import AdapterSpec, load_adapter

pytestmark = pytest.mark.torch

WIDTH, LENGTH = 12, 6


def trained(*, causal: bool = False) -> tuple[Any, AdapterSpec]:
    """A model in which every weight says something, as after training."""
    import torch

    from watchword.train.adapter.model import TemporalAdapter

    torch.manual_seed(0)
    model = TemporalAdapter(WIDTH, 2, 2, LENGTH, causal=causal, inner=8)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    spec = AdapterSpec(
        width=WIDTH,
        source="vectors",
        layers=2,
        heads=2,
        clip_length=LENGTH,
        stride=3,
        causal=causal,
        rate=5.0,
        encoder="enc",
        encoder_name="fake",
        temperature=model.temperature,
        objective="frame",
        facts={"videos": ["a"], "fingerprints": [""]},
    )
    return model, spec


def rows_of(count: int) -> np.ndarray:
    rows = np.random.default_rng(count).standard_normal((count, WIDTH)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[count // 3 : count // 3 + 2] = np.nan
    return rows


@pytest.mark.parametrize("causal", [False, True])
def test_graph_and_model_give_the_same_of_a_whole_video(tmp_path: Path, causal: bool) -> None:
    from watchword.evidence.adapter_windows import adapt_rows
    from watchword.train.adapter.export import export_adapter, run_model

    model, spec = trained(causal=causal)
    assert export_adapter(model, spec, tmp_path / "adapter.onnx") < 1e-5
    adapter = load_adapter(tmp_path)
    assert adapter.spec == spec
    for count in (1, 4, 6, 7, 50):
        rows = rows_of(count)
        wanted = adapt_rows(
            lambda x, seen: run_model(model, x, seen),
            rows,
            length=LENGTH,
            stride=3,
            causal=causal,
        )
        for got, want in zip(adapter.adapt(rows), wanted, strict=True):
            np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("cut", [1, 2, 5, 7, 64])
def test_a_causal_graph_gives_the_same_however_the_stream_is_cut_up(
    tmp_path: Path, cut: int
) -> None:
    from watchword.train.adapter.export import export_adapter

    model, spec = trained(causal=True)
    export_adapter(model, spec, tmp_path / "adapter.onnx")
    adapter = load_adapter(tmp_path)
    rows = rows_of(600)
    whole = adapter.adapt(rows)
    stream = adapter.stream()
    parts = [stream.push(rows[at : at + cut]) for at in range(0, len(rows), cut)]
    for number in (0, 1):
        got = np.concatenate([part[number] for part in parts])
        np.testing.assert_allclose(got, whole[number], atol=1e-6)


def test_what_comes_later_has_no_say_in_a_causal_graph(tmp_path: Path) -> None:
    from watchword.train.adapter.export import export_adapter

    model, spec = trained(causal=True)
    export_adapter(model, spec, tmp_path / "adapter.onnx")
    adapter = load_adapter(tmp_path)
    rows = rows_of(40)
    whole = adapter.adapt(rows)[1]
    for count in (1, 5, 6, 20):
        np.testing.assert_allclose(adapter.adapt(rows[:count])[1], whole[:count], atol=1e-6)


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    from watchword.train.adapter.export import export_adapter

    model, spec = trained()
    for name in ("one", "two"):
        export_adapter(model, spec, tmp_path / f"{name}.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_exporting_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    from watchword.train.adapter.export import export_adapter

    model, spec = trained()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    model.train()
    export_adapter(model, spec, tmp_path / "adapter.onnx")
    assert model.training
    assert all((one == before[name]).all() for name, one in model.state_dict().items())


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    from watchword.train.adapter.export import export_adapter

    model, spec = trained()
    path = tmp_path / "adapter.onnx"
    path.write_text("mine")
    with pytest.raises(OutputError, match="there already"):
        export_adapter(model, spec, path)
    assert path.read_text() == "mine"
    export_adapter(model, spec, path, overwrite=True)
    assert load_adapter(path).spec == spec


def test_a_graph_that_is_another_model_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchword.train.adapter import export

    model, spec = trained()
    right = export.run_model
    monkeypatch.setattr(
        export, "run_model", lambda m, x, s: (right(m, x, s)[0], 1 - right(m, x, s)[1])
    )
    with pytest.raises(CalibrationError, match="differs from the model"):
        export.export_adapter(model, spec, tmp_path / "adapter.onnx")
    assert not list(tmp_path.iterdir())
