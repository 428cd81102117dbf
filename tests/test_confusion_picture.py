"""The picture of a confusion matrix shows the matrix: its labels, counts and shares."""

from dataclasses import replace

import pytest

from v2f_bench.harness.confusion_picture import draw_confusion, write_confusions
from v2f_bench.record import Result

MATRIX = {
    "row_labels": ["calm", "happy", "sad"],
    "column_labels": ["calm", "happy", "sad", "no face"],
    "confusion": [[3.0, 0.5, 0.5, 0.0], [0.0, 2.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]],
}


@pytest.fixture
def result():
    given = dict.fromkeys(Result.__dataclass_fields__)
    given |= {
        "metric": "emotion-agreement",
        "measure": "emotion-agreement/accuracy",
        "judge": "some-judge",
        "value": 0.625,
    }
    return Result(**{**given, "details": MATRIX})


def texts(axes):
    return {tuple(round(part) for part in text.get_position()): text.get_text() for text in axes.texts}


def test_cells_show_shares_and_counts_of_the_rows_that_have_trials(result):
    (axes,) = draw_confusion(result, "cae, seed 0").axes
    assert texts(axes) == {
        (0, 0): "75%\n3",
        (1, 0): "12%\n0.5",
        (2, 0): "12%\n0.5",
        (1, 1): "50%\n2",
        (3, 1): "50%\n2",
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["calm (4)", "happy (4)"], "no sad trial"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["calm", "happy", "sad", "no face"]
    assert axes.get_images()[0].get_array().tolist() == [[0.75, 0.125, 0.125, 0.0], [0.0, 0.5, 0.0, 0.5]]
    assert axes.get_title() == "cae, seed 0: emotion-agreement/accuracy 0.625"
    assert axes.get_xlabel() == "judged by some-judge"


def test_a_column_of_missing_faces_stands_only_where_there_are_some(result):
    shown = {**MATRIX, "confusion": [[4.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]}
    (axes,) = draw_confusion(replace(result, details=shown), "cae").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["calm", "happy", "sad"]


def test_there_is_a_picture_of_each_matrix_and_of_nothing_else(result, tmp_path):
    other = replace(result, judge="other-judge")
    write_confusions(tmp_path, [result, other, replace(result, details=None)], "cae")
    names = {f"confusion-emotion-agreement-accuracy-{judge}.png" for judge in ("some-judge", "other-judge")}
    assert {path.name for path in tmp_path.iterdir()} == names
    write_confusions(tmp_path, [result], "cae")
    (path,) = tmp_path.iterdir()
    assert path.read_bytes().startswith(b"\x89PNG")
