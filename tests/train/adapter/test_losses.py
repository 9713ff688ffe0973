"""The losses of an adapter: equal to their formulas, their slopes, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from reference import adapter as reference

torch = pytest.importorskip("torch")

from watchword.train.adapter import losses  # noqa: E402

pytestmark = pytest.mark.torch


def batch(seed=0, windows=5, steps=20, width=6):
    """Logits, adapted, x, seen, truth: a window with one picture, one with holes."""
    draw = np.random.default_rng(seed)
    seen = draw.random((windows, steps)) < 0.8
    seen[0] = False
    seen[0, 3] = True
    rows = draw.standard_normal((2, windows, steps, width))
    adapted, x = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    logits = draw.normal(0, 3, (windows, steps, 2))
    return logits, adapted, x, seen, (draw.random((windows, steps)) < 0.3)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(one)) for one in arrays]


@pytest.mark.parametrize("gamma", [0.0, 1.5, 2.0])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.6, 5.0)])
def test_frame_loss_is_its_formula(gamma, weights):
    logits, _, _, seen, truth = batch()
    found = losses.frame_loss(*tensors(logits, truth, seen), weights=weights, gamma=gamma)
    expected = reference.frame_loss(logits, truth, seen, weights, gamma)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_frame_loss_without_focus_is_weighted_cross_entropy():
    logits, _, _, seen, truth = tensors(*batch())
    found = losses.frame_loss(logits, truth, seen, weights=(0.6, 5.0), gamma=0)
    theirs = torch.nn.functional.cross_entropy(
        logits[seen], truth[seen].long(), weight=logits.new_tensor([0.6, 5.0])
    )
    assert float(found) == pytest.approx(float(theirs), rel=1e-12)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_video_loss_is_its_formula(weight):
    logits, _, _, seen, _ = batch()
    bags, truth = np.array([1, 0, 1, 2, 0]), np.array([True, False, True])
    found = losses.video_loss(*tensors(logits, seen, bags, truth), weight=weight)
    expected = reference.video_loss(logits, seen, bags, truth, weight)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_smoothness_sparsity_and_anchor_are_their_formulas():
    logits, adapted, x, seen, _ = batch()
    found = (
        losses.smoothness(*tensors(logits, seen)),
        losses.sparsity(*tensors(logits, seen)),
        losses.anchor(*tensors(adapted, x, seen)),
    )
    expected = (
        reference.smoothness(logits, seen),
        reference.sparsity(logits, seen),
        reference.anchor(adapted, x, seen),
    )
    assert [float(one) for one in found] == pytest.approx(expected, rel=1e-12)


def test_slopes_are_the_derivatives():
    logits, adapted, x, seen, truth = tensors(*batch(windows=3, steps=6))
    bags, held = torch.tensor([0, 1, 0]), torch.tensor([True, False])
    logits.requires_grad_()
    adapted.requires_grad_()
    check = torch.autograd.gradcheck
    assert check(lambda one: losses.frame_loss(one, truth, seen, weights=(0.6, 5.0)), logits)
    assert check(lambda one: losses.video_loss(one, seen, bags, held, weight=2.0), logits)
    assert check(lambda one: losses.smoothness(one, seen), logits)
    assert check(lambda one: losses.sparsity(one, seen), logits)
    assert check(lambda one: losses.anchor(one, x, seen), adapted)


def test_losses_are_finite_where_the_answer_is_sure_and_wrong():
    logits = torch.tensor([[[200.0, -200.0]] * 4], requires_grad=True)
    seen = torch.ones(1, 4, dtype=torch.bool)
    total = losses.frame_loss(logits, seen, seen) + losses.video_loss(
        logits, seen, torch.tensor([0]), torch.tensor([True])
    )
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(logits.grad).all()
    # The slope must be there, or the picture could never be learned.
    assert (logits.grad[..., 0] > 0).any()


def test_what_was_not_seen_has_no_say():
    logits, _, _, seen, truth = tensors(*batch())
    other = torch.where(seen[..., None], logits, 1e3)
    bags, held = torch.arange(5), torch.tensor([True, False, True, False, True])
    for loss in (
        lambda one: losses.frame_loss(one, truth, seen),
        lambda one: losses.video_loss(one, seen, bags, held),
        lambda one: losses.smoothness(one, seen),
        lambda one: losses.sparsity(one, seen),
    ):
        assert float(loss(logits)) == float(loss(other))


def test_class_weights_make_both_classes_count_the_same():
    normal, abnormal = losses.class_weights(970, 30)
    assert 970 * normal == pytest.approx(30 * abnormal)
    assert 970 * normal + 30 * abnormal == pytest.approx(1000)


@pytest.mark.parametrize("counts", [(0, 5), (5, 0)])
def test_an_empty_class_is_refused(counts):
    with pytest.raises(ValueError, match="both classes are needed"):
        losses.class_weights(*counts)


def test_a_batch_or_video_of_which_nothing_was_seen_is_refused():
    logits, adapted, x, _, truth = tensors(*batch())
    blind = torch.zeros(truth.shape, dtype=torch.bool)
    for loss in (
        lambda: losses.frame_loss(logits, truth, blind),
        lambda: losses.sparsity(logits, blind),
        lambda: losses.anchor(adapted, x, blind),
    ):
        with pytest.raises(ValueError, match="no picture of the batch"):
            loss()
    held = torch.tensor([True])
    with pytest.raises(ValueError, match="no picture of a video"):
        losses.video_loss(logits, blind, torch.zeros(5, dtype=torch.int64), held)
    assert float(losses.smoothness(logits, blind)) == 0


# --- Defects of the seed's own code (issue E) -----------------------------------------------------


def test_defect_3_column_0_is_normal_and_column_1_abnormal_in_every_loss():
    seen = torch.ones(1, 4, dtype=torch.bool)
    abnormal = torch.tensor([[[-2.0, 2.0]] * 4])
    normal = -abnormal
    bags, held = torch.tensor([0]), torch.tensor([True])
    assert losses.frame_loss(abnormal, seen, seen) < losses.frame_loss(normal, seen, seen)
    assert losses.video_loss(abnormal, seen, bags, held) < losses.video_loss(
        normal, seen, bags, held
    )
    assert losses.sparsity(normal, seen) < 0.1 < 0.9 < losses.sparsity(abnormal, seen)
    with pytest.raises(IndexError):
        losses.log_odds(torch.zeros(1, 4, 1))


def test_defect_7_each_picture_is_judged_by_its_own_label_not_by_the_window_s():
    logits = torch.zeros(1, 4, 2, requires_grad=True)
    seen = torch.ones(1, 4, dtype=torch.bool)
    truth = torch.tensor([[False, True, False, False]])
    losses.frame_loss(logits, truth, seen).backward()
    assert (logits.grad[0, :, 1] < 0).tolist() == truth[0].tolist()


def test_defect_10_more_of_the_normal_makes_a_picture_less_abnormal():
    logits = torch.tensor([[[0.0, 1.0], [2.0, 1.0]]])
    first, second = losses.log_odds(logits)[0]
    assert second < 0 < first
