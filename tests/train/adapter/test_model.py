"""The network of an adapter: what it leaves alone, what may look at what, and its prompts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import normalize  # noqa: E402

from watchword.train.adapter.losses import video_loss  # noqa: E402
from watchword.train.adapter.model import GenericRows, TemporalAdapter  # noqa: E402

pytestmark = pytest.mark.torch

WIDTH, STEPS = 24, 8


def make(*, causal=False, trained=True, dropout=0.0, seed=0, **more):
    """A small adapter; its weights are moved away from zero where it shall count as trained."""
    torch.manual_seed(seed)
    model = TemporalAdapter(WIDTH, 2, 2, STEPS, causal=causal, dropout=dropout, inner=16, **more)
    if trained:
        with torch.no_grad():
            for one in (model.leave.weight, *(block.distance for block in model.blocks)):
                one.normal_(0, 0.5)
    return model.eval()


def windows(count=3, steps=STEPS, seed=1):
    torch.manual_seed(seed)
    x = normalize(torch.randn(count, steps, WIDTH), dim=-1)
    return x, torch.ones(count, steps, dtype=torch.bool)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("steps", [1, 3, STEPS])
def test_untrained_it_gives_back_what_it_got(causal, steps):
    x, seen = windows(steps=steps)
    model = make(causal=causal, trained=False)
    model.settle(x.flatten(0, 1))
    adapted, logits = model(x, seen)
    torch.testing.assert_close(adapted, x, atol=1e-6, rtol=0)
    torch.testing.assert_close(logits, x @ model.generic().T / 0.07)


def test_adapted_rows_have_unit_length():
    adapted, _ = make()(*windows())
    torch.testing.assert_close(adapted.norm(dim=-1), torch.ones(3, STEPS))


def test_each_picture_looks_at_the_others():
    x, seen = windows()
    changed = x.clone()
    changed[:, 5] = x[:, 0]
    before, after = make()(x, seen)[0], make()(changed, seen)[0]
    assert ((before - after).abs().amax(dim=-1) > 1e-5).all()


def test_a_causal_one_looks_back_only():
    x, seen = windows()
    changed = x.clone()
    changed[:, 5:] = -x[:, 5:]
    model = make(causal=True)
    torch.testing.assert_close(model(x, seen)[0][:, :5], model(changed, seen)[0][:, :5])
    cut = model(x[:, :5], seen[:, :5])
    torch.testing.assert_close(cut[1], model(x, seen)[1][:, :5])


@pytest.mark.parametrize("causal", [False, True])
def test_holes_tell_nothing_and_are_zeros(causal):
    x, seen = windows()
    seen[0, [2, 5]] = False
    seen[1] = False
    model = make(causal=causal)
    filled = torch.where(seen[..., None], x, torch.nan)
    adapted, logits = model(filled, seen)
    other = model(torch.where(seen[..., None], x, 7.0), seen)
    assert torch.equal(adapted, other[0])
    assert torch.equal(logits, other[1])
    assert (adapted[~seen] == 0).all()
    assert (logits[~seen] == 0).all()
    assert torch.isfinite(adapted).all()


def test_nan_in_a_hole_leaves_the_slopes_finite():
    x, seen = windows()
    seen[0, 3], x[0, 3] = False, torch.nan
    model = make()
    adapted, logits = model(x, seen)
    (adapted.sum() + logits.sum()).backward()
    assert all(torch.isfinite(one.grad).all() for one in model.parameters())


def test_filling_at_the_end_of_a_window_changes_nothing():
    x, seen = windows(steps=5)
    model = make()
    rest = torch.zeros(3, 3, WIDTH)
    longer = model(torch.cat([x, rest], 1), torch.cat([seen, torch.zeros(3, 3) > 0], 1))
    torch.testing.assert_close(longer[0][:, :5], model(x, seen)[0], atol=1e-6, rtol=1e-5)


def test_the_order_of_pictures_matters_and_their_place_in_the_window_does_not():
    x, seen = windows()
    model = make()
    backwards = model(x.flip(1), seen)[0].flip(1)
    assert (backwards - model(x, seen)[0]).abs().max() > 1e-3
    alone = torch.zeros(3, STEPS, dtype=torch.bool)
    moved = alone.clone()
    alone[:, :4], moved[:, 4:] = True, True
    shifted = x.roll(4, 1)
    torch.testing.assert_close(model(x, alone)[0][:, :4], model(shifted, moved)[0][:, 4:])


def test_slopes_of_the_whole_network_are_the_derivatives():
    model = make(seed=3).double()
    x, seen = windows(count=2, steps=3)
    x = x.double().requires_grad_()
    seen[1, 2] = False
    assert torch.autograd.gradcheck(lambda one: model(one, seen), x)
    names, values = zip(*model.named_parameters(), strict=True)
    chosen = [names.index(name) for name in ("generic.rows", "blocks.0.distance", "leave.bias")]

    def through(*given):
        told = {names[at]: one for at, one in zip(chosen, given, strict=True)}
        return torch.func.functional_call(model, told, (x.detach(), seen))

    assert torch.autograd.gradcheck(through, [values[at] for at in chosen])


def test_it_settles_on_middle_and_spread_of_what_was_measured():
    x = windows()[0].flatten(0, 1)
    model = make(trained=False)
    model.settle(torch.cat([x * 3, torch.full((2, WIDTH), torch.nan)]))
    torch.testing.assert_close(model.centre, x.mean(0))
    torch.testing.assert_close(model.spread, (x - x.mean(0)).square().mean().sqrt())
    model.settle(x[:1])
    assert model.spread > 0.1
    with pytest.raises(ValueError, match="measured"):
        model.settle(x * torch.nan)


def test_prompts_start_as_the_sentences_that_were_given():
    start = np.eye(2, WIDTH, dtype=np.float32) * 5
    model = make(trained=False)
    model.generic = GenericRows(WIDTH, start)
    torch.testing.assert_close(model.generic(), torch.from_numpy(start / 5))
    with pytest.raises(ValueError, match="normal, then abnormal"):
        GenericRows(WIDTH, start[:, :5])


def test_weights_alone_tell_the_answer():
    one, other = make(seed=1), make(seed=2)
    one.settle(windows()[0].flatten(0, 1))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(*windows())[1], other(*windows())[1])


def test_the_same_seed_draws_the_same_weights():
    one, other = make(seed=5).state_dict(), make(seed=5).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"width": 0}, "width"),
        ({"layers": 0}, "layers"),
        ({"heads": 3}, "divide"),
        ({"clip_length": 0}, "clip_length"),
        ({"temperature": 0}, "temperature"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_what_no_network_can_be_made_of_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        TemporalAdapter(**{"width": 8, "layers": 1, "heads": 2, "inner": 16, **wrong})


def test_windows_of_another_width_or_too_long_are_refused():
    model = make()
    for shape in ((1, 4, WIDTH + 1), (1, STEPS + 1, WIDTH)):
        with pytest.raises(ValueError, match=f"width {WIDTH} .* at most {STEPS}"):
            model(torch.ones(shape), torch.ones(shape[:2], dtype=torch.bool))


# --- Defects of the seed's own code (issue E) -----------------------------------------------------


def test_defect_2_learned_prompts_decide_the_answer():
    model = make()
    before = model(*windows())[1]
    with torch.no_grad():
        model.generic.rows.copy_(model.generic.rows.flip(0))
    torch.testing.assert_close(model(*windows())[1], before.flip(-1))


def test_defect_3_there_are_two_prompts_normal_first_and_a_column_for_each():
    model = make(trained=False)
    model.generic = GenericRows(WIDTH, np.eye(2, WIDTH, dtype=np.float32))
    x = torch.eye(2, WIDTH)[None]
    _, logits = model(x, torch.ones(1, 2, dtype=torch.bool))
    assert logits.shape == (1, 2, 2)
    assert logits.argmax(-1).tolist() == [[0, 1]]


def test_defect_4_labels_of_videos_teach_the_temporal_part():
    model = make().train()
    _, logits = model(*windows())
    loss = video_loss(logits, windows()[1], torch.arange(3), torch.tensor([True, False, True]))
    loss.backward()
    for name, one in model.named_parameters():
        assert one.grad is not None, name
        # Of key and bias a part is without effect on a softmax, but not all.
        assert one.grad.abs().max() > 0, name


def test_defect_5_windows_and_time_are_not_mixed():
    x, seen = windows()
    seen[1, 4] = False
    model = make()
    together = model(x, seen)
    for at in range(len(x)):
        apart = model(x[at : at + 1], seen[at : at + 1])
        for one, other in zip(together, apart, strict=True):
            torch.testing.assert_close(one[at : at + 1], other, atol=1e-6, rtol=1e-5)
    turned = model(x.flip(0), seen.flip(0))
    torch.testing.assert_close(turned[0].flip(0), together[0], atol=1e-6, rtol=1e-5)


def test_defect_6_training_and_use_norm_embeddings_alike():
    x, seen = windows()
    model = make(dropout=0.0)
    used, learned = model(x, seen), model.train()(x, seen)
    assert torch.equal(used[1], learned[1])
    torch.testing.assert_close(model(x * 9, seen)[1], used[1], atol=1e-4, rtol=1e-4)


def test_defect_10_likeness_to_the_normal_prompt_lowers_the_abnormal():
    model = make(trained=False)
    model.generic = GenericRows(WIDTH, np.eye(2, WIDTH, dtype=np.float32))
    x = torch.zeros(1, 2, WIDTH)
    # Both are as near to the abnormal prompt; the second is near to the normal one as well.
    x[0, :, 1], x[0, 0, 2], x[0, 1, 0] = 0.5, 0.75**0.5, 0.75**0.5
    logits = model(x, torch.ones(1, 2, dtype=torch.bool))[1].detach()
    first, second = torch.softmax(logits[0], -1)[:, 1]
    assert logits[0, 0, 1] == pytest.approx(float(logits[0, 1, 1]))
    assert second < 0.01 < 0.99 < first
