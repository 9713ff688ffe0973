"""Abnormal stretches made in normal windows."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import normalize  # noqa: E402

from watchword.train.adapter.losses import frame_loss, log_odds  # noqa: E402
from watchword.train.adapter.made import make_abnormal  # noqa: E402
from watchword.train.adapter.model import TemporalAdapter  # noqa: E402

pytestmark = pytest.mark.torch


def normal(windows=200, steps=10, width=16, seed=0):
    """Pictures in a narrow cone, each window near a place of its own."""
    draw = torch.Generator().manual_seed(seed)
    middle = torch.ones(width)
    place = 0.3 * torch.randn(windows, 1, width, generator=draw)
    own = 0.05 * torch.randn(windows, steps, width, generator=draw)
    x = normalize(middle + place + own, dim=-1)
    spread = (x - x.mean((0, 1))).square().mean().sqrt()
    return x, torch.ones(windows, steps, dtype=torch.bool), spread


def test_what_is_moved_is_marked_and_all_else_is_left_alone():
    x, seen, spread = normal()
    seen[:, 4] = False
    made, truth = make_abnormal(x, seen, spread, generator=torch.Generator().manual_seed(1))
    assert torch.equal(made[~truth], x[~truth])
    assert (made[truth] - x[truth]).norm(dim=-1).min() > 0.2 * spread * 16**0.5
    torch.testing.assert_close(made.norm(dim=-1), torch.ones(seen.shape))
    assert not (truth & ~seen).any()


def test_about_half_of_the_windows_get_one_stretch_of_any_length():
    x, seen, spread = normal(2000)
    _, truth = make_abnormal(x, seen, spread, generator=torch.Generator().manual_seed(1))
    assert 0.45 < truth.any(1).float().mean() < 0.55
    begins = truth[:, 0].int() + (truth[:, 1:] & ~truth[:, :-1]).sum(1)
    assert begins.max() == 1
    assert set(truth.sum(1).tolist()) == set(range(11))


def test_the_same_seed_makes_the_same():
    x, seen, spread = normal(20)
    one, other, third = (
        make_abnormal(x, seen, spread, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one[0], other[0])
    assert not torch.equal(one[0], third[0])


def test_pictures_all_alike_are_moved_as_well():
    x = torch.zeros(50, 4, 8)
    x[..., 0] = 1
    seen = torch.ones(50, 4, dtype=torch.bool)
    made, truth = make_abnormal(x, seen, torch.tensor(0.1))
    assert torch.isfinite(made).all()
    assert (made[truth] != x[truth]).any(-1).all()


def test_a_batch_of_which_nothing_was_seen_is_refused():
    x, seen, spread = normal(2)
    with pytest.raises(ValueError, match="no picture of the batch"):
        make_abnormal(x, ~seen, spread)


def test_normal_footage_alone_teaches_to_find_what_lies_elsewhere():
    torch.manual_seed(0)
    x, seen, _ = normal()
    model = TemporalAdapter(16, 1, 2, 10, inner=32, dropout=0)
    model.settle(x.flatten(0, 1))
    steps = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        made, truth = make_abnormal(x, seen, model.spread)
        steps.zero_grad()
        frame_loss(model(made, seen)[1], truth, seen).backward()
        steps.step()
    other, _, _ = normal(100, seed=5)
    # One that training never made: half of a window turned the other way, number by number.
    strange = other.clone()
    strange[:, 5:] = normalize(other[:, 5:] * torch.linspace(0.2, 1.8, 16), dim=-1)
    model.eval()
    with torch.no_grad():
        odds = log_odds(model(strange, seen[:100])[1])
    better = (odds[:, 5:].flatten()[:, None] > odds[:, :5].flatten()).float().mean()
    assert better > 0.9
