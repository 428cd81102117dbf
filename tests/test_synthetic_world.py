"""The clips of `synthetic-speakers`: who speaks in which emotion, and the trials and voices that come of it."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from v2f_bench.data.protocol import Protocol
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.datasets.synthetic_speakers.expression import EMOTIONS
from v2f_bench.harness.make_bench import make_protocol


def world_of(**options: int) -> tuple[SyntheticSpeakers, pd.DataFrame]:
    """A data set, and its clips as a store has them when all could be read."""
    dataset = SyntheticSpeakers(SyntheticOptions(**options), None)
    clips = dataset.index()
    return dataset, clips.assign(voice=True, face=True).set_index("clip", drop=False)


def protocol_of(track: str) -> tuple[Protocol, pd.DataFrame]:
    dataset, clips = world_of()
    protocol = make_protocol(dataset, clips, track)
    return protocol, protocol.trial_table.join(clips[["emotion", "sex"]], on="voice")


@pytest.mark.parametrize("clips", [1, 4, 5, 8, 11])
def test_every_speaker_has_a_neutral_clip_and_no_other_emotion_twice_before_all_were_there(clips: int) -> None:
    _, table = world_of(speakers=60, clips=clips)
    for _, emotions in table.groupby("speaker")["emotion"]:
        assert emotions.iloc[0] == "neutral"
        times = Counter(emotions)
        assert set(times) <= set(EMOTIONS)
        assert max(times.values()) == -(-clips // len(EMOTIONS))
        assert len(times) == min(clips, len(EMOTIONS))


def test_a_world_grows_without_changing() -> None:
    _, small = world_of(speakers=10, clips=3)
    _, large = world_of(speakers=20, clips=6)
    pd.testing.assert_frame_equal(small, large.loc[small.index])


def test_every_emotion_is_in_every_split_as_often_as_any_other() -> None:
    dataset, table = world_of()
    splits = table["speaker"].map(dataset.split(sorted(table["speaker"].unique())))
    for _, emotions in table.groupby(splits)["emotion"]:
        others = emotions[emotions != "neutral"].value_counts()
        assert set(emotions) == set(EMOTIONS)
        assert others.min() > 0.6 * others.mean()


def test_any_two_emotions_are_shown_by_the_same_speaker_somewhere() -> None:
    _, table = world_of()
    shown = pd.crosstab(table["speaker"], table["emotion"])
    assert (shown.T @ shown).to_numpy().min() >= 50


def test_every_test_speaker_gives_three_emotion_trials_from_a_neutral_face() -> None:
    protocol, trials = protocol_of("emotion")
    dataset, clips = world_of()
    test = {name for name, split in dataset.split(sorted(clips["speaker"].unique())).items() if split == "test"}
    assert set(trials["speaker"]) == test
    assert set(Counter(trials["speaker"]).values()) == {3}
    assert len(trials) >= 350
    assert set(trials["emotion"]) == set(EMOTIONS) - {"neutral"}
    assert trials["emotion"].value_counts().min() >= 30
    assert (clips.loc[protocol.gallery, "emotion"] == "neutral").all()
    assert (clips.loc[trials["proposal"], "emotion"] == "neutral").all()
    assert (clips.loc[trials["target"], "emotion"].to_numpy() == trials["emotion"].to_numpy()).all()


def test_identity_trials_have_another_photo_of_the_speaker_and_faces_to_measure_a_distribution_by() -> None:
    protocol, trials = protocol_of("identity")
    _, clips = world_of()
    assert len(trials) >= 350
    assert (trials["real_photo"] != "").all()
    assert (clips.loc[trials["real_photo"], "speaker"].to_numpy() == trials["speaker"].to_numpy()).all()
    assert (trials["real_photo"] != trials["target"]).all()
    assert (trials["voice"] != trials["target"]).all()
    assert len(protocol.reference) >= 200
