"""A light model: its scores, and its file."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from risk_drives import footage, light
from watchword.errors import CalibrationError
from watchword.evidence.head import Head
from watchword.evidence.light import Light, score_light
from watchword.evidence.light_file import light_bytes, read_light
from watchword.evidence.platt import Platt, logit


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Light:
    return light(tmp_path_factory.mktemp("drives"))


def test_a_file_gives_the_same_model_and_bytes(learned, tmp_path):
    path = tmp_path / "road.risk"
    path.write_bytes(light_bytes(learned))
    back = read_light(path)
    assert back.fingerprint == learned.fingerprint
    assert back.calibration == learned.calibration
    assert (back.lead_s, back.source, back.label) == (1.0, "features", "collision")
    assert light_bytes(back) == path.read_bytes()


def test_damaged_and_foreign_files_are_refused(learned, tmp_path):
    path = tmp_path / "road.risk"
    whole = light_bytes(learned)
    with pytest.raises(CalibrationError, match="watchword risk fit"):
        read_light(path)
    for spoiled in (b"", whole[: len(whole) // 2], whole[:-9] + os.urandom(9), b"{}" * 50):
        path.write_bytes(spoiled)
        with pytest.raises(CalibrationError):
            read_light(path)


def test_a_beginning_is_not_measured(learned, tmp_path):
    one = footage(tmp_path, crashes=1, calm=0)[0]
    scores = score_light(one.embeddings, one.features, learned)
    ends = one.embeddings.edges_s[1:]
    assert np.isnan(scores.values[ends < 0.95]).all()
    assert not np.isnan(scores.values[ends > 1.05]).any()


def test_calibration_keeps_the_order(learned, tmp_path):
    one = footage(tmp_path, crashes=1, calm=0)[0]
    first = score_light(one.embeddings, one.features, replace(learned, calibration=Platt()))
    second = score_light(one.embeddings, one.features, replace(learned, calibration=Platt(0.5, -1)))
    a, b = first.values[10:, 0].astype(float), second.values[10:, 0].astype(float)
    np.testing.assert_allclose(logit(b), 0.5 * logit(a) - 1, atol=0.02)


def test_features_of_other_windows_are_refused(learned, tmp_path):
    one = footage(tmp_path, crashes=1, calm=0)[0]
    moved = replace(one.embeddings, edges_s=one.embeddings.edges_s + 1)
    with pytest.raises(CalibrationError, match="single pictures"):
        score_light(moved, one.features, learned)


def test_it_is_of_one_label(learned):
    head = learned.head
    two = Head(
        np.repeat(head.weights, 2, axis=0),
        np.repeat(head.bias, 2),
        head.mean,
        head.scale,
        ("a", "b"),
        head.encoder,
        head.encoder_name,
        head.pool,
        head.steps_s,
        head.facts,
    )
    with pytest.raises(ValueError, match="must be one"):
        Light(two, 1.0)
    with pytest.raises(ValueError, match="lead_s"):
        replace(learned, lead_s=0.0)
    with pytest.raises(ValueError, match="source"):
        replace(learned, source="pixels")
