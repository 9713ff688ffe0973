"""CLIPScore's own examples give the published figures, where the weights are at hand.

Nothing is collected unless clip-vit-b32 lies in the user's store: ``watchword models pull
clip-vit-b32`` and the tests are there. So a machine without the weights has no test to skip.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from watchword.encoders.catalog import load_encoder
from watchword.encoders.store import home, installed
from watchword.evaluation.metrics.clipscore_metric import ClipScoreMetric

# Looked up while tests are collected: each test has an empty home of its own.
REAL_HOME = home()
HERE = any(model.name == "clip-vit-b32" for model in installed())

pytestmark = pytest.mark.shared

# As the authors' README prints them; their GPU computes in half precision.
PUBLISHED = {"good": (0.8584, 0.8450), "bad": (0.7153, 0.7253)}
HALF_PRECISION = 2e-3


class TestPublished:
    __test__ = HERE

    @pytest.mark.parametrize("kind", PUBLISHED)
    def test_the_authors_examples_have_their_published_scores(
        self, kind: str, shared: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WATCHWORD_HOME", str(REAL_HOME))
        metric = ClipScoreMetric(load_encoder("clip-vit-b32", offline=True))
        folder = shared / "data" / "reference_clipscore" / "example"
        captions = json.loads((folder / f"{kind}_captions.json").read_text())
        references = json.loads((folder / "refs.json").read_text())
        for name, caption in captions.items():
            with Image.open(folder / "images" / f"{name}.jpg") as picture:
                pixels = np.asarray(picture.convert("RGB"))[None]
            metric.update(pixels, caption, references=[references[name]])
        found = metric.compute()
        score, with_references = PUBLISHED[kind]
        assert found["hessel_prefixed"] == pytest.approx(score, abs=HALF_PRECISION)
        assert found["ref_clipscore_prefixed"] == pytest.approx(with_references, abs=HALF_PRECISION)
