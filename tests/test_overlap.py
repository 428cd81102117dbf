"""What stands in a data set twice: copies under one speaker count once, contradictions not at all."""

import numpy as np
import pandas as pd

from v2f_bench.data.lists import read_list
from v2f_bench.data.store import Store
from v2f_bench.data.store_writer import StoreWriter

RNG = np.random.default_rng(0)
SOUNDS = RNG.integers(-9000, 9000, (4, 400), dtype=np.int16)
PICTURES = RNG.integers(0, 255, (4, 4, 4, 3), dtype=np.uint8)


def stored(tmp_path, *clips):
    """A store of (clip, speaker, emotion, sound, picture), the last two as numbers or None."""
    labels = [
        {"clip": clip, "speaker": speaker, "emotion": emotion, "voice": f"{clip}.wav", "face": f"{clip}.jpg"}
        for clip, speaker, emotion, *_ in clips
    ]
    writer = StoreWriter(tmp_path, "made", 16_000, 4, pd.DataFrame(labels))
    for row, (*_, sound, picture) in enumerate(clips):
        writer.add(row, None if sound is None else SOUNDS[sound], None if picture is None else PICTURES[picture])
    writer.commit(len(clips))
    writer.close()
    return Store(tmp_path)


def test_a_copy_under_one_speaker_counts_once_whatever_the_order(tmp_path):
    one, other = (tmp_path / name for name in ("one", "other"))
    one.mkdir()
    other.mkdir()
    clips = [("b", "Ada", "sad", 0, 0), ("a", "Ada", "sad", 0, 1), ("c", "Ada", "sad", 2, 2)]
    for store in (stored(one, *clips), stored(other, *reversed(clips))):
        assert store.clips["voice"].to_dict() == {"a": True, "b": False, "c": True}
        assert store.clips["face"].all()
        assert store.left_out.to_dict("records") == [
            {
                **{"clip": "b", "file": "b.wav", "reason": "the same recording as another of one speaker (a)"},
                **{"part": "voice", "copy_of": "a"},
            }
        ]
        assert store.copies == {("voice", "b"): "a"}
        assert np.array_equal(store.faces(["b"])[0], PICTURES[0])
        assert (store.meta["voices"], store.meta["faces"]) == (2, 3)


def test_one_picture_under_two_speakers_belongs_to_neither(tmp_path):
    clips = [("a", "Ada", "", 0, 3), ("b", "Bea", "", 1, 3), ("c", "Ada", "", None, 3), ("d", "Bea", "", 2, 1)]
    store = stored(tmp_path, *clips)
    assert list(store.clips["clip"]) == ["a", "b", "d"], "a clip with nothing left is no clip"
    assert store.clips["face"].to_dict() == {"a": False, "b": False, "d": True}
    assert list(store.left_out["clip"]) == ["a", "b", "c"]
    assert set(store.left_out["reason"]) == {"one picture under two labels (a and b and c)"}
    assert list(store.left_out["file"]) == ["a.jpg", "b.jpg", "c.jpg"]
    assert not store.copies


def test_one_recording_under_two_emotions_tells_neither(tmp_path):
    store = stored(tmp_path, ("a", "Ada", "sad", 0, 0), ("b", "Ada", "happy", 0, 1), ("c", "Ada", "sad", 1, 2))
    assert store.clips["voice"].to_dict() == {"a": False, "b": False, "c": True}


def test_a_portrait_under_several_emotions_is_kept_once_without_one(tmp_path):
    clips = [
        ("b", "Ada", "sad", 0, 0),
        ("a", "Ada", "happy", 1, 0),
        ("c", "Ada", "", None, 0),
        ("d", "Ada", "sad", 2, 1),
    ]
    clips += [("e", "Bea", "sad", None, 2)]
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    for store in (stored(one, *clips), stored(other, *reversed(clips))):
        table = store.clips.sort_index()
        assert list(table["clip"]) == ["a", "a+portrait", "b", "d", "e"], "c had nothing else"
        assert table["face"].to_dict() == {"a": False, "a+portrait": True, "b": False, "d": True, "e": True}
        assert table["voice"].to_dict() == {"a": True, "a+portrait": False, "b": True, "d": True, "e": False}
        assert table["emotion"].to_dict() == {"a": "happy", "a+portrait": "", "b": "sad", "d": "sad", "e": "sad"}
        assert table.loc["a+portrait", "speaker"] == "Ada"
        assert np.array_equal(store.faces(["a+portrait"])[0], PICTURES[0])
        assert np.array_equal(store.voice("b"), SOUNDS[0])
        assert len(store.voice("a+portrait")) == 0
        assert store.copies == {("face", clip): "a+portrait" for clip in ("a", "b", "c")}
        assert store.left_out["reason"].str.contains("a picture under several emotions shows none").sum() == 3
        assert (store.meta["voices"], store.meta["faces"]) == (3, 3)


def test_a_portrait_takes_only_labels_that_all_its_clips_share(tmp_path):
    labels = [
        {"clip": f"{n}", "speaker": "Ada", "emotion": emotion, "age": age, "sex": "female", "group": group, "face": "p"}
        for n, (emotion, age, group) in enumerate([("sad", 30.0, "x"), ("happy", 31.0, "y"), ("calm", 30.0, "x")])
    ]
    writer = StoreWriter(tmp_path, "made", 16_000, 4, pd.DataFrame(labels))
    for row in range(3):
        writer.add(row, SOUNDS[row], PICTURES[0])
    writer.commit(3)
    writer.close()
    (row,) = Store(tmp_path).clips.query("face").to_dict("records")
    assert (row["clip"], row["sex"], row["emotion"], row["group"]) == ("0+portrait", "female", "", "")
    assert np.isnan(row["age"])


def test_what_differs_by_one_sample_is_no_copy(tmp_path):
    SOUNDS[3] = SOUNDS[0]
    SOUNDS[3, 7] += 1
    store = stored(tmp_path, ("a", "Ada", "sad", 0, 0), ("b", "Bea", "sad", 3, 1))
    assert store.clips["voice"].all()
    assert store.left_out.empty


def test_a_published_list_asks_about_the_original_instead(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("Ada/1.wav Ada/b.jpg Bea/x.jpg\nAda/2.wav Ada/a.jpg Bea/x.jpg\n")
    copies = {("face", "Ada/b"): "Ada/a", ("voice", "Ada/2"): "Ada/1", ("voice", "Ada/b"): "Ada/q"}
    first, second = read_list(path).by_originals(copies).questions
    assert (first.voice, first.faces) == ("Ada/1", ("Ada/a", "Bea/x"))
    assert (second.voice, second.faces) == ("Ada/1", ("Ada/a", "Bea/x"))
    assert first.same == (True, False)
