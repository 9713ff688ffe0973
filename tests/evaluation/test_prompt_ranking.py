"""What each sentence of a bank is worth, and how much hangs on the wording."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import roc_auc_score

from watchword.errors import DatasetError, KindMismatch, PromptError
from watchword.evaluation.bootstrap import FrameBootstrap, bootstrap_weights, interval
from watchword.evaluation.prompt_ranking import Ranking, RankOptions, rank_prompts
from watchword.evaluation.prompt_tables import ranking_tables
from watchword.evidence.words import ScoreOptions, score_cosines
from watchword.types import Annotation, Prompt, PromptBank, Scores, Span

BANK = PromptBank(
    (
        Prompt("a deer on the road", "deer"),
        Prompt("an animal", "deer"),
        Prompt("a car crash", "crash"),
        Prompt("an empty road", "", "normal"),
        Prompt("cars driving", "", "normal"),
        Prompt("a forest", "deer", "normal"),
    )
)
OPTIONS = RankOptions(subsets=30, samples=100)


def made(
    videos: int = 12, windows: int = 60, seed: int = 0, extra: int = 0
) -> tuple[dict[str, Scores], dict[str, Annotation]]:
    """Each video holds a deer from 1 to 2 s; odd ones also a crash from 4 to 5 s."""
    draw = np.random.default_rng(seed)
    cosines, truth = {}, {}
    for i in range(videos):
        x = draw.normal(0.2, 0.02, (windows, len(BANK.texts) + extra)).astype(np.float32)
        x[10:20, 0] += 0.04
        x[10:20, 3] -= 0.03
        spans = [Span("deer", 1.0, 2.0)]
        if i % 2:
            x[40:50, 2] += 0.05
            spans.append(Span("crash", 4.0, 5.0))
        texts = (*BANK.texts, *(f"other {n}" for n in range(extra)))
        name = f"v{i}"
        cosines[name] = Scores(x, np.arange(windows + 1) * 0.1, texts, "cosine")
        truth[name] = Annotation(name, tuple(spans), ("deer", "crash"))
    return cosines, truth


def rank(ranking: Ranking, text: str):
    return next(rank for rank in ranking.prompts if rank.prompt.text == text)


def flat(cosines, truth, text):
    series = np.concatenate([scores[text] for scores in cosines.values()])
    masks = np.concatenate([truth[name].mask(cosines[name].edges_s) for name in cosines])
    return series, masks


def test_sentences_are_judged_as_scikit_learn_does():
    cosines, truth = made()
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert [r.prompt for r in ranking.prompts] == list(BANK.prompts)
    for text, column in (("a deer on the road", 0), ("a car crash", 1), ("a forest", 0)):
        series, masks = flat(cosines, truth, text)
        found = rank(ranking, text)
        assert found.auc == pytest.approx(roc_auc_score(masks[:, column], series))
        assert found.mean_event == pytest.approx(series[masks[:, column]].mean(), abs=1e-6)
        assert found.mean_normal == pytest.approx(series[~masks.any(axis=1)].mean(), abs=1e-6)
        by_video = [
            roc_auc_score(truth[n].mask(s.edges_s)[:, column], s[text])
            for n, s in cosines.items()
            if truth[n].mask(s.edges_s)[:, column].any()
        ]
        assert found.auc_macro == pytest.approx(np.mean(by_video))
    series, masks = flat(cosines, truth, "an empty road")
    assert rank(ranking, "an empty road").auc == pytest.approx(
        roc_auc_score(masks.any(axis=1), series)
    )
    assert (ranking.windows, ranking.videos) == (720, 12)
    assert ranking.event_windows == 120 + 60


def test_verdicts_follow_the_role():
    ranking = rank_prompts(*made(), BANK, options=OPTIONS)
    assert rank(ranking, "a deer on the road").verdict == "helps"
    assert rank(ranking, "a car crash").verdict == "helps"
    assert rank(ranking, "an empty road").verdict == "helps"
    turned = PromptBank(
        (
            Prompt("an empty road", "deer"),
            Prompt("a deer on the road", "", "normal"),
            Prompt("an animal", "deer"),
        )
    )
    ranking = rank_prompts(*made(), turned, options=OPTIONS)
    assert rank(ranking, "an empty road").verdict == "misleads"
    assert rank(ranking, "a deer on the road").verdict == "misleads"
    assert rank(ranking, "an animal").verdict == "cannot be told"


def test_the_fast_bootstrap_is_the_exact_one():
    cosines, truth = made()
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    truths = [truth[n].mask(s.edges_s)[:, 0] for n, s in cosines.items()]
    for text in ("a deer on the road", "an animal"):
        exact = FrameBootstrap(truths, [s[text] for s in cosines.values()])
        want = interval(exact.auc(bootstrap_weights(12, 100, 0)))
        got = rank(ranking, text).interval
        assert got.low == pytest.approx(want.low, abs=1e-3)
        assert got.high == pytest.approx(want.high, abs=1e-3)


def test_ties_count_half_in_the_bootstrap():
    cosines, truth = made()
    coarse = {n: replace(s, values=np.round(s.values, 2)) for n, s in cosines.items()}
    ranking = rank_prompts(coarse, truth, BANK, options=OPTIONS)
    truths = [truth[n].mask(s.edges_s)[:, 0] for n, s in coarse.items()]
    exact = FrameBootstrap(truths, [s["an animal"] for s in coarse.values()])
    want = interval(exact.auc(bootstrap_weights(12, 100, 0)))
    assert rank(ranking, "an animal").interval.low == pytest.approx(want.low, abs=1e-9)


def bank_auc(cosines, truth, bank, **options) -> float:
    scores = [score_cosines(s, bank, **options).values.max(axis=1) for s in cosines.values()]
    masks = [truth[n].mask(s.edges_s).any(axis=1) for n, s in cosines.items()]
    return float(roc_auc_score(np.concatenate(masks), np.concatenate(scores)))


def test_leaving_a_sentence_out():
    cosines, truth = made()
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    whole = bank_auc(cosines, truth, BANK)
    assert ranking.bank_auc == pytest.approx(whole)
    for prompt in (BANK.prompts[0], BANK.prompts[3], BANK.prompts[5]):
        rest = replace(BANK, prompts=tuple(p for p in BANK.prompts if p != prompt))
        change = bank_auc(cosines, truth, rest) - whole
        assert rank(ranking, prompt.text).without == pytest.approx(change)
    assert rank(ranking, "a deer on the road").without < 0
    assert rank(ranking, "a car crash").without is None  # its label's only sentence


def test_the_last_normal_sentence_cannot_be_left_out_of_a_contrast():
    bank = replace(BANK, prompts=BANK.prompts[:4])
    ranking = rank_prompts(*made(), bank, options=OPTIONS)
    assert rank(ranking, "an empty road").without is None
    plain = replace(OPTIONS, score=ScoreOptions("cosine"), threshold=0.25)
    assert rank(rank_prompts(*made(), bank, options=plain), "an empty road").without == 0


def test_what_fires_on_normal_footage():
    cosines, truth = made()
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    normal = ~np.concatenate([truth[n].mask(s.edges_s).any(axis=1) for n, s in cosines.items()])
    scores = np.concatenate([score_cosines(s, BANK)["deer"] for s in cosines.values()])
    deer, animal = (flat(cosines, truth, t)[0] for t in ("a deer on the road", "an animal"))
    want = (normal & (scores >= 0.5) & (deer >= animal)).sum() / normal.sum()
    assert rank(ranking, "a deer on the road").fires == pytest.approx(want)
    assert want > 0
    assert rank(ranking, "an empty road").fires is None
    never = rank_prompts(cosines, truth, BANK, options=replace(OPTIONS, threshold=1.0))
    assert rank(never, "an animal").fires == 0
    assert never.threshold == 1.0


def test_twins():
    cosines, truth = made()
    for name, scores in cosines.items():
        x = scores.values.copy()
        x[:, 1] = x[:, 4] * 2 + 0.1 + (x[:, 1] - 0.2) * 0.1
        cosines[name] = replace(scores, values=x)
    found = rank(rank_prompts(cosines, truth, BANK, options=OPTIONS), "an animal")
    assert found.twin == "cars driving"
    series = [np.concatenate([s[t] for s in cosines.values()]) for t in ("an animal", found.twin)]
    assert found.correlation == pytest.approx(pearsonr(*series).statistic, abs=1e-5)


def test_a_sentence_that_never_changes_has_no_twin():
    cosines, truth = made()
    for name, scores in cosines.items():
        x = scores.values.copy()
        x[:, 1] = 0.25
        cosines[name] = replace(scores, values=x)
    found = rank(rank_prompts(cosines, truth, BANK, options=OPTIONS), "an animal")
    assert (found.twin, found.correlation) == (None, None)
    assert found.auc == 0.5


def test_random_halves_tell_how_much_hangs_on_wording():
    cosines, truth = made()
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert len(ranking.subset_aucs) == 30
    # Half of two deer sentences is one: the good one or the other.
    assert np.ptp(ranking.subset_aucs) > 0.05
    assert rank_prompts(cosines, truth, BANK, options=OPTIONS) == ranking
    other = rank_prompts(cosines, truth, BANK, options=replace(OPTIONS, seed=1))
    assert other.subset_aucs != ranking.subset_aucs


def test_halves_of_long_footage_are_scored_on_some_windows_and_it_says_so(monkeypatch):
    cosines, truth = made(videos=20)
    whole = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert not whole.notes
    monkeypatch.setattr("watchword.evaluation.prompt_ranking.ENOUGH", 600)
    thin = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert thin.notes == ("random halves were scored on one window in 2 only",)
    assert thin.prompts == whole.prompts
    np.testing.assert_allclose(thin.subset_aucs, whole.subset_aucs, atol=0.04)
    assert thin.subset_aucs != whole.subset_aucs


def test_a_label_nobody_annotated_is_judged_on_any_event():
    cosines, truth = made()
    truth = {
        name: replace(
            one, spans=tuple(replace(s, label="animal") for s in one.spans), labels=("animal",)
        )
        for name, one in truth.items()
    }
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert any("deer, crash" in note for note in ranking.notes)
    series, masks = flat(cosines, truth, "a car crash")
    assert rank(ranking, "a car crash").auc == pytest.approx(
        roc_auc_score(masks.any(axis=1), series)
    )


def test_what_is_left_out_is_counted():
    cosines, truth = made()
    x = cosines["v0"].values.copy()
    x[3:8] = np.nan
    cosines["v0"] = replace(cosines["v0"], values=x)
    truth["v1"] = Annotation("v1", (), ("deer",), anomalous=True)
    cosines["nobody"] = cosines["v2"]
    ranking = rank_prompts(cosines, truth, BANK, options=OPTIONS)
    assert (ranking.videos, ranking.windows) == (11, 11 * 60 - 5)
    said = " ".join(ranking.notes)
    assert "1 videos without annotation" in said
    assert "1 videos were left out, since their truth does not say when" in said
    assert "5 windows were left out" in said


def test_other_sentences_have_no_part_in_it():
    plain = rank_prompts(*made(), BANK, options=OPTIONS)
    cosines, truth = made(extra=0)
    wider = {
        n: Scores(
            np.column_stack([s.values, np.full(len(s), 0.9, np.float32)]),
            s.edges_s,
            (*s.labels, "the answer"),
            "cosine",
        )
        for n, s in cosines.items()
    }
    assert rank_prompts(wider, truth, BANK, options=OPTIONS) == plain


def test_one_class_only_has_no_auc():
    cosines, truth = made()
    quiet = {n: Annotation(n, (), ("deer", "crash")) for n in truth}
    ranking = rank_prompts(cosines, quiet, BANK, options=OPTIONS)
    assert ranking.bank_auc is None
    assert ranking.subset_aucs == ()
    found = rank(ranking, "an animal")
    assert (found.auc, found.auc_macro, found.without, found.mean_event) == (None,) * 4
    assert found.verdict == "cannot be told"
    assert found.fires is not None
    for table in ranking_tables(ranking):
        assert table.rows


def test_refusals():
    cosines, truth = made(2)
    with pytest.raises(DatasetError, match="name none of the 2 videos"):
        rank_prompts(cosines, {"x": truth["v0"]}, BANK)
    unsaid = {n: Annotation(n, (), (), anomalous=True) for n in truth}
    with pytest.raises(DatasetError, match="no video that says when"):
        rank_prompts(cosines, unsaid, BANK)
    more = replace(BANK, prompts=(*BANK.prompts, Prompt("a unicorn", "deer")))
    with pytest.raises(PromptError, match=r"cosines of v0 hold nothing of 'a unicorn'"):
        rank_prompts(cosines, truth, more)
    with pytest.raises(KindMismatch, match="threshold"):
        rank_prompts(cosines, truth, BANK, options=RankOptions(score=ScoreOptions("cosine")))
    scored = {n: score_cosines(s, BANK) for n, s in cosines.items()}
    with pytest.raises(KindMismatch, match="contrast"):
        rank_prompts(scored, truth, BANK)
    margins = {n: replace(s, kind="margin") for n, s in cosines.items()}
    with pytest.raises(KindMismatch, match="margin"):
        rank_prompts(margins, truth, BANK)
    with pytest.raises(ValueError, match="subsets"):
        RankOptions(subsets=0)


def test_tables():
    ranking = rank_prompts(*made(), BANK, options=OPTIONS)
    sentences, wording = ranking_tables(ranking)
    assert len(sentences.rows) == 6
    best = sentences.columns.index("AUC")
    events = [row[best] for row in sentences.rows if row[2] == "event"]
    assert all(a >= b for a, b in pairwise(events))
    row = dict(zip(wording.columns, wording.rows[0], strict=True))
    assert row["AUC, whole bank"] == ranking.bank_auc
    assert row["lowest"] <= row["mean"] <= row["highest"]


def test_it_is_fast():
    """A tenth of the size that must take less than ten seconds, in less than three."""
    prompts = [Prompt(f"event {i}", "a" if i < 10 else "b") for i in range(20)]
    prompts += [Prompt(f"normal {i}", "", "normal") for i in range(20)]
    bank = PromptBank(tuple(prompts))
    draw = np.random.default_rng(0)
    cosines, truth = {}, {}
    for i in range(50):
        x = draw.normal(0.2, 0.02, (200, 40)).astype(np.float32)
        cosines[f"v{i}"] = Scores(x, np.arange(201.0), bank.texts, "cosine")
        truth[f"v{i}"] = Annotation(f"v{i}", (Span("a", 20, 60),), ("a",))
    start = time.process_time()
    rank_prompts(cosines, truth, bank)
    assert time.process_time() - start < 3


@pytest.mark.shared
def test_real_sentences_on_real_scenes(shared):
    """Plain nouns serve as the normal side of road sentences, on matrices of CLIP ViT-B/32."""
    folder = shared / "data" / "clip_hazard_signals"
    cosines, truth = {}, {}
    for path in sorted((folder / "clip_scores").glob("scene_*.npy")):
        texts = json.loads(path.with_name(f"{path.stem}_prompts.json").read_text())["prompts"][:38]
        values = np.load(path)[:38].T
        edges = np.arange(len(values) + 1) / 30
        cosines[path.stem] = Scores(values, edges, tuple(texts), "cosine")
        scene = json.loads((folder / "annotations" / f"{path.stem}.mp4.json").read_text())
        spans = (Span("hazard", e["start"] / 30, e["end"] / 30) for e in scene["events"])
        truth[path.stem] = Annotation(path.stem, tuple(spans), ("hazard",))
    texts = next(iter(cosines.values())).labels
    bank = PromptBank(
        (
            *(Prompt(text, "", "normal") for text in texts[:19]),
            *(Prompt(text, "hazard") for text in texts[19:]),
        )
    )
    score = ScoreOptions("margin", top_share=1.0)
    ranking = rank_prompts(cosines, truth, bank, options=RankOptions(score=score, subsets=50))
    assert (ranking.videos, len(ranking.prompts)) == (14, 38)
    margins = [
        s.values[:, 19:].mean(axis=1) - s.values[:, :19].mean(axis=1) for s in cosines.values()
    ]
    masks = [truth[name].mask(s.edges_s)[:, 0] for name, s in cosines.items()]
    theirs = roc_auc_score(np.concatenate(masks), np.concatenate(margins))
    assert ranking.bank_auc == pytest.approx(theirs, abs=1e-5)
    assert ranking.bank_auc == pytest.approx(0.739, abs=0.001)
    by_verdict = [r.verdict for r in ranking.prompts]
    # Fourteen scenes, one of them half of all frames: little can be said of a sentence by itself.
    assert by_verdict.count("cannot be told") > 19
    assert np.std(ranking.subset_aucs) > 0.005
