"""The lint finds what weakens a bank, and nothing in the banks that ship."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.encoders.catalog import load_encoder
from watchword.evidence.lint import lint_bank
from watchword.evidence.prompts import list_banks, load_bank
from watchword.types import Prompt, PromptBank


def bank_of(*prompts, templates=("{}",), usual="a road"):
    normal = (Prompt(usual, "", "normal"),) if usual else ()
    return PromptBank((*(Prompt(*p) for p in prompts), *normal), templates)


def told(findings):
    return [(f.severity, f.label, f.text) for f in findings]


@pytest.mark.parametrize("name", list_banks())
def test_starter_banks_have_nothing_to_mend(name):
    def words(text):
        return len(text.split()) + 2, 16  # far below the 77 tokens of CLIP

    assert lint_bank(load_bank(name), count_tokens=words) == ()


def test_starter_banks_have_nothing_to_mend_with_the_built_in_model():
    encoder = load_encoder("mini")
    for name in list_banks():
        bank = load_bank(name)
        assert (
            lint_bank(bank, count_tokens=encoder.count_tokens, vectors=encoder.encode_texts) == ()
        )


def test_a_label_without_a_normal_side_is_an_error():
    bank = PromptBank(
        (Prompt("a deer", "deer"), Prompt("fog", "fog"), Prompt("haze", "fog", "normal"))
    )
    (finding,) = lint_bank(bank)
    assert told([finding]) == [("error", "deer", "")]
    assert "under 'normal:'" in finding.message


def test_a_repeat_is_found_through_case_and_spaces():
    findings = lint_bank(bank_of(("a deer", "deer"), ("A  Deer", "deer")))
    assert told(findings) == [("warning", "deer", "A  Deer")]
    assert "counts twice" in findings[0].message


def test_a_sentence_of_two_labels_is_found():
    (finding,) = lint_bank(bank_of(("a deer", "deer"), ("a deer", "animal")))
    assert "cannot be told apart" in finding.message
    assert finding.label == "animal"


def test_a_sentence_on_both_sides_is_an_error_and_comes_first():
    findings = lint_bank(bank_of(("no deer", "deer"), ("a road", "deer")))
    assert told(findings) == [("error", "", "a road"), ("warning", "deer", "no deer")]
    assert "cancel" in findings[0].message


@pytest.mark.parametrize("text", ["a road without cars", "NOT a deer", "a car that isn't moving"])
def test_a_negation_is_found(text):
    assert told(lint_bank(bank_of((text, "x")))) == [("warning", "x", text)]


def test_words_that_only_contain_a_negation_are_left_alone():
    assert lint_bank(bank_of(("a snowy notice on a knot", "x"))) == ()


def test_a_sentence_is_too_long_by_its_longest_template():
    bank = bank_of(("a b c", "x"), templates=("{}", "a photo of {}"))
    findings = lint_bank(bank, count_tokens=lambda text: (len(text.split()), 5))
    assert told(findings) == [("error", "x", "a b c")]
    assert "6 tokens long, the model takes 5" in findings[0].message


def test_sentences_that_mean_the_same_to_the_model_are_found_once():
    close = np.array([1, 0.1]) / np.hypot(1, 0.1)
    rows = {"a deer": [1, 0], "a stag": close, "a road": [0, 1], "smoke": [0, 1]}
    bank = bank_of(("a deer", "deer"), ("a stag", "deer"), ("smoke", "smoke"))

    def vectors(texts):
        return np.array([rows[text] for text in texts], np.float32)

    findings = lint_bank(bank, vectors=vectors)
    assert told(findings) == [("error", "", "a road"), ("warning", "deer", "a stag")]
    assert "(cosine 0.995)" in findings[1].message
    assert len(lint_bank(bank, vectors=vectors, same_cosine=0.999)) == 1
