"""The metric that takes pairs batch by batch: it equals all pairs at once, and refuses mixtures."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from watchword.encoders.base import encode_images
from watchword.encoders.fake import FakeEncoder
from watchword.errors import PromptError
from watchword.evaluation.metrics.clipscore import PREFIX, all_definitions, cosines
from watchword.evaluation.metrics.clipscore_metric import ClipScoreMetric

NAN = math.nan
RNG = np.random.default_rng(0)
IMAGES, TEXTS, PREFIXED = (RNG.normal(size=(7, 6)) for _ in range(3))
REFERENCES = RNG.normal(size=(7, 3, 6))

RED = np.zeros((20, 30, 3), np.uint8)
RED[..., 0] = 255
BLUE = RED[..., ::-1]
PICTURES = np.stack([RED, BLUE])


class Tensor:
    """What a tensor of torch looks like from outside."""

    def __init__(self, values, *, graph=True):
        self.values, self.graph = np.asarray(values), graph

    def detach(self):
        return Tensor(self.values, graph=False)

    def cpu(self):
        return self

    def is_floating_point(self):
        return self.values.dtype.kind == "f"

    def double(self):
        return Tensor(self.values.astype(np.float64), graph=self.graph)

    def __array__(self, dtype=None, copy=None):
        if self.graph:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self.values.astype(dtype) if dtype else self.values


def own(images, texts):
    """Each picture with its own text."""
    return np.diag(cosines(images, texts))


def expected():
    table = np.array([cosines(t[None], own)[0] for t, own in zip(TEXTS, REFERENCES, strict=True)])
    return all_definitions(
        own(IMAGES, TEXTS),
        prefixed=own(IMAGES, PREFIXED),
        references=table,
        logit_scale=50.0,
        top_k=2,
    )


def feed(metric, start, end):
    at = slice(start, end)
    metric.update(IMAGES[at], TEXTS[at], prefixed=PREFIXED[at], references=REFERENCES[at])


@pytest.mark.parametrize("ends", [[0, 7], [0, 1, 3, 7]])
def test_batches_give_what_all_pairs_give(ends):
    metric = ClipScoreMetric(logit_scale=50, top_k=2)
    for start, end in pairwise(ends):
        feed(metric, start, end)
    assert metric.pairs == 7
    assert metric.compute() == pytest.approx(expected(), abs=1e-12)


def test_merged_metrics_give_what_one_gives_and_stay_apart():
    first, second = (ClipScoreMetric(logit_scale=50, top_k=2) for _ in range(2))
    feed(first, 0, 3)
    feed(second, 3, 7)
    before = second.compute()
    first.merge(second)
    assert first.compute() == pytest.approx(expected(), abs=1e-12)
    assert second.compute() == before
    first.reset()
    assert first.pairs == 0
    assert second.pairs == 4
    assert set(first.compute().values()) == {None}


def test_a_metric_can_be_merged_with_itself():
    metric = ClipScoreMetric()
    metric.update(IMAGES, TEXTS)
    before = metric.compute()
    metric.merge(metric)
    assert metric.pairs == 14
    assert metric.compute()["raw_cosine"] == pytest.approx(before["raw_cosine"])


def test_one_text_goes_with_all_pictures():
    one, repeated = ClipScoreMetric(), ClipScoreMetric()
    one.update(IMAGES, TEXTS[:1])
    repeated.update(IMAGES, np.repeat(TEXTS[:1], 7, axis=0))
    assert one.compute() == repeated.compute()


def test_what_was_not_measured_is_left_out_and_counted():
    images = IMAGES.copy()
    images[2] = NAN
    metric, without = ClipScoreMetric(), ClipScoreMetric()
    metric.update(images, TEXTS)
    without.update(np.delete(IMAGES, 2, axis=0), np.delete(TEXTS, 2, axis=0))
    assert (metric.pairs, metric.left_out) == (6, 1)
    assert metric.compute() == without.compute()


def test_tensors_are_taken_off_their_graph():
    metric, plain = ClipScoreMetric(), ClipScoreMetric()
    metric.update(Tensor(IMAGES.astype(np.float32)), Tensor(TEXTS.astype(np.float32)))
    plain.update(IMAGES.astype(np.float32), TEXTS.astype(np.float32))
    assert metric.compute() == plain.compute()


def test_an_encoder_makes_vectors_and_both_prefixes():
    encoder = FakeEncoder()
    metric = ClipScoreMetric(encoder)
    texts, references = ["a red picture", "a red sky"], [["red"], ["blue", "a green wall"]]
    metric.update(Tensor(PICTURES.transpose(0, 3, 1, 2)), texts, references=references)
    images = encode_images(encoder, PICTURES)
    known = {}
    for prefix in ("", PREFIX):
        rows = encoder.encode_texts([prefix + text for text in texts])
        known[prefix] = own(images, rows)
        table = np.full((2, 2), NAN)
        for i, others in enumerate(references):
            vectors = encoder.encode_texts([prefix + other for other in others])
            table[i, : len(others)] = cosines(rows[i : i + 1], vectors)[0]
        known[prefix + "references"] = table
    assert metric.compute() == pytest.approx(
        all_definitions(
            known[""],
            prefixed=known[PREFIX],
            references=known["references"],
            prefixed_references=known[PREFIX + "references"],
            logit_scale=1 / encoder.scale.temperature,
        )
    )
    assert metric.compute()["hessel"] != metric.compute()["hessel_prefixed"]


def test_pictures_and_one_sentence():
    metric = ClipScoreMetric(FakeEncoder(), prefix=None)
    metric.update(PICTURES, "a red picture")
    found = metric.compute()
    assert found["max"] > 0.8
    assert found["min"] < 0.2
    assert found["hessel_prefixed"] is None


def test_long_sentences_are_an_error_unless_cutting_is_asked_for():
    long = " ".join(["red"] * 100)
    with pytest.raises(PromptError, match="has 102 tokens, the model takes 77"):
        ClipScoreMetric(FakeEncoder()).update(PICTURES, long)
    metric = ClipScoreMetric(FakeEncoder(), truncate=True)
    metric.update(PICTURES, long)
    assert metric.pairs == 2


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, (PICTURES, TEXTS[:2]), "pictures and sentences need an encoder"),
        (TypeError, (IMAGES[:1], "a cat"), "pictures and sentences need an encoder"),
        (TypeError, (PICTURES / 255, "red"), "pictures are float64, they must be uint8 RGB"),
        (ValueError, (PICTURES[..., :2], "red"), r"must be \(N,H,W,3\) or \(N,3,H,W\)"),
        (ValueError, (IMAGES, TEXTS[:2]), r"images have shape \(7, 6\) and texts \(2, 6\)"),
        (ValueError, (IMAGES, TEXTS[:, :3]), r"images have shape \(7, 6\) and texts \(7, 3\)"),
        (ValueError, (IMAGES[:0], TEXTS[:0]), "N of 1 or more"),
        (ValueError, (IMAGES[0], TEXTS), r"images are float64 of shape \(6,\); vectors \(N, D\)"),
        (ValueError, (IMAGES.astype(int), TEXTS), "images are int64"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(error, arguments, message):
    metric = ClipScoreMetric()
    with pytest.raises(error, match=message):
        metric.update(*arguments)
    assert metric.pairs == 0


@pytest.mark.parametrize(
    ("references", "message"),
    [
        (REFERENCES[:3], "3 lists of references for 7 texts"),
        (REFERENCES[:, 0], r"references have shape \(7, 6\), they must be \(N, R, D\)"),
    ],
)
def test_references_that_do_not_fit_are_refused(references, message):
    with pytest.raises(ValueError, match=message):
        ClipScoreMetric().update(IMAGES, TEXTS, references=references)


def test_a_text_without_reference_is_refused():
    metric = ClipScoreMetric(FakeEncoder())
    with pytest.raises(ValueError, match="a text has no reference"):
        metric.update(PICTURES, ["red", "blue"], references=[[], ["blue"]])


def test_prefixed_texts_that_were_measured_elsewhere_are_refused_with_their_batch():
    prefixed = PREFIXED.copy()
    prefixed[2] = NAN
    metric = ClipScoreMetric()
    with pytest.raises(ValueError, match="measured at the same places"):
        metric.update(IMAGES, TEXTS, prefixed=prefixed)
    without = REFERENCES.copy()
    without[3] = NAN
    with pytest.raises(ValueError, match="1 of 7 items have no reference"):
        metric.update(IMAGES, TEXTS, references=without)
    assert metric.pairs == 0


def test_references_in_some_batches_only_are_refused():
    metric = ClipScoreMetric()
    metric.update(IMAGES, TEXTS)
    with pytest.raises(ValueError, match="these pairs give cosines, references; those before"):
        metric.update(IMAGES, TEXTS, references=REFERENCES)
    other = ClipScoreMetric()
    other.update(IMAGES, TEXTS, references=REFERENCES)
    with pytest.raises(ValueError, match="give the same for all, or reset first"):
        metric.merge(other)
    assert metric.pairs == 7


@pytest.mark.parametrize(
    "settings", [{"logit_scale": 10}, {"top_k": 3}, {"encoder": FakeEncoder()}]
)
def test_metrics_of_other_settings_are_not_merged(settings):
    with pytest.raises(ValueError, match="settings differ"):
        ClipScoreMetric().merge(ClipScoreMetric(**settings))


@pytest.mark.parametrize(
    ("settings", "message"), [({"top_k": 0}, "k is 0"), ({"logit_scale": -1}, "logit_scale is -1")]
)
def test_a_faulty_setting_is_told_before_the_first_batch(settings, message):
    with pytest.raises(ValueError, match=message):
        ClipScoreMetric(**settings)


def test_the_metric_imports_no_torch():
    program = (
        "import sys, watchword.evaluation.metrics.clipscore_metric as m;"
        "assert not {'torch', 'onnxruntime', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
