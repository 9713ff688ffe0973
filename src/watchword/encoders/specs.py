"""The catalogue's data: which encoders there are, where their files come from, what they need.

Sizes and hashes are pins that several independent projects publish for the same revision; where no
pin could be found, bytes and sha256 are None and ``evidence`` says so. They are then recorded at
the first download and checked from there on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchword.encoders.base import ScoreScale
from watchword.encoders.images import Preprocessing
from watchword.encoders.tokenizers import TextRules


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file of a model: its path in the repository, and what is known of its content.

    Attributes:
        path: relative to the repository, and to the model's folder once fetched.
        bytes: size, None if not known.
        sha256: 64 hex digits, None if not known.
    """

    path: str
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What is known of an encoder before it is loaded.

    Attributes:
        name: as the user writes it.
        repo: owner/name on the hub; empty for what is built in.
        revision: commit on the hub.
        files: what is fetched.
        dim: D, width of the space; None is whatever the model's files give.
        precision: float32, float16 or int8, as stored.
        preprocessing: of pictures.
        text: of sentences.
        scale: where its cosines lie.
        batch: pictures a run that it works best at.
        reader_scales: whether a video reader may deliver pictures at the model's size with its own
            scaler, which is quicker and not quite the scaler of ``preprocessing``.
        licence: of the weights, with what it forbids.
        evidence: what could not be verified, and where the pins come from.
        notice: what a reader must know before trusting results.
    """

    name: str
    repo: str = ""
    revision: str = "main"
    files: tuple[FileSpec, ...] = ()
    dim: int | None = None
    precision: str = "float32"
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    text: TextRules = field(default_factory=TextRules)
    scale: ScoreScale = field(default_factory=ScoreScale)
    batch: int = 8
    reader_scales: bool = False
    licence: str = ""
    evidence: str = ""
    notice: str = ""


_CLIP_END_ID = 49407
_CLIP_TEXT = TextRules(context=77, pad_id=_CLIP_END_ID)
_HALF = (0.5, 0.5, 0.5)
_PINNED = "sizes and hashes are pins of other projects for this revision; the hub was not asked"
_UNPINNED = "no published hash was found: recorded at the first download, checked from then on"

_MINI = EncoderSpec(
    name="mini",
    dim=384,
    precision="int8",
    preprocessing=Preprocessing(
        image_size=224,
        resize="squash",
        interpolation="bilinear",
        mean=(0.49803922, 0.49803922, 0.49803922),
        std=(0.50196078, 0.50196078, 0.50196078),
    ),
    text=TextRules(context=128, pad_id=0),
    batch=8,
    reader_scales=True,
    # Measured (MODEL_CARD.md): cosines of pictures and their sentences spread over 0.0 to 0.6,
    # three times as wide as CLIP's.
    scale=ScoreScale(alpha=1.0, tau=0.05, temperature=0.05),
    licence="Apache-2.0",
    evidence="built by scripts/build_mini.py; its config.json names and hashes every source",
    notice=(
        "This is the small built-in model, not CLIP. It knows things and scenes (animals, "
        "vehicles, objects of 1000 classes), not actions: a crash, a fall or a fight it cannot "
        "tell. For those use a larger model such as clip-vit-b32."
    ),
)

_FAKE = EncoderSpec(
    name="fake",
    dim=64,
    preprocessing=Preprocessing(image_size=16, resize="squash", interpolation="bilinear"),
    licence="Apache-2.0",
    notice="fake knows eight colours and nothing else: it is for tests and documentation",
)

_B32_REVISION = "d15189d7028b43f1d3e65039190477f6af591c2a"
_B32_TOKENIZER = FileSpec(
    "tokenizer.json",
    2_224_119,
    "f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd",
)
_CLIP_LICENCE = "MIT (openai/CLIP; the export names none)"

_CLIP_B32 = EncoderSpec(
    name="clip-vit-b32",
    repo="Xenova/clip-vit-base-patch32",
    revision=_B32_REVISION,
    files=(
        FileSpec(
            "onnx/vision_model.onnx",
            351_685_709,
            "fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40",
        ),
        FileSpec(
            "onnx/text_model.onnx",
            254_058_553,
            "3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc",
        ),
        _B32_TOKENIZER,
    ),
    dim=512,
    text=_CLIP_TEXT,
    licence=_CLIP_LICENCE,
    evidence=_PINNED,
)

_CLIP_B32_INT8 = EncoderSpec(
    name="clip-vit-b32-int8",
    repo="Xenova/clip-vit-base-patch32",
    revision=_B32_REVISION,
    files=(
        FileSpec(
            "onnx/vision_model_quantized.onnx",
            89_117_001,
            "583fd1110a514667812fee7d684952aaf82a99b959760c8d7dca7e0ab9839299",
        ),
        FileSpec(
            "onnx/text_model_quantized.onnx",
            64_504_507,
            "73baab855d406190da9faa498cfedf65f15cf309f4cc7385b7b032e6d08e5c3a",
        ),
        _B32_TOKENIZER,
    ),
    dim=512,
    precision="int8",
    text=_CLIP_TEXT,
    batch=1,
    licence=_CLIP_LICENCE,
    evidence=_PINNED,
    notice="dynamic int8: vectors differ a little from clip-vit-b32; the two must not be mixed",
)

_CLIP_B16 = EncoderSpec(
    name="clip-vit-b16",
    repo="Xenova/clip-vit-base-patch16",
    files=(
        FileSpec("onnx/vision_model.onnx"),
        FileSpec("onnx/text_model.onnx"),
        FileSpec("tokenizer.json"),
    ),
    dim=512,
    text=_CLIP_TEXT,
    licence=_CLIP_LICENCE,
    evidence=_UNPINNED,
)

_CLIP_L14 = EncoderSpec(
    name="clip-vit-l14",
    repo="Xenova/clip-vit-large-patch14",
    revision="c307790166907339eed5a9a53a249af534102536",
    files=(
        FileSpec(
            "onnx/vision_model.onnx",
            1_216_438_437,
            "ff49f8aa57c7abfd26e382eb083e4dbf988505223a9bd3767dbfd4e729206709",
        ),
        FileSpec("onnx/text_model.onnx"),
        FileSpec("tokenizer.json"),
    ),
    dim=768,
    text=_CLIP_TEXT,
    batch=4,
    licence=_CLIP_LICENCE,
    evidence=f"vision: {_PINNED}; text and tokenizer: {_UNPINNED}",
)

_SIGLIP2 = EncoderSpec(
    name="siglip2-b16",
    repo="onnx-community/siglip2-base-patch16-224-ONNX",
    revision="ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
    files=(
        FileSpec(
            "onnx/vision_model.onnx",
            371_807_752,
            "c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad",
        ),
        FileSpec("onnx/text_model.onnx"),
        FileSpec(
            "tokenizer.json",
            34_363_039,
            "cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322",
        ),
    ),
    dim=768,
    preprocessing=Preprocessing(resize="squash", mean=_HALF, std=_HALF),
    text=TextRules(context=64, pad_id=0, pad_to_context=True, canonical=True),
    # One over its trained logit scale of 112.67.
    scale=ScoreScale(temperature=0.008876),
    licence="Apache-2.0 (google/siglip2; the export names none)",
    evidence=f"vision and tokenizer: {_PINNED}; text: {_UNPINNED}",
)

_MOBILECLIP2 = EncoderSpec(
    name="mobileclip2-s0",
    repo="felixhrdyn/mobileclip2-s0-onnx",
    files=(
        FileSpec("vision_model.onnx"),
        FileSpec("text_model.onnx"),
        FileSpec("tokenizer.json"),
    ),
    dim=512,
    # The repository's card says otherwise; with its numbers similarities fall to nearly nothing.
    preprocessing=Preprocessing(
        image_size=256, interpolation="bilinear", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    ),
    # Its text tower looks at the filling, so it must be what it was trained with.
    text=TextRules(context=77, pad_id=0, pad_to_context=True),
    licence="apple-amlr: research use only",
    evidence=f"tensor names are read from the files; {_UNPINNED}",
)

CATALOG: dict[str, EncoderSpec] = {
    spec.name: spec
    for spec in (
        _MINI,
        _CLIP_B32,
        _CLIP_B32_INT8,
        _CLIP_B16,
        _CLIP_L14,
        _SIGLIP2,
        _MOBILECLIP2,
        _FAKE,
    )
}
