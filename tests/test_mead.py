"""MEAD: actors' folders, discovered views, archives that nobody unpacked, and the two splits."""

from collections import Counter

import pytest
from small_media import touch

from v2f_bench.datasets.mead import TEST4, Mead, MeadOptions
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.interfaces import DataError

EMOTIONS = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")


def lay_out(root, actors, views=("front", "left_30"), numbers=(1, 2)):
    for actor in actors:
        for emotion in EMOTIONS:
            for level in (1,) if emotion == "neutral" else (1, 2, 3):
                for number in numbers:
                    place = f"{emotion}/level_{level}/{number:03d}"
                    touch(root / actor / "audio" / f"{place}.m4a")
                    for view in views:
                        touch(root / actor / "video" / view / f"{place}.mp4")
    return root


def index_of(root, **options):
    return Mead(MeadOptions(**options), root).index()


def usable(index):
    return index.assign(voice=index["voice"] != "", face=index["face"] != "").set_index("clip", drop=False)


def told(root, **options):
    with pytest.raises(DataError) as caught:
        index_of(root, **options)
    return str(caught.value)


def test_labels_and_files_of_a_clip(tmp_path):
    index = index_of(lay_out(tmp_path, ("M003", "W009")))
    assert len(index) == 2 * 2 * 22
    assert not index["fault"].any()
    row = index.set_index("clip").loc["W009/fear/level_3/002"]
    assert row.to_dict() == {
        **{"speaker": "W009", "sex": "female", "emotion": "fearful", "intensity": "high", "fault": ""},
        "voice": "W009/audio/fear/level_3/002.m4a",
        "face": "W009/video/front/fear/level_3/002.mp4",
    }
    assert set(index["emotion"]) == set(Mead.labels["emotion"].values())
    assert set(index_of(tmp_path, view="left_30")["face"].str.split("/").str[2]) == {"left_30"}


def test_a_view_that_is_not_there_names_those_that_are(tmp_path):
    lay_out(tmp_path, ("M003",))
    text = told(tmp_path, view="below")
    assert "MISSING  the view below (there is: front, left_30; not of M003)" in text
    lay_out(tmp_path, ("W017",), views=("down",))
    index = index_of(tmp_path)
    assert (index.loc[index["speaker"] == "W017", "face"] == "").all(), "an actor without the view has a voice alone"
    notes = {part.what: part.note for part in Mead(MeadOptions(), tmp_path).parts()}
    assert notes["the view front"] == "there is: down, front, left_30; not of W017"


def test_archives_that_are_not_unpacked_are_told(tmp_path):
    touch(tmp_path / "M003/video.tar")
    touch(tmp_path / "M003/audio.tar")
    text = told(tmp_path)
    assert "video.tar is there but not unpacked: M003" in text
    assert "audio.tar is there but not unpacked: M003" in text
    lay_out(tmp_path, ("M005", "M007"))
    notes = [part.note for part in Mead(MeadOptions(), tmp_path).parts()]
    assert "2 of 3 actors; video.tar is there but not unpacked: M003" in notes
    assert set(index_of(tmp_path)["speaker"]) == {"M005", "M007"}


def test_a_voice_without_its_video_and_the_reverse_stay(tmp_path):
    lay_out(tmp_path, ("M003",))
    (tmp_path / "M003/audio/sad/level_1/001.m4a").unlink()
    (tmp_path / "M003/video/front/sad/level_2/001.mp4").unlink()
    index = index_of(tmp_path).set_index("clip")
    assert (index.at["M003/sad/level_1/001", "voice"], index.at["M003/sad/level_2/001", "face"]) == ("", "")
    assert len(index) == 44


def test_what_lies_elsewhere_is_told(tmp_path):
    lay_out(tmp_path, ("M003",))
    for stray in ("M003/audio/sad/001.m4a", "M003/audio/glad/level_1/001.m4a", "M003/video/front/sad/level_4/001.mp4"):
        touch(tmp_path / stray)
    touch(tmp_path / "notes/001.mp4")
    index = index_of(tmp_path)
    assert (index["fault"] == "").sum() == 44
    assert index.loc[index["fault"] != "", "fault"].str.contains("does not lie in <emotion>/level_<n>/").sum() == 3


def test_the_splits(tmp_path):
    actors = [f"{sex}{number:03d}" for sex in "MW" for number in range(3, 38)]
    default, test4 = (Mead(MeadOptions(split=split), tmp_path) for split in ("speakers", "test4"))
    assert {actor for actor, split in test4.split(actors).items() if split == "test"} == set(TEST4)
    assert Counter(test4.split(actors).values())["train"] > 50
    split_of = default.split(actors)
    assert 10 < Counter(split_of.values())["test"] < 32
    for dataset in (default, test4):
        whole = dataset.split(actors)
        assert dataset.split(actors[1:]) == {actor: split for actor, split in whole.items() if actor != actors[0]}


def test_protocols(tmp_path):
    actors = [*TEST4, *(f"M{number:03d}" for number in range(4, 20))]
    lay_out(tmp_path, actors, views=("front",), numbers=(1,))
    dataset = Mead(MeadOptions(split="test4"), tmp_path)
    protocol = make_protocol(dataset, usable(dataset.index()), "emotion")
    assert protocol.name == "emotion-mead-test4-v2-no-face-check@20-of-47-speakers"
    assert {trial["speaker"] for trial in protocol.trials} == set(TEST4)
    assert protocol.dataset["labels"]["intensity"] == {"level_1": "low", "level_2": "medium", "level_3": "high"}
    other = Mead(MeadOptions(), tmp_path)
    assert make_protocol(other, usable(other.index()), "emotion").name == "emotion-v2-no-face-check@20-of-47-speakers"


def test_a_release_with_an_actor_without_the_view_is_complete(tmp_path):
    """W017 was released from below alone: no copy can have a face of hers from the front."""
    others = [f"{sex}{number:03d}" for sex in "MW" for number in range(18, 42)][:-1]
    lay_out(tmp_path, others, views=("front", "down"), numbers=(1,))
    lay_out(tmp_path, ("W017",), views=("down",), numbers=(1,))
    for view in ("front", "down"):
        dataset = Mead(MeadOptions(view=view), tmp_path)
        assert make_protocol(dataset, usable(dataset.index()), "identity").name == "identity-v2-no-face-check"
