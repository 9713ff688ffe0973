"""The same random CLIP in torchmetrics, in the formula of CLIPScore's authors, and in ours.

What differs, and is made equal here: torchmetrics 1.9 takes what transformers 4 returned (a tensor;
transformers 5 returns an object that holds it), and prepares pictures with transformers' Pillow
backend, which is ours to the digit. What differs and stays: captions beyond the context, see below.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchword.encoders.base import Encoder, encode_images
from watchword.encoders.catalog import load_encoder
from watchword.evaluation.metrics.clipscore import PREFIX, all_definitions, cosines
from watchword.evaluation.metrics.clipscore_metric import ClipScoreMetric

pytestmark = pytest.mark.torch

CAPTIONS = ["a cat", "two people on a road", "the mat", "a red car, at night", "that"]
REFERENCES = [["cat"], ["people", "a road"], ["a cat on the mat"], ["the car", "a"], ["this"]]
LONG = ["the cat " * 60, "a road " * 90]


def pictures(width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    contrast = np.linspace(20, 255, len(CAPTIONS))[:, None, None, None]
    return (rng.random((len(CAPTIONS), height, width, 3)) * contrast).astype(np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP whose weights are large enough that its cosines have both signs."""
    from safetensors.numpy import load_file, save_file

    from torch_models import make_torch_clip

    path = make_torch_clip(tmp_path_factory.mktemp("model") / "clip")
    weights = load_file(path / "model.safetensors")
    larger = {name: 10 * w if w.ndim > 1 else w for name, w in weights.items()}
    save_file(larger, path / "model.safetensors", metadata={"format": "pt"})
    return path


@pytest.fixture(scope="module")
def encoder(clip: Path) -> Encoder:
    return load_encoder(clip)


@pytest.fixture(scope="module")
def theirs(clip: Path):
    """torchmetrics' metric on the model, and the model itself."""
    import torch
    from torchmetrics.multimodal import CLIPScore
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPProcessor, CLIPTokenizer

    model = CLIPModel.from_pretrained(clip).eval()

    class AsTransformers4(torch.nn.Module):
        """Gives the projected vectors themselves."""

        config = model.config

        def get_image_features(self, pixels):
            return model.get_image_features(pixels).pooler_output

        def get_text_features(self, ids, mask):
            return model.get_text_features(ids, mask).pooler_output

    processor = CLIPProcessor(
        CLIPImageProcessorPil.from_pretrained(clip), CLIPTokenizer.from_pretrained(clip)
    )
    return CLIPScore(model_name_or_path=lambda: (AsTransformers4(), processor)), model


def their_score(theirs, images: np.ndarray, captions: list[str]) -> float:
    import torch

    metric, _ = theirs
    metric.reset()
    for batch in (slice(0, 2), slice(2, None)):
        metric.update(torch.tensor(images[batch].transpose(0, 3, 1, 2)), captions[batch])
    return float(metric.compute().detach())


@pytest.mark.parametrize("size", [(32, 32), (60, 40), (33, 97)])
def test_the_score_is_that_of_torchmetrics(encoder, theirs, size) -> None:
    images = pictures(*size)
    metric = ClipScoreMetric(encoder)
    metric.update(images, CAPTIONS)
    expected = their_score(theirs, images, CAPTIONS)
    assert metric.compute()["torchmetrics"] == pytest.approx(expected, abs=1e-4)


def test_negative_cosines_are_clamped_where_torchmetrics_clamps(encoder, theirs) -> None:
    images = pictures(32, 32)
    cos = cosines(encode_images(encoder, images), encoder.encode_texts(CAPTIONS))
    worst, best = cos.argmin(axis=1), cos.argmax(axis=1)
    for nearest, sign in (([0], -1), ([0, 1, 2], 1)):
        # Pictures with the caption that is farthest from them, some with the one that is nearest.
        chosen = worst.copy()
        chosen[nearest] = best[nearest]
        own = cos[np.arange(len(cos)), chosen]
        assert (own < 0).any()
        assert np.sign(own.mean()) == sign
        found = all_definitions(own)
        expected = their_score(theirs, images, [CAPTIONS[at] for at in chosen])
        assert found["torchmetrics"] == pytest.approx(expected, abs=1e-4)
        # As its documentation has it, pair by pair, the score would be another.
        assert 40 * found["hessel"] > expected + 1


def test_tensors_of_torch_can_be_given_to_our_metric(encoder, theirs) -> None:
    import torch

    images = torch.tensor(pictures(32, 32).transpose(0, 3, 1, 2))
    of_pictures, of_vectors = ClipScoreMetric(encoder), ClipScoreMetric()
    of_pictures.update(images, CAPTIONS)
    vectors = torch.tensor(encode_images(encoder, pictures(32, 32)), requires_grad=True)
    of_vectors.update(vectors, torch.tensor(encoder.encode_texts(CAPTIONS)))
    assert of_vectors.compute()["hessel"] == of_pictures.compute()["hessel"]
    rounded = ClipScoreMetric()
    rounded.update(vectors.bfloat16(), torch.tensor(encoder.encode_texts(CAPTIONS)).bfloat16())
    assert rounded.compute()["raw_cosine"] == pytest.approx(
        of_vectors.compute()["raw_cosine"], abs=5e-3
    )


def test_the_scores_are_those_of_the_authors_formula(encoder, theirs) -> None:
    import torch

    _, model = theirs
    images = pictures(60, 40)

    def texts(captions):
        rows = [
            model.get_text_features(torch.tensor([encoder._tokens.ids(PREFIX + caption)]))
            for caption in captions
        ]
        found = torch.cat([row.pooler_output for row in rows]).numpy()
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    with torch.inference_mode():
        seen = model.get_image_features(torch.tensor(encoder.prepare(images))).pooler_output.numpy()
        candidates = texts(CAPTIONS)
        references = [texts(own) for own in REFERENCES]
    seen = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    products = (seen * candidates).sum(axis=1)
    assert (products < 0).any()
    per_pair = 2.5 * np.clip(products, 0, None)
    nearest = [(row @ own.T).max() for row, own in zip(candidates, references, strict=True)]
    both = [2 * s * r / (s + r) for s, r in zip(per_pair, nearest, strict=True)]
    metric = ClipScoreMetric(encoder)
    metric.update(images, CAPTIONS, references=REFERENCES)
    found = metric.compute()
    assert found["hessel_prefixed"] == pytest.approx(per_pair.mean(), abs=1e-6)
    assert found["ref_clipscore_prefixed"] == pytest.approx(np.mean(both), abs=1e-6)


def test_long_captions_keep_their_end_token_and_torchmetrics_drops_it(encoder, theirs) -> None:
    import torch

    metric, model = theirs
    images = pictures(32, 32)[: len(LONG)]
    tensors = torch.tensor(images.transpose(0, 3, 1, 2))
    start, end = (encoder._tokens.ids("cat")[at] for at in (0, -1))
    whole = [encoder._tokens.ids(text, truncate=True) for text in LONG]
    assert all(len(ids) == 77 and ids[0] == start and ids[-1] == end for ids in whole)

    def vectors(rows):
        with torch.inference_mode():
            return model.get_text_features(torch.tensor(rows)).pooler_output.numpy()

    # Ours: the sentence up to its 76th token, then the end token, whose place is what is read.
    ours = ClipScoreMetric(encoder, truncate=True)
    ours.update(images, LONG)
    kept = np.diag(cosines(encode_images(encoder, images), vectors(whole)))
    assert ours.compute()["torchmetrics"] == pytest.approx(max(100 * kept.mean(), 0), abs=1e-4)

    # Theirs: the first 77 tokens without an end. No place is the end, so the first one is read,
    # which has seen no word: two captions that have nothing in common get the very same vector.
    headless = vectors([[*ids[:-1], ids[-2]] for ids in whole])
    assert np.abs(headless[0] - headless[1]).max() < 1e-6
    assert np.abs(vectors(whole)[0] - vectors(whole)[1]).max() > 1e-2
    metric.reset()
    with pytest.warns(UserWarning, match="Encountered caption longer than"):
        metric.update(tensors, LONG)
    dropped = np.diag(cosines(encode_images(encoder, images), headless))
    expected = max(100 * dropped.mean(), 0)
    assert float(metric.compute().detach()) == pytest.approx(expected, abs=1e-4)
    assert abs(kept.mean() - dropped.mean()) > 1e-3
