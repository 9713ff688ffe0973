import numpy as np
import pytest

from normal_footage import GRID, SEEN, SETTING, learned, street, with_event
from watchword.errors import NormalityError
from watchword.evidence.normality import sample
from watchword.evidence.normality.learn import MemoryBuilder
from watchword.evidence.normality.memory import PartOptions
from watchword.evidence.normality.meter import NormalMeter
from watchword.evidence.normality.own import SeenCells, completed, learn_self
from watchword.evidence.normality.stretches import MOST_STRETCHES, PartStretches
from watchword.evidence.normality.worth import tail_values


@pytest.mark.parametrize("step", [1, 37, 1000])
def test_cut_up_in_any_way_footage_teaches_the_same(step):
    cells, pts_s, duration_s = street(40)
    builder = MemoryBuilder(SETTING, SEEN)
    builder.begin("day0.mp4", "print0")
    for at in range(0, len(cells), step):
        part = slice(at, at + step)
        builder.update({"seen": cells[part]}, pts_s[part], duration_s[part])
    assert builder.finish().fingerprint == learned([(cells, pts_s, duration_s)]).fingerprint


def test_a_memory_says_what_it_was_learned_from():
    memory = learned([street(20), street(30, seed=1)])
    assert memory.as_fitted()["videos"] == ["day0.mp4", "day1.mp4"]
    assert memory.as_fitted()["fingerprints"] == ["print0", "print1"]
    assert memory.seconds == pytest.approx(49.8)
    assert memory.skipped == 2
    assert memory.rate == pytest.approx(10)
    assert "in 50 s of 2 videos at 10 pictures a second" in str(memory)


def test_a_memory_is_bounded_however_long_the_footage():
    short, long = learned([street(20)]), learned([street(300)])
    assert short.parts["seen"].entries.shape == long.parts["seen"].entries.shape


def test_the_last_of_the_footage_is_remembered_like_the_first():
    odd = [street(20, seed=seed) for seed in range(12)]
    for at in (0, 6, 11):
        cells = odd[at][0]
        cells[:, 0, at // 2] += 5  # each has something of its own
    memory = learned(odd)
    far = NormalMeter(memory)
    values = [far.update({"seen": odd[at][0]}, *odd[at][1:]).values[1:].max() for at in (0, 6, 11)]
    assert max(values) < 2 * min(values)


def test_places_keep_what_was_seen_once():
    options = PartOptions(keep=4)
    part = PartStretches(options)
    rng = np.random.default_rng(0)
    cells = rng.normal(0, 0.01, (64, 1, 1, 2)).astype(np.float32)
    cells[40] = 3
    part.add(0, cells)
    for _ in range(5):
        part.add(0, rng.normal(0, 0.01, (64, 1, 1, 2)).astype(np.float32))
    assert (np.abs(part.stretches[0, 0, 0] - 3) < 1e-5).all(axis=1).any()


def test_stretches_grow_with_the_footage():
    builder = MemoryBuilder(SETTING, SEEN, keep_stretches=True)
    builder.begin("long.mp4")
    cells, pts_s, duration_s = street(100)
    builder.update({"seen": cells}, pts_s, duration_s)
    memory = builder.finish()
    assert memory.stretch_s == 8
    stretches = memory.parts["seen"].stretches
    assert len(stretches) == 13 <= MOST_STRETCHES


def test_only_a_sample_of_long_footage_is_kept_to_measure(monkeypatch):
    whole = learned([street(120)])
    monkeypatch.setattr(sample, "MOST_BYTES", 200 * 6 * 8 * 3 * 4)
    thinned = learned([street(120)])
    cells = 200 * GRID[0] * GRID[1]
    assert thinned.parts["seen"].cell_tail.count <= cells < whole.parts["seen"].cell_tail.count
    middles = [np.median(tail_values(m.parts["seen"].tail)) for m in (whole, thinned)]
    assert middles[0] == pytest.approx(middles[1], rel=0.1)


def test_a_memory_is_extended_with_what_it_did_not_know():
    first = learned([street(30, seed=1), street(30, seed=2)])
    cells, pts_s, duration_s = street(30, seed=3)
    other = with_event(cells, 0, 300)
    both = learned([(other, pts_s, duration_s)], extend=first)
    assert [one.video for one in both.footage] == ["day0.mp4", "day1.mp4", "day0.mp4"]
    assert both.seconds == pytest.approx(first.seconds + 29.9)
    before = NormalMeter(first).update({"seen": other}, pts_s, duration_s).values[5:]
    after = NormalMeter(both).update({"seen": other}, pts_s, duration_s).values[5:]
    assert np.median(after) < 0.5 * np.median(before)
    # And what it knew it knows still.
    old = street(30, seed=1)
    values = NormalMeter(both).update({"seen": old[0]}, *old[1:]).surprise[5:]
    assert np.median(values) < 1


def test_a_memory_is_extended_only_with_its_own_options():
    first = learned([street(20)])
    with pytest.raises(ValueError, match="its own parts and options"):
        MemoryBuilder(SETTING, {"seen": PartOptions(keep=5)}, extend=first)


@pytest.mark.parametrize(("seconds", "rate"), [(4, 20), (30, 1)])
def test_too_short_footage_is_refused(seconds, rate):
    with pytest.raises(NormalityError, match="at least 50 over 10 s are needed"):
        learned([street(seconds, rate=rate)])


def test_footage_that_could_not_be_measured_is_refused_and_counted():
    cells, pts_s, duration_s = street(20)
    with pytest.raises(NormalityError, match=r"0 pictures over 0.0 s .* \(200 not\)"):
        learned([(np.full_like(cells, np.nan), pts_s, duration_s)])


def test_no_footage_is_refused():
    with pytest.raises(NormalityError, match="0 pictures"):
        MemoryBuilder(SETTING, SEEN).finish()


@pytest.mark.parametrize(("noise", "reason"), [(0, "is frozen"), (3, "is black throughout")])
def test_black_and_frozen_footage_is_refused_with_the_reason(noise, reason):
    cells, pts_s, duration_s = street(12)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, noise + 1, (len(cells), 72, 96, 3), np.uint8)
    builder = MemoryBuilder(SETTING, SEEN)
    builder.begin("dark.mp4")
    builder.update({"seen": cells}, pts_s, duration_s, pixels)
    with pytest.raises(NormalityError, match=reason):
        builder.finish()


def test_cells_that_never_differ_are_refused():
    cells, pts_s, duration_s = street(12)
    with pytest.raises(NormalityError, match="nothing ever differs"):
        learned([(np.ones_like(cells), pts_s, duration_s)])


def test_pictures_before_a_video_was_begun_are_refused():
    with pytest.raises(ValueError, match="begin a video"):
        MemoryBuilder(SETTING, SEEN).update({"seen": street(1)[0]}, *street(1)[1:])


def test_a_memory_of_few_clips_that_differ_says_that_it_is_unsure():
    def noisy(seed, by):
        cells, pts_s, duration_s = street(30, seed=seed)
        return cells * by, pts_s, duration_s

    (alone,) = learned([street(30)]).notes
    assert "single clip" in alone
    (unsure,) = learned([noisy(1, 1.0), noisy(2, 1.6)]).notes
    assert "--extend" in unsure
    assert learned([street(60, seed=seed) for seed in range(6)]).notes == ()


def own_memory(cells, pts_s, duration_s, options=SEEN):
    def clip():
        for at in range(0, len(cells), 50):
            part = slice(at, at + 50)
            yield SeenCells({"seen": cells[part]}, pts_s[part], duration_s[part])

    return learn_self(clip, SETTING, options, video="clip.mp4", fingerprint="print")


def test_a_clip_is_measured_against_its_own_calm_pictures():
    cells, pts_s, duration_s = street(60, seed=8)
    cells = with_event(cells, 300, 350)
    memory = own_memory(cells, pts_s, duration_s)
    surprise = NormalMeter(memory).update({"seen": cells}, pts_s, duration_s).surprise[:, 0]
    calm = np.r_[surprise[5:300], surprise[360:]]
    assert surprise[305:350].min() > np.nanquantile(calm, 0.99)
    assert (calm >= 1).mean() < 0.25


def test_what_moves_fast_where_nothing_else_does_is_no_measure_of_itself():
    cells, pts_s, duration_s = street(60, seed=8)
    cells[310:340, 5, 2:6] += 6.0
    rest = {"seen": PartOptions(keep=0, stirred=0.5, blur=False, top=4)}
    memory = own_memory(cells, pts_s, duration_s, rest)
    surprise = NormalMeter(memory).update({"seen": cells}, pts_s, duration_s).surprise[:, 0]
    calm = np.r_[surprise[5:300], surprise[360:]]
    assert surprise[315:340].min() > max(3, np.nanmax(calm))


def test_of_a_calm_clip_there_is_nothing_to_say():
    assert own_memory(*street(60)).notes == ()


@pytest.mark.parametrize(
    ("rate", "other", "reason"), [(5, False, "come at 5"), (10, True, "scene")]
)
def test_a_memory_is_not_extended_with_another_rate_or_camera(rate, other, reason):
    rng = np.random.default_rng(0)
    scenes = rng.integers(0, 256, (2, 72, 96, 3)).astype(np.uint8)

    def taken(scene, rate, extend=None):
        cells, pts_s, duration_s = street(30, rate=rate)
        noise = rng.integers(0, 6, (len(cells), 72, 96, 3)).astype(np.uint8)
        builder = MemoryBuilder(SETTING, SEEN, extend=extend)
        builder.begin("day.mp4")
        builder.update({"seen": cells}, pts_s, duration_s, np.maximum(scene, noise))
        return builder.finish()

    first = taken(scenes[0], 10)
    assert len(taken(scenes[0], 10, first).footage) == 2
    with pytest.raises(NormalityError, match=reason):
        taken(scenes[int(other)], rate, first)


def test_a_tail_whose_highest_were_left_out_is_completed():
    rng = np.random.default_rng(0)
    values = np.sort(rng.exponential(1, 5000))
    whole = completed(values[:4000], 0.2)
    assert whole.surprise([np.log(100)])[0] == pytest.approx(2, abs=0.15)
