"""RAVDESS: names, nestings, one clip from several files, and the protocols over it."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from small_media import touch, write_film, write_tone

from v2f_bench.data.protocol import Protocol
from v2f_bench.datasets.ravdess import Ravdess, RavdessOptions
from v2f_bench.harness.make_bench import make_bench, make_protocol
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, UsageError

EVERYBODY = [f"Actor_{number:02d}" for number in range(1, 25)]


def names(channel, actors=range(1, 25)):
    """All that the source lists: per actor 60 spoken and 44 sung clips, no strong neutral, no song by actor 18."""
    emotions = range(1, 9) if channel == 1 else range(1, 7)
    for actor, emotion, intensity, statement, repetition in product(actors, emotions, (1, 2), (1, 2), (1, 2)):
        if not (emotion == 1 and intensity == 2) and not (channel == 2 and actor == 18):
            yield f"{channel:02d}-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}"


def lay_out(root, channels=(1, 2), actors=range(1, 25), folder="Actor_{actor}"):
    """Empty files with the names of all modalities."""
    for channel in channels:
        for name in names(channel, actors):
            for modality, suffix in (("01", "mp4"), ("02", "mp4"), ("03", "wav")):
                touch(root / folder.format(actor=name[-2:]) / f"{modality}-{name}.{suffix}")
    return root


def index_of(root, **options):
    return Ravdess(RavdessOptions(**options), root).index()


def usable(index):
    return index.assign(voice=index["voice"] != "", face=index["face"] != "").set_index("clip", drop=False)


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("ravdess"))


@pytest.mark.parametrize(("channel", "clips", "actors"), [("speech", 1440, 24), ("song", 1012, 23), ("both", 2452, 24)])
def test_a_complete_copy_has_the_published_numbers(complete, channel, clips, actors):
    dataset = Ravdess(RavdessOptions(channel=channel), complete)
    index = dataset.index()
    assert len(index) == clips
    assert index["clip"].is_unique
    assert not index["fault"].any()
    assert dataset.complete() == {"speakers": actors, "clips": clips}
    assert index["voice"].str.match(r"Actor_\d\d/03-.*\.wav").all(), "the wav, not the compressed track"
    assert index["face"].str.match(r"Actor_\d\d/01-.*\.mp4").all()
    assert (index["sex"] == index["speaker"].str[-2:].astype(int).mod(2).map({1: "male", 0: "female"})).all()
    assert set(index["intensity"]) == {"normal", "strong"}
    assert set(index.loc[index["emotion"] == "neutral", "intensity"]) == {"normal"}
    if channel == "speech":
        assert Counter(index["emotion"]) == Ravdess.card.balance["emotion"]


def test_one_recording_in_three_files_is_one_clip(tmp_path):
    for modality, suffix in (("01", "mp4"), ("02", "mp4"), ("03", "wav")):
        touch(tmp_path / f"Actor_12/{modality}-01-06-01-02-01-12.{suffix}")
    (row,) = index_of(tmp_path).to_dict("records")
    assert (row["voice"], row["face"]) == ("Actor_12/03-01-06-01-02-01-12.wav", "Actor_12/01-01-06-01-02-01-12.mp4")
    assert (row["emotion"], row["intensity"], row["sentence"]) == ("fearful", "normal", "dogs")
    (tmp_path / "Actor_12/03-01-06-01-02-01-12.wav").unlink()
    (row,) = index_of(tmp_path).to_dict("records")
    assert row["voice"] == row["face"] == "Actor_12/01-01-06-01-02-01-12.mp4", "the sound track of the video"
    (tmp_path / "Actor_12/01-01-06-01-02-01-12.mp4").unlink()
    with pytest.raises(DataError, match="MISSING"):
        index_of(tmp_path)
    touch(tmp_path / "Actor_12/03-01-06-01-02-01-12.wav")
    (row,) = index_of(tmp_path).to_dict("records")
    assert row["face"] == "Actor_12/02-01-06-01-02-01-12.mp4", "the silent video has a face too"


@pytest.mark.parametrize(
    "folder", ["Video_Speech_Actor_{actor}/Actor_{actor}", "Audio_Speech_Actors_01-24/actor_{actor}", "x/y"]
)
def test_the_folders_are_no_matter(tmp_path, folder):
    root = lay_out(tmp_path, channels=(1,), actors=(1, 2), folder=folder)
    index = index_of(root)
    assert (len(index), index["fault"].any()) == (120, False)


def test_folders_that_are_links_are_followed_and_each_counts_once(tmp_path):
    lay_out(tmp_path / "disk", channels=(1,), actors=(1,))
    (tmp_path / "data").mkdir()
    for name in ("Actor_01", "again"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "disk/Actor_01")
    (tmp_path / "disk/Actor_01/round").symlink_to(tmp_path / "data")
    index = index_of(tmp_path / "data")
    assert (len(index), index["fault"].any()) == (60, False)


def test_what_is_not_named_rightly_is_told(tmp_path):
    lay_out(tmp_path, channels=(1,), actors=(1,))
    for stray, reason in [
        ("Actor_01/notes.wav", "its name is not modality-channel"),
        ("Actor_01/03-01-09-01-01-01-01.wav", "a number that is not in use"),
        ("Actor_01/03-01-01-01-01-01-25.wav", "a number that is not in use"),
        ("Actor_01/03-01-01-01-01-01-01.mp4", "a number that is not in use"),
        ("Actor_02/03-01-02-01-01-01-03.wav", "its name says actor 03, its folder Actor_02"),
        ("again/Actor_01/03-01-01-01-01-01-01.wav", "another copy of Actor_01/03-01-01-01-01-01-01.wav"),
    ]:
        touch(tmp_path / stray)
        told = index_of(tmp_path)
        fault = told.loc[told["clip"] == stray, "fault"]
        assert len(fault) == 1
        assert reason in fault.iloc[0]
    assert (index_of(tmp_path)["fault"] == "").sum() == 60
    touch(tmp_path / "Actor_01/._03-01-01-01-01-01-01.wav")
    assert len(index_of(tmp_path)) == 66, "hidden files are none"


def test_the_split_is_balanced_in_sex_and_moves_nobody():
    dataset = Ravdess(RavdessOptions(), None)
    split_of = dataset.split(EVERYBODY)
    sexes = Counter((split, int(actor[-2:]) % 2) for actor, split in split_of.items())
    assert sexes == {(s, sex): n for sex in (0, 1) for s, n in (("test", 4), ("validation", 2), ("train", 6))}
    for gone in EVERYBODY:
        assert dataset.split([a for a in EVERYBODY if a != gone]) == {a: s for a, s in split_of.items() if a != gone}


def test_protocols_are_named_for_what_is_there(complete, tmp_path):
    whole = Ravdess(RavdessOptions(), complete)
    protocols = {track: make_protocol(whole, usable(whole.index()), track) for track in ("identity", "emotion")}
    assert {track: protocol.name for track, protocol in protocols.items()} == {
        "identity": "identity-v2-no-face-check",
        "emotion": "emotion-v2-no-face-check",
    }
    assert len(protocols["emotion"].gallery) == 8
    assert protocols["emotion"].dataset["labels"]["emotion"]["06"] == "fearful"
    half = Ravdess(RavdessOptions(), lay_out(tmp_path / "half", (1,), range(1, 13)))
    part = make_protocol(half, usable(half.index()), "identity")
    assert part.name == "identity-v2-no-face-check@12-of-24-speakers"
    assert part.hash != protocols["identity"].hash
    short = usable(whole.index()).iloc[:-7]
    assert make_protocol(whole, short, "emotion").name == "emotion-v2-no-face-check@1433-of-1440-clips"
    song = Ravdess(RavdessOptions(channel="song"), complete)
    assert make_protocol(song, usable(song.index()), "identity").name == "identity-v2-no-face-check", (
        "23 singers are all singers"
    )


def test_the_label_map_comes_back_from_the_file(complete, tmp_path):
    dataset = Ravdess(RavdessOptions(), complete)
    protocol = make_protocol(dataset, usable(dataset.index()), "emotion")
    path = tmp_path / "protocol.json"
    path.write_text(protocol.to_json())
    assert Protocol.read(path).dataset["labels"] == Ravdess.labels


def test_a_split_of_clips_says_so(complete):
    dataset = Ravdess(RavdessOptions(split="clip-8-2"), complete)
    protocol = make_protocol(dataset, usable(dataset.index()), "emotion")
    assert protocol.name == "emotion-clip-8-2-v2-no-face-check"
    sizes = {split: len(clips) / 1440 for split, clips in protocol.splits.items()}
    assert sizes["test"] == pytest.approx(0.2, abs=0.04)
    assert sum(sizes.values()) == 1
    speakers = {split: {clip[:8] for clip in clips} for split, clips in protocol.splits.items()}
    assert speakers["train"] == speakers["test"] == set(EVERYBODY)


def test_an_option_that_is_none():
    from v2f_bench.interfaces import apply_settings

    with pytest.raises(UsageError, match="speech, song, both"):
        apply_settings(RavdessOptions(), ["channel=opera"], "ravdess")


def test_real_files_from_disk_to_store(tmp_path):
    """A film of a face with its sound, the same sound as a wav: one clip, with the wav's voice and the film's face."""
    from v2f_bench.datasets.synthetic_speakers import SyntheticSpeakers
    from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions

    made = SyntheticSpeakers(SyntheticOptions(speakers=1, clips=1), None)
    entry = made.index()["face"][0]
    samples, rate = made.read_voice(entry)
    face = np.pad(made.read_face(entry, 128), ((20, 20), (60, 60), (0, 0)), constant_values=128)
    root = tmp_path / "data"
    write_film(root / "Actor_01/01-01-01-01-01-01-01.mp4", face.repeat(2, 0).repeat(2, 1), samples, rate)
    write_tone(root / "Actor_01/03-01-01-01-01-01-01.wav", seconds=1.0, rate=48_000)
    write_tone(root / "Actor_01/03-01-02-01-01-01-01.wav", seconds=1.0, rate=48_000)
    touch(root / "Actor_01/03-01-03-01-01-01-01.wav")
    store = prepare(Ravdess(RavdessOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1))
    clip = "Actor_01/01-01-01-01-01"
    assert store.clips["voice"].to_dict() == {clip: True, "Actor_01/01-02-01-01-01": True}
    assert store.clips["face"].to_dict() == {clip: True, "Actor_01/01-02-01-01-01": False}
    assert store.clips.loc[clip, "voice_samples"] == pytest.approx(16_000, abs=2), "the wav, at the store's rate"
    assert store.faces([clip]).std() > 20
    assert list(store.left_out["clip"]) == ["Actor_01/01-03-01-01-01"]
    with pytest.raises(DataError, match="too few speakers"):
        make_bench(Ravdess(RavdessOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1))


def test_the_real_recordings(shared_data):
    """Twelve actors, eight emotions, one sentence, sound only."""
    root = shared_data / "ravdess"
    if not root.is_dir():
        pytest.skip(f"not at {root}")
    dataset = Ravdess(RavdessOptions(), root)
    index = dataset.index()
    assert (len(index), index["speaker"].nunique(), index["fault"].any()) == (96, 12, False)
    assert set(Counter(index["emotion"]).values()) == {12}
    samples, rate = dataset.read_voice(index["voice"][0])
    assert (rate, samples.ndim) == (48_000, 1)
    assert [part.found for part in dataset.parts()] == [True, False]
