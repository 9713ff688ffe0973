"""Arrays that others saved are read with their sentences and times, and pickles never are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from watchword.errors import DatasetError
from watchword.evaluation.predictions.read import read_predictions

VALUES = np.float32([[0.2, 0.3, 0.25], [0.1, np.nan, 0.15]])


def matrix(folder, name="scene_001", values=VALUES, prompts=("deer", "road"), edges=None):
    np.save(folder / f"{name}.npy", values)
    (folder / f"{name}_prompts.json").write_text(json.dumps({"prompts": list(prompts)}))
    if edges is not None:
        np.save(folder / f"{name}_edges_s.npy", edges)
    return folder / f"{name}.npy"


def test_seed_1_matrices_become_scores_a_sentence(tmp_path):
    (found,) = read_predictions(matrix(tmp_path), rate=20)
    assert (found.video, found.scores.labels) == ("scene_001", ("deer", "road"))
    assert found.scores.kind == "cosine"
    np.testing.assert_array_equal(found.scores.values, VALUES.T)
    np.testing.assert_allclose(found.scores.edges_s, [0, 0.05, 0.1, 0.15])
    assert found.made.sentences == ("deer", "road")


def test_saved_edges_are_better_than_a_rate(tmp_path):
    (found,) = read_predictions(matrix(tmp_path, edges=[0, 1, 2, 4]), rate=20)
    np.testing.assert_array_equal(found.scores.edges_s, [0, 1, 2, 4])
    with pytest.raises(DatasetError, match="has shape \\(3,\\), 3 windows have 4 edges"):
        read_predictions(matrix(tmp_path, edges=[0, 1, 2]))


def test_times_that_nobody_knows_are_asked_for(tmp_path):
    with pytest.raises(DatasetError, match="holds no times; give the pictures a second with --rat"):
        read_predictions(matrix(tmp_path))


def test_a_folder_gives_a_prediction_a_matrix_and_seed_1s_own_folder_is_found(tmp_path):
    inner = tmp_path / "clip_scores"
    inner.mkdir()
    for name in ("scene_002", "scene_001"):
        matrix(inner, name)
    (inner / "clip_eval.csv").write_text("video,iou\nscene_001,0.5\n")
    for folder in (inner, tmp_path):
        found = read_predictions(folder, rate=20)
        assert [prediction.video for prediction in found] == ["scene_001", "scene_002"]


def test_every_broken_matrix_of_a_folder_is_named(tmp_path):
    matrix(tmp_path, "a")
    matrix(tmp_path, "b", prompts=("one",))
    matrix(tmp_path, "c", prompts=())
    with pytest.raises(DatasetError) as caught:
        read_predictions(tmp_path, rate=20)
    assert "holds 2 that cannot be read" in str(caught.value)
    assert "b.npy: has shape (2, 3), its 1 sentences" in str(caught.value)
    assert "c_prompts.json: must hold" in str(caught.value)


def test_a_matrix_without_sentences_among_others_is_a_mistake(tmp_path):
    matrix(tmp_path, "a")
    np.save(tmp_path / "b.npy", np.ones(3))
    with pytest.raises(DatasetError, match=r"b.npy has no _prompts.json"):
        read_predictions(tmp_path, rate=20)


def test_a_sentence_that_stands_twice_is_kept_once_if_both_say_the_same(tmp_path):
    same = np.vstack([VALUES, VALUES[:1] + 1e-4])
    (found,) = read_predictions(matrix(tmp_path, values=same, prompts=("a", "b", "a")), rate=20)
    assert found.scores.labels == ("a", "b")
    np.testing.assert_array_equal(found.scores["a"], VALUES[0])
    other = np.vstack([VALUES, VALUES[:1] + 0.1])
    with pytest.raises(DatasetError, match="rows 1 and 3 are both 'a' and differ"):
        read_predictions(matrix(tmp_path, values=other, prompts=("a", "b", "a")), rate=20)


def test_a_series_a_video(tmp_path):
    np.save(tmp_path / "01_0014.npy", np.array([0.1, np.nan, 0.3]))
    np.save(tmp_path / "01_0015.npy", np.array([[0.1], [0.2]]))
    first, second = read_predictions(tmp_path, rate=24, kind="distance")
    assert (first.video, len(first.scores), first.scores.kind) == ("01_0014", 3, "distance")
    assert np.isnan(first.scores.values[1, 0])
    assert len(second.scores) == 2
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    with pytest.raises(DatasetError, match=r"needs NAME_prompts.json beside it"):
        read_predictions(tmp_path / "x.npy", rate=24)


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"v": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"save the arrays by name instead: numpy.savez"):
        read_predictions(tmp_path / "a.npy", rate=1)
    np.savez(tmp_path / "a.npz", v=np.array([{"v": 1}], dtype=object))
    with pytest.raises(DatasetError, match=r"no .npz of plain arrays"):
        read_predictions(tmp_path / "a.npz", rate=1)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.array([]), "holds no scores"),
        (np.array(["a", "b"]), "must hold numbers"),
        (np.array([1, np.inf]), "values must be finite"),
    ],
)
def test_arrays_that_are_no_scores_are_refused(tmp_path, values, problem):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(DatasetError) as caught:
        read_predictions(tmp_path / "a.npy", rate=1)
    assert problem in str(caught.value)


def test_a_damaged_array_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00junk")
    with pytest.raises(DatasetError, match=r"a.npy: is no array"):
        read_predictions(tmp_path / "a.npy", rate=1)


def test_arrays_by_name(tmp_path):
    np.savez(tmp_path / "all.npz", Test001=np.ones(3), Test002=np.zeros(5))
    found = read_predictions(tmp_path / "all.npz", rate=10)
    assert [(p.video, len(p.scores)) for p in found] == [("Test001", 3), ("Test002", 5)]


class TestSeed3:
    ENTRIES = ({"video_path": "Test/Test001.avi"}, {"video_path": "Test/Test002.avi"})

    def written(self, folder, values, entries=ENTRIES):
        np.save(folder / "frame_scores.npy", values)
        meta = {"train": {}, "test": {"pedestrian": list(entries)}}
        (folder / "meta.json").write_text(json.dumps(meta))
        return read_predictions(folder, rate=10)

    def test_a_row_a_video(self, tmp_path):
        found = self.written(tmp_path, np.arange(6.0).reshape(2, 3))
        assert [p.video for p in found] == ["Test/Test001.avi", "Test/Test002.avi"]
        np.testing.assert_array_equal(found[1].scores.values[:, 0], [3, 4, 5])

    def test_one_after_the_other_with_lengths(self, tmp_path):
        entries = [{**e, "n_frames": n} for e, n in zip(self.ENTRIES, (2, 3), strict=True)]
        found = self.written(tmp_path, np.arange(5.0), entries)
        np.testing.assert_array_equal(found[1].scores.values[:, 0], [2, 3, 4])
        with pytest.raises(DatasetError, match="holds 6 scores, n_frames add up to 5"):
            self.written(tmp_path, np.arange(6.0), entries)

    def test_where_one_ends_must_be_known(self, tmp_path):
        with pytest.raises(DatasetError, match="nothing says where one ends"):
            self.written(tmp_path, np.arange(5.0))
        (alone,) = self.written(tmp_path, np.arange(5.0), self.ENTRIES[:1])
        assert len(alone.scores) == 5

    def test_rows_must_be_as_many_as_videos(self, tmp_path):
        with pytest.raises(DatasetError, match="lists 2 videos"):
            self.written(tmp_path, np.ones((3, 4)))
        with pytest.raises(DatasetError, match="must have a video_path"):
            self.written(tmp_path, np.ones((1, 4)), [{}])
