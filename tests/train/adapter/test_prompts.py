"""Prompts learned through a text tower: what they start as, that they learn, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from watchword.encoders.catalog import load_encoder  # noqa: E402
from watchword.errors import PromptError  # noqa: E402
from watchword.train.adapter.model import GenericRows, TemporalAdapter  # noqa: E402
from watchword.train.adapter.prompts import SoftPrompts  # noqa: E402

pytestmark = pytest.mark.torch

SENTENCES = ("the mat", "two people on a road")


@pytest.fixture
def encoder(tmp_path):
    from torch_models import make_torch_clip

    return load_encoder(make_torch_clip(tmp_path / "clip"))


def soft(encoder, context=2, sentences=SENTENCES):
    torch.manual_seed(0)
    return SoftPrompts(encoder.model, encoder.tokens, sentences, context=context)


def test_prompts_without_learned_vectors_are_the_encoder_s_sentences(encoder):
    found = soft(encoder, context=0)().detach().numpy()
    np.testing.assert_allclose(found, encoder.encode_texts(SENTENCES), atol=1e-6)


def test_slopes_reach_the_learned_vectors_and_nothing_of_the_tower(encoder):
    before = {name: one.clone() for name, one in encoder.model.state_dict().items()}
    prompts = soft(encoder)
    assert [name for name, _ in prompts.named_parameters()] == ["context"]
    assert list(prompts.state_dict()) == ["context"]
    steps = torch.optim.SGD(prompts.parameters(), lr=1)
    first = prompts()
    first[0, 0].backward()
    assert prompts.context.grad[0].abs().amax(-1).min() > 0
    assert prompts.context.grad[1].abs().max() == 0
    steps.step()
    assert not torch.equal(prompts()[0], first[0])
    assert all(one.grad is None for one in encoder.model.parameters())
    assert all(torch.equal(one, before[name]) for name, one in encoder.model.state_dict().items())


def test_fixed_prompts_answer_as_the_tower_did(encoder):
    model = TemporalAdapter(encoder.dim, 1, 2, 4, inner=8).eval()
    model.generic = soft(encoder)
    x, seen = torch.randn(2, 4, encoder.dim), torch.ones(2, 4, dtype=torch.bool)
    before = model(x, seen)[1]
    model.generic = model.generic.fixed()
    assert isinstance(model.generic, GenericRows)
    torch.testing.assert_close(model(x, seen)[1], before, atol=1e-5, rtol=1e-5)


def test_slopes_are_the_derivatives(encoder):
    encoder.model.double()
    prompts = soft(encoder, context=1).double()
    ask = lambda one: torch.func.functional_call(prompts, {"context": one}, ())  # noqa: E731
    assert torch.autograd.gradcheck(ask, prompts.context.detach().requires_grad_())


def test_sentences_that_do_not_fit_are_refused(encoder):
    room = encoder.count_tokens(SENTENCES[0])[1]
    with pytest.raises(PromptError, match="learn fewer"):
        soft(encoder, context=room - 3)
    with pytest.raises(ValueError, match="two are needed"):
        soft(encoder, sentences=("the mat",))


def test_a_tower_that_is_no_clip_is_refused(tmp_path):
    from torch_models import make_torch_siglip

    encoder = load_encoder(make_torch_siglip(tmp_path / "siglip"))
    with pytest.raises(ValueError, match=r"'siglip'.*GenericRows"):
        soft(encoder)


# --- Defects of the seed's own code (issue E) -----------------------------------------------------


def test_defect_1_a_prompt_is_read_at_its_own_end_mark(encoder):
    start, *_, end = encoder.tokens.ids(SENTENCES[1])
    prompts = soft(encoder)
    table = encoder.model.text_model.embeddings.token_embedding.weight
    for words in prompts._words:
        assert torch.equal(words[0], table[start])
        assert torch.equal(words[-1], table[end])
    # Reading at the end is reading all of it: another last word gives another prompt.
    other = soft(encoder, sentences=("the mat", "two people on a mat"))
    assert torch.equal(prompts()[0], other()[0])
    assert (prompts()[1] - other()[1]).abs().max() > 1e-4


def test_defect_3_there_is_one_prompt_for_each_class(encoder):
    assert soft(encoder)().shape == (2, encoder.dim)


def test_defect_9_the_tower_runs_as_often_for_many_windows_as_for_one(encoder):
    model = TemporalAdapter(encoder.dim, 1, 2, 4, inner=8)
    model.generic = soft(encoder)
    calls = []
    encoder.model.text_model.encoder.register_forward_hook(lambda *_: calls.append(1))
    for count in (1, 50):
        calls.clear()
        model(torch.ones(count, 4, encoder.dim), torch.ones(count, 4, dtype=torch.bool))
        assert len(calls) == 2
