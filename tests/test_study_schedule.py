"""Who is asked what: every list and all lists together are balanced, whatever their size."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import small_items, small_key

from v2f_bench.study.designs import DESIGNS
from v2f_bench.study.questions import Questionnaire, Size
from v2f_bench.study.schedule import Scheduler, in_order


@st.composite
def sizes(draw):
    items, conditions = draw(st.integers(4, 40)), draw(st.integers(1, 5))
    length = draw(st.integers(1, items * conditions))
    return items, conditions, length, draw(st.integers(1, 8)), draw(st.integers(1, items)), draw(st.integers(0, 999))


@settings(max_examples=60, deadline=None)
@given(sizes())
def test_lists_are_balanced(size):
    items, conditions, length, lists, speakers, seed = size
    names = [str(item % speakers) for item in range(items)]
    rng = np.random.default_rng(seed)
    scheduler = Scheduler(np.ones((items, conditions), bool), names, [1.0] * conditions, rng)
    made = [scheduler.next_list(length) for _ in range(lists)]
    for slots in made:
        assert len({(slot.item, slot.condition) for slot in slots}) == length, "no question twice"
        of_condition = Counter(slot.condition for slot in slots)
        assert max(of_condition.values()) - min(of_condition[each] for each in range(conditions)) <= 1
        for condition, count in of_condition.items():
            right = sum(slot.side for slot in slots if slot.condition == condition)
            assert abs(2 * right - count) <= 1
        of_speaker = Counter(names[slot.item] for slot in slots)
        if items % speakers == 0:
            assert max(of_speaker.values()) - min(of_speaker[name] for name in names) <= 1
    of_condition = Counter(slot.condition for slots in made for slot in slots)
    assert max(of_condition.values()) - min(of_condition[each] for each in range(conditions)) <= 1
    if items % speakers == 0:
        of_item = Counter(slot.item for slots in made for slot in slots)
        assert max(of_item.values()) - min(of_item[each] for each in range(items)) <= 1


def test_each_item_meets_each_condition_equally_often_on_either_side():
    rng = np.random.default_rng(3)
    scheduler = Scheduler(np.ones((60, 3), bool), [str(item) for item in range(60)], [1.0] * 3, rng)
    slots = [slot for _ in range(24) for slot in scheduler.next_list(45)]
    met = Counter((slot.item, slot.condition) for slot in slots)
    assert sum(met.values()) == 24 * 45 == 6 * 180
    assert min(met.values()) >= 5
    assert max(met.values()) <= 7
    right = Counter((slot.item, slot.condition) for slot in slots if slot.side)
    assert max(abs(2 * right[cell] - count) for cell, count in met.items()) <= 2


def test_weights_and_what_is_not_allowed():
    allowed = np.ones((20, 2), bool)
    allowed[5:, 1] = False
    scheduler = Scheduler(allowed, [str(item) for item in range(20)], [1.0, 3.0], np.random.default_rng(0))
    slots = scheduler.next_list(12)
    assert all(allowed[slot.item, slot.condition] for slot in slots)
    assert Counter(slot.condition for slot in slots) == {0: 7, 1: 5}, "a condition without room is stood in for"
    with pytest.raises(ValueError, match="only 25"):
        scheduler.next_list(26)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 999))
def test_an_order_has_everything_once_and_each_kind_from_beginning_to_end(kinds, seed):
    order = in_order(kinds, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(kinds)))
    for kind in set(kinds):
        count = kinds.count(kind)
        if 2 * count == len(kinds) and len(set(kinds)) == 2:  # two kinds, half and half: each in either half
            first = sum(kinds[place] == kind for place in order[: len(kinds) // 2])
            assert abs(2 * first - count) <= 2


@pytest.mark.parametrize("design", DESIGNS)
def test_every_session_has_anchors_and_checks_and_every_method_as_often(design):
    size = Size(lists=9, trials=12, anchors=4, checks=2)
    key = small_key(design, methods=("one", "two", "three"), size=size)
    for questions in key.lists:
        kinds = Counter(question.kind for question in questions)
        if design == "realism":  # half of the questions about methods are about photographs
            assert kinds == {"method": 6, "real": 6 + 4, "floor": 4, "check": 2}
        else:
            assert kinds == {"method": 12, "real": 4, "floor": 4, "check": 2}
        methods = Counter(question.method for question in questions if question.kind == "method")
        assert set(methods) <= {"one", "two", "three"}
        if design != "which-method":
            assert max(methods.values()) - min(methods.values()) <= 1
        if DESIGNS[design].sides:
            firsts = Counter(question.first for question in questions)
            assert abs(firsts["left"] - firsts["right"]) <= 6  # at most one for each condition
    pairs = Counter(
        frozenset((question.method, question.against))
        for questions in key.lists
        for question in questions
        if question.kind == "method"
    )
    if design == "which-method":
        assert set(pairs.values()) == {9 * 12 / 3}


def test_a_face_is_as_often_right_as_it_is_wrong():
    # In match-2afc every face is once the one asked about and once the other: how often it is seen tells nothing.
    items = small_items(20, 20)
    questionnaire = Questionnaire(
        DESIGNS["match-2afc"]("identity"), items, ["one"], Size(5, 20, 0, 0), np.random.default_rng(0)
    )
    asked = [each for _ in range(5) for each in questionnaire.next_list()]
    right = Counter(each.pictures[0 if each.question.first == "left" else 1] for each in asked)
    wrong = Counter(each.pictures[1 if each.question.first == "left" else 0] for each in asked)
    assert right == wrong


def test_no_session_begins_with_a_check():
    key = small_key("realism", size=Size(lists=60, trials=3, anchors=0, checks=3))
    assert "check" not in {questions[0].kind for questions in key.lists}


def test_the_answer_that_a_check_tells_stands_in_its_question():
    key = small_key("which-method", size=Size(lists=40, trials=6, anchors=3, checks=3))
    told = Counter(q.right for questions in key.lists for q in questions if q.kind == "check")
    assert set(told) == {"left", "right"}
    assert min(told.values()) > 40
