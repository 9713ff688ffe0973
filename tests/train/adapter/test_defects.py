"""The ten defects of seed 3's own code: where each is tested, and that those tests are there.

=====  =============================================================================================
``1``  test prompts without start and end marks, read at a wrong token
``2``  learned prompts that a test never uses
``3``  eight text rows, of which the labels 0 and 1 both name a normal one
``4``  the temporal part runs without gradients where labels are of whole pictures or videos
``5``  rows reshaped so that places or windows and time are mixed
``6``  normed in training, not in use
``7``  figures of frames measured on something that is the same for all pictures
``8``  a video that fails gets the score 0
``9``  texts encoded and the video opened anew for every window
``10`` the highest cosine of the abnormal alone, with no normal side
=====  =============================================================================================
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]

COVERED = {
    1: (
        "train/adapter/test_prompts.py::test_defect_1_a_prompt_is_read_at_its_own_end_mark",
        "train/adapter/test_prompts.py::"
        "test_prompts_without_learned_vectors_are_the_encoder_s_sentences",
    ),
    2: (
        "train/adapter/test_model.py::test_defect_2_learned_prompts_decide_the_answer",
        "train/adapter/test_soft_fit.py::"
        "test_prompts_learn_through_the_tower_and_the_file_needs_none",
        "pipeline/test_adapted.py::test_without_sentences_its_probability_is_the_evidence",
    ),
    3: (
        "train/adapter/test_model.py::"
        "test_defect_3_there_are_two_prompts_normal_first_and_a_column_for_each",
        "train/adapter/test_losses.py::"
        "test_defect_3_column_0_is_normal_and_column_1_abnormal_in_every_loss",
        "train/adapter/test_prompts.py::test_defect_3_there_is_one_prompt_for_each_class",
    ),
    4: ("train/adapter/test_model.py::test_defect_4_labels_of_videos_teach_the_temporal_part",),
    5: (
        "train/adapter/test_model.py::test_defect_5_windows_and_time_are_not_mixed",
        "train/adapter/test_windows.py::test_defect_5_a_window_is_a_run_of_pictures_in_their_order",
    ),
    6: ("train/adapter/test_model.py::test_defect_6_training_and_use_norm_embeddings_alike",),
    7: (
        "train/adapter/test_losses.py::"
        "test_defect_7_each_picture_is_judged_by_its_own_label_not_by_the_window_s",
        "train/adapter/test_windows.py::test_defect_7_truth_is_of_pictures_not_of_windows",
        "train/adapter/test_metrics.py::"
        "test_pictures_of_all_videos_are_judged_together_where_labels_allow",
    ),
    8: (
        "train/adapter/test_windows.py::"
        "test_defect_8_a_video_of_which_nothing_was_decoded_teaches_nothing",
        "run/test_training.py::test_a_video_that_cannot_be_read_is_told_and_none_at_all_is_an_error",
        "evidence/test_adapter.py::test_holes_stay_holes_and_tell_the_model_nothing",
    ),
    9: (
        "train/adapter/test_windows.py::test_defect_9_windows_are_cut_from_rows_read_once",
        "train/adapter/test_prompts.py::"
        "test_defect_9_the_tower_runs_as_often_for_many_windows_as_for_one",
    ),
    10: (
        "train/adapter/test_losses.py::"
        "test_defect_10_more_of_the_normal_makes_a_picture_less_abnormal",
        "train/adapter/test_model.py::"
        "test_defect_10_likeness_to_the_normal_prompt_lowers_the_abnormal",
        "run/test_training.py::test_sentences_of_a_test_compete_with_the_normal_ones",
    ),
}


@pytest.mark.parametrize("number", range(1, 11))
def test_each_defect_has_its_tests(number: int) -> None:
    for place in COVERED[number]:
        file, name = place.split("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, place
