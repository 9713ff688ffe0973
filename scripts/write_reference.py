"""Stores the vectors that the built-in model gives for known inputs, for ``watchword doctor``.

Run once after scripts/build_mini.py has made another model; the file is committed with it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from watchword.encoders.catalog import load_encoder
from watchword.encoders.reference import reference_inputs

PATH = Path(__file__).resolve().parent.parent / "src/watchword/encoders/mini/reference.json"


def main() -> None:
    encoder = load_encoder("mini")
    pictures, texts = reference_inputs()
    vectors = np.concatenate(
        [encoder.embed_images(encoder.prepare(pictures)), encoder.encode_texts(texts)]
    )
    rows = [[round(float(value), 5) for value in row] for row in vectors]
    PATH.write_text(json.dumps({"encoder": encoder.fingerprint, "vectors": rows}) + "\n")
    print(f"wrote {PATH.name} for {encoder.fingerprint}")


if __name__ == "__main__":
    main()
