"""Banks come from files, names and sentences; what is wrong with one is told with its line."""

from __future__ import annotations

import pytest

from watchword.errors import OutputError, PromptError
from watchword.evidence.prompts import (
    GENERAL_NORMAL,
    bank_from_prompts,
    fingerprint,
    list_banks,
    load_bank,
    write_bank,
)
from watchword.types import Prompt, PromptBank

GOOD = """\
name: driving
templates: ["{}", "a photo of {}"]
labels:
  animal:
    event: ["a deer on the road", {text: a moose, weight: 2}]
    normal: [a dog on a leash]
  debris: [a tyre on the road]
  no: smoke
normal: [an empty road]
"""


@pytest.fixture
def bank_file(tmp_path):
    def write(text):
        path = tmp_path / "bank.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_file_becomes_the_bank_it_describes(bank_file):
    assert load_bank(bank_file(GOOD)) == PromptBank(
        (
            Prompt("a deer on the road", "animal"),
            Prompt("a moose", "animal", weight=2),
            Prompt("a dog on a leash", "animal", "normal"),
            Prompt("a tyre on the road", "debris"),
            Prompt("smoke", "no"),
            Prompt("an empty road", "", "normal"),
        ),
        templates=("{}", "a photo of {}"),
        name="driving",
    )


def test_a_bank_without_a_name_is_called_after_its_file(bank_file):
    assert load_bank(bank_file("labels: {a: [b]}")).name == "bank"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("lables: {a: [b]}", 1, "no key 'lables'; did you mean 'labels'\\? allowed are name"),
        ("name: x\nlabels:\n  a:\n    events: [b]", 4, "no key 'events'; did you mean 'event'"),
        ("labels:\n  a:\n    - {text: b, wieght: 2}", 3, "did you mean 'weight'"),
        ("labels:\n  a:\n    - {weight: 2}", 3, "looks like {text"),
        ("labels:\n  a:\n    - {text: b, weight: -1}", 3, "weight is '-1'; it must be a positive"),
        ("labels:\n  a:\n    - {text: b, weight: [1]}", 3, "weight is a list"),
        ("labels:\n  a: [b, '']", 2, "a sentence is empty"),
        ("labels:\n  a:\n    - b\n    -\n", 4, "a sentence is empty"),
        ("labels:\n  a:\n    - b\n    - yes\n", 4, "put it in quotes"),
        ("labels:\n  a: [b, [c]]", 2, "must be text, got a list"),
        ("labels:\n  a: [b]\n  c: []", 3, "label 'c' has no event sentence"),
        ("labels:\n  a:\n    normal: [b]", 3, "label 'a' has no event sentence"),
        ("labels:\n  a:\n    - b\n    - b", 4, "'b' stands twice"),
        ("labels:\n  a: [b]\n  a: [c]", 3, "'a' stands twice in labels"),
        ("labels: {}", 1, "name at least one label"),
        ("labels: [a]", 1, "labels must hold labels as keys, got a list"),
        ("labels:\n  [a]: [b]", 2, "a key that is not a word"),
        ("- a", 1, "a bank must hold the keys name, templates, labels, normal"),
        ("labels: {a: [b]}\ntemplates: []", 2, "templates must be a list such as"),
        ("labels: {a: [b]}\ntemplates: ['a photo']", 2, "must hold {} exactly once"),
        ("labels:\n  a: [b\n", 3, "is not YAML: expected"),
        ("name: x", None, "holds no labels"),
        ("", None, "is empty; a bank holds name"),
        ("labels: \x07", None, "is not YAML"),
        ("[" * 3000, None, "is not YAML"),
        (b"labels: {a: [\xff]}", None, "is not UTF-8"),
    ],
)
def test_an_unusable_file_is_refused_with_its_line_and_what_is_allowed(
    bank_file, text, line, message
):
    path = bank_file(text)
    with pytest.raises(PromptError, match=message) as caught:
        load_bank(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_a_bank_that_is_not_there_is_refused_with_the_ones_that_are(tmp_path):
    with pytest.raises(PromptError, match=r"no such bank; .* driving, falls, fire"):
        load_bank("drivng")
    with pytest.raises(PromptError, match="cannot be read"):
        load_bank(tmp_path)


def test_a_sentence_is_its_own_label_and_can_name_another():
    bank = bank_from_prompts(
        ["animal = a deer", "smoke", "animal=a moose"], normal=["a road", "a sky"]
    )
    assert bank.labels == ("animal", "smoke")
    assert [p.text for p in bank.of("animal", "event")] == ["a deer", "a moose"]
    assert [p.text for p in bank.of("smoke", "normal")] == ["a road", "a sky"]


def test_without_normal_sentences_general_ones_stand_in_unless_watched_for():
    bank = bank_from_prompts(["smoke", "A road"])
    usual = [p.text for p in bank.prompts if p.role == "normal"]
    assert usual == [text for text in GENERAL_NORMAL if text != "a road"]


@pytest.mark.parametrize(
    ("texts", "normal", "message"),
    [
        ([], [], "nothing to watch for"),
        ([" "], [], "prompt ' ' is empty"),
        (["deer="], [], "prompt 'deer=' is empty"),
        (["=deer"], [], "prompt '=deer' is empty"),
        (["a", "a"], [], "'a' stands twice"),
        (["a"], [" "], "must not be empty"),
    ],
)
def test_sentences_that_make_no_bank_are_refused(texts, normal, message):
    with pytest.raises(PromptError, match=message):
        bank_from_prompts(texts, normal=normal)


def test_one_string_is_not_taken_for_a_list_of_letters():
    with pytest.raises(TypeError, match="sequences of sentences"):
        bank_from_prompts("smoke")


def test_a_written_bank_reads_back_the_same(bank_file, tmp_path):
    bank = load_bank(bank_file(GOOD))
    path = write_bank(bank, tmp_path / "copy.yaml")
    assert load_bank(path) == bank
    for name in list_banks():
        assert load_bank(write_bank(load_bank(name), path, overwrite=True)) == load_bank(name)


def test_a_file_that_is_there_is_not_overwritten_unasked(bank_file):
    path = bank_file("mine")
    with pytest.raises(OutputError, match="is there already"):
        write_bank(load_bank("fire"), path)
    assert path.read_text() == "mine"
    with pytest.raises(OutputError, match="cannot be written"):
        write_bank(load_bank("fire"), path / "below.yaml")


def test_a_fingerprint_follows_what_a_bank_says_and_not_its_name(bank_file):
    bank = load_bank(bank_file(GOOD))
    renamed = PromptBank(bank.prompts, bank.templates, "other")
    other_template = PromptBank(bank.prompts, ("{}",), bank.name)
    heavier = load_bank(bank_file(GOOD.replace("weight: 2", "weight: 3")))
    assert fingerprint(renamed) == fingerprint(bank)
    assert len({fingerprint(b) for b in (bank, other_template, heavier)}) == 3


UCF_CRIME = {
    *("abuse", "arrest", "arson", "assault", "burglary", "explosion", "fighting"),
    *("road accident", "robbery", "shooting", "shoplifting", "stealing", "vandalism"),
}


def test_the_surveillance_bank_holds_the_classes_of_ucf_crime_and_xd_violence():
    assert set(load_bank("surveillance").labels) == UCF_CRIME | {"riot"}


def test_starter_banks_have_several_sentences_a_label_and_a_normal_side():
    assert list_banks() == ("driving", "falls", "fire", "surveillance", "wildlife")
    for name in list_banks():
        bank = load_bank(name)
        assert bank.name == name
        assert all(3 <= len(bank.of(label, "event")) <= 6 for label in bank.labels)
        assert all(len(bank.of(label, "normal")) >= 5 for label in bank.labels)
