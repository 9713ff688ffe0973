"""What a model directory lacks, one thing at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from tiny_vlm import tiny_vlm
from watchword.evidence.answers.doctor import Finding, check_directory, ready

pytestmark = pytest.mark.torch


def lacks(path: Path) -> list[tuple[str, str]]:
    return [(one.what, one.told) for one in check_directory(path) if one.level == "lack"]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    told = json.loads(path.read_text("utf-8"))
    change(told)
    path.write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture
def copy(smolvlm: Path, tmp_path: Path) -> Path:
    return shutil.copytree(smolvlm, tmp_path / "copy")


def test_a_whole_model_lacks_nothing_and_is_described(smolvlm: Path) -> None:
    found = check_directory(smolvlm)
    assert ready(found)
    assert {one.level for one in found} == {"fine"}
    told = {one.what: one.told for one in found}
    assert "SmolVLMForConditionalGeneration" in told["architecture"]
    assert told["weights"].startswith("0.1 million in 1 file(s), stored as F32")
    assert told["pictures"] == "32 x 32, 4 tokens each; 1024 tokens are read"


def test_shards_are_counted_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = tiny_vlm(tmp_path / "parts", shards=True)
    assert ready(check_directory(path))
    shards = sorted(path.glob("*.safetensors"))
    shards[1].unlink()
    ((what, told),) = lacks(path)
    assert what == "weights"
    assert f"1 of {len(shards)} weight files: {shards[1].name}" in told


def test_a_download_cut_short_is_told_by_its_size(copy: Path) -> None:
    file = copy / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-100])
    assert f"is {len(content) - 100:,} bytes and should be {len(content):,}" in lacks(copy)[0][1]
    for damage in (b"", content[:4], b"<html>not found</html>"):
        file.write_bytes(damage)
        assert "no safetensors file" in lacks(copy)[0][1]


def test_pickled_weights_are_not_read(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    assert "could run code" in lacks(copy)[0][1]


def test_a_model_without_its_eyes_is_told(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if "vision_model" not in name}
    save_file(kept, copy / "model.safetensors")
    assert lacks(copy) == [("parts", "no weights of model.vision_model.")]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("config.json", "config.json"),
        ("tokenizer.json", "tokenizer"),
        ("preprocessor_config.json", "pictures"),
    ],
)
def test_an_absent_or_damaged_file_is_named(copy: Path, name: str, what: str) -> None:
    (copy / name).write_text("{", encoding="utf-8")
    assert [one for one, _ in lacks(copy)] == [what]
    (copy / name).unlink()
    ((one, told),) = lacks(copy)
    assert one == what
    assert f"{name} is not there" in told


def test_a_damaged_side_file_is_told_and_not_raised(copy: Path) -> None:
    (copy / "processor_config.json").write_text("[]", encoding="utf-8")
    assert lacks(copy)[0][0] == "pictures"


def test_no_directory_is_a_finding_too(tmp_path: Path) -> None:
    ((what, told),) = lacks(tmp_path / "nothing")
    assert what == "directory"
    assert "is no directory" in told


def test_files_of_different_models_are_told_apart(copy: Path) -> None:
    edit(copy / "config.json", lambda told: told.update(image_token_id=5))
    assert lacks(copy)[0][0] == "marks"
    edit(copy / "config.json", lambda told: told["text_config"].update(vocab_size=100))
    assert ("tokenizer", "it knows 297 tokens, the model 100") in lacks(copy)
    edit(copy / "processor_config.json", lambda told: told.update(image_seq_len=64))
    assert any(what == "pictures" and "64 tokens" in told for what, told in lacks(copy))


def test_a_tokenizer_without_marks_is_told(copy: Path) -> None:
    edit(
        copy / "tokenizer.json",
        lambda told: told.update(
            added_tokens=[one for one in told["added_tokens"] if one["content"] != "<image>"]
        ),
    )
    assert ("marks", "the tokenizer has no <image>") in lacks(copy)


def test_answers_of_several_tokens_are_told(copy: Path) -> None:
    def split(told: dict[str, Any]) -> None:
        told["model"]["merges"] = []

    edit(copy / "tokenizer.json", split)
    assert [what for what, _ in lacks(copy)] == ["yes and no"]


def test_another_chat_model_needs_its_template(copy: Path) -> None:
    edit(copy / "config.json", lambda told: told.update(model_type="llava"))
    assert ready(check_directory(copy))
    assert Finding(
        "note", "pictures", "prepared by SmolVLMProcessor; some of these need torchvision"
    ) in check_directory(copy)
    (copy / "chat_template.json").unlink()
    assert [what for what, _ in lacks(copy)] == ["chat template"]


def test_code_in_a_directory_is_noted_and_never_run(copy: Path) -> None:
    edit(copy / "config.json", lambda told: told.update(auto_map={"AutoModel": "evil.Model"}))
    assert any(one.what == "own code" for one in check_directory(copy))


def test_a_language_model_cannot_look(copy: Path) -> None:
    edit(
        copy / "config.json",
        lambda told: (told.pop("vision_config"), told.update(model_type="llama")),
    )
    assert "cannot look" in lacks(copy)[0][1]
