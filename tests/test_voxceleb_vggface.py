"""The folder of VoxCeleb1 and VGGFace, as people have it: made-up ones with all their corners, and a real one."""

import csv
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from small_media import write_noise, write_tone

from v2f_bench.data.tracks import identity_protocol
from v2f_bench.datasets.log_mel_archive import read_log_mel
from v2f_bench.datasets.voxceleb_vggface import VoxcelebVggface, VoxcelebVggfaceOptions
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError

# VoxCeleb1 id, VGGFace name, sex, nationality, and the split of the field by the name's first letter.
PEOPLE = [
    ("id10001", "A.B._Alder", "m", "Ireland", "validation"),
    ("id10002", "Berta_Birch", "f", "USA", "validation"),
    ("id10003", "Cai_McCedar", "m", "USA", "test"),
    ("id10004", "Erna_Elm", "f", "U.S. Virgin Islands", "test"),
    ("id10005", "Frida_Fir", "f", "India", "train"),
    ("id10006", "Zelda_Yew", "f", "USA", "train"),
]
HEADER = ("VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality", "Set")
FORMS = {
    "unzippedFaces": "unzippedFaces/{name}/1.6/{video}/{frame}.jpg",
    "VGG_ALL_FRONTAL": "VGG_ALL_FRONTAL/{name}/{frame}.jpg",
}


def write_meta(root, separator="\t", padding="", people=PEOPLE, end="\n", encoding="utf-8"):
    rows = [HEADER, *((*person[:4], "dev") for person in people)]
    text = end.join(separator.join(f"{padding}{cell}{padding}" for cell in row) for row in rows) + end
    (root / "vox1_meta.csv").write_bytes(text.encode(encoding))


def lay_out(root, form="unzippedFaces"):
    """Two wavs of one video and one of another, and three pictures of two videos, of each of PEOPLE."""
    root.mkdir(exist_ok=True)
    write_meta(root)
    for identity, name, *_ in PEOPLE:
        for video, segment in (("vidAAAAAAAA", "00001"), ("vidAAAAAAAA", "00002"), ("vid-_BBBBBB", "00001")):
            write_tone(root / "wav" / identity / video / f"{segment}.wav")
        for video, frame in (("vidAAAAAAAA", "0000010"), ("vidAAAAAAAA", "0000020"), ("vid-_BBBBBB", "0000030")):
            write_noise(root / FORMS[form].format(name=name, video=video, frame=frame))
    return root


def index_of(root, faces="auto"):
    return VoxcelebVggface(VoxcelebVggfaceOptions(faces=faces), root).index()


@pytest.mark.parametrize("form", FORMS)
def test_index_of_both_forms(tmp_path, form):
    root = lay_out(tmp_path / "data", form)
    index = index_of(root)
    assert index["clip"].is_unique
    assert not index["fault"].any()
    voices, faces = index[index["voice"] != ""], index[index["face"] != ""]
    assert len(voices) == len(faces) == 3 * len(PEOPLE)
    assert len(index) == 6 * len(PEOPLE), "a row is a voice or a face: nothing links the two in time"
    for identity, name, sex, nationality, _ in PEOPLE:
        for rows in (voices[voices["speaker"] == name], faces[faces["speaker"] == name]):
            assert len(rows) == 3
            assert set(rows["sex"]) == {{"m": "male", "f": "female"}[sex]}
            assert set(rows["nationality"]) == {nationality}
        assert all(path.startswith(f"wav/{identity}/") for path in voices.loc[voices["speaker"] == name, "voice"])
    assert all((root / path).is_file() for path in [*voices["voice"], *faces["face"]])
    assert Counter(voices["group"]) == {"vidAAAAAAAA": 2 * len(PEOPLE), "vid-_BBBBBB": len(PEOPLE)}
    videos = {"vidAAAAAAAA": 2 * len(PEOPLE), "vid-_BBBBBB": len(PEOPLE)}
    assert Counter(faces["group"]) == (videos if form == "unzippedFaces" else {"": 3 * len(PEOPLE)})


def test_split_by_the_first_letter_of_the_name():
    names = {name: split for _, name, _, _, split in PEOPLE} | {
        **{"Dora_Dogwood": "test", "Fred_Fig": "train", "Bo_Beech": "validation", "eddie_ebony": "test"},
        **{"50_Larch": "train", "Élodie_Oak": "train"},
    }
    assert VoxcelebVggface(VoxcelebVggfaceOptions(), None).split(list(names)) == names


@pytest.mark.parametrize(
    "form",
    [
        {"separator": "\t"},
        {"separator": ","},
        {"separator": ",", "padding": " "},
        {"separator": "\t", "padding": "  "},
        {"separator": "\t", "end": "\r\n"},
        {"separator": "\t", "encoding": "utf-8-sig"},
        {"separator": ",", "end": "\n\n"},
    ],
)
def test_every_dialect_of_the_metadata_says_the_same(tmp_path, form):
    root = lay_out(tmp_path / "data")
    plain = index_of(root)
    write_meta(root, **form)
    pd.testing.assert_frame_equal(index_of(root), plain)


def test_hidden_and_foreign_files_are_no_clips(tmp_path):
    root = lay_out(tmp_path / "data")
    plain = index_of(root)
    write_tone(root / "wav/id10001/vidAAAAAAAA/._00001.wav")
    write_tone(root / "wav/id10001/.AppleDouble/00001.wav")
    write_noise(root / "unzippedFaces/Berta_Birch/1.6/vidAAAAAAAA/._0000010.jpg")
    write_noise(root / "unzippedFaces/Berta_Birch/.thumbnails/vidAAAAAAAA/0000011.jpg")
    for stray in ("wav/id10001/notes.txt", "wav/id10001/vidAAAAAAAA/00001.mp4", "unzippedFaces/Thumbs.db"):
        (root / stray).write_text("stray")
    pd.testing.assert_frame_equal(index_of(root), plain)
    (root / "wav/id10001/vidAAAAAAAA/00001.wav").rename(root / "wav/id10001/vidAAAAAAAA/00001.WAV")
    assert len(index_of(root)) == len(plain), "capital suffixes are the same suffixes"


def test_who_is_not_in_the_metadata_is_left_out_with_the_reason(tmp_path):
    root = lay_out(tmp_path / "data")
    write_meta(root, people=[person for person in PEOPLE if person[0] != "id10005"])
    store = prepare(VoxcelebVggface(VoxcelebVggfaceOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1))
    assert "Frida_Fir" not in set(store.clips["speaker"])
    assert len(store.clips) == 6 * (len(PEOPLE) - 1)
    assert Counter(store.left_out["reason"]) == {
        **{"id10005 is not in vox1_meta.csv": 3, "Frida_Fir is not in vox1_meta.csv": 3}
    }


def test_two_files_of_one_clip_name_are_one_clip(tmp_path):
    root = lay_out(tmp_path / "data", "VGG_ALL_FRONTAL")
    write_noise(root / "VGG_ALL_FRONTAL/Zelda_Yew/0000010.png")
    store = prepare(VoxcelebVggface(VoxcelebVggfaceOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1))
    assert store.clips["clip"].is_unique
    (reason,) = store.left_out["reason"]
    assert "VGG_ALL_FRONTAL/Zelda_Yew/0000010.png" in reason
    assert store.faces(["Zelda_Yew/0000010"]).shape[0] == 1


def told(root, faces="auto"):
    """What is said about a folder that cannot be used: the lines found, and the lines missing."""
    with pytest.raises(DataError) as caught:
        index_of(root, faces)
    text = str(caught.value)
    assert str(root) in text
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith("  ")]
    return text, *([rest for mark, rest in lines if mark == wanted] for wanted in ("found", "MISSING"))


META, WAVS = "vox1_meta.csv", "wav/<VoxCeleb1 id>/<video>/<segment>.wav"
VOICES = f"{WAVS} or fbank/<VoxCeleb1 id or VGGFace name>/**/*.npy"
FRONTAL, FRAMES = "VGG_ALL_FRONTAL/<VGGFace name>/*.jpg", "unzippedFaces/<VGGFace name>/1.6/<video>/<frame>.jpg"


def test_a_missing_or_empty_folder_lists_all_that_is_missing(tmp_path):
    text, found, missing = told(tmp_path / "nowhere")
    assert "does not exist" in text
    assert (found, missing) == ([], [META, VOICES, f"{FRONTAL} or {FRAMES}"])
    (tmp_path / "empty").mkdir()
    text, found, missing = told(tmp_path / "empty")
    assert "holds nothing" in text
    assert (found, missing) == ([], [META, VOICES, f"{FRONTAL} or {FRAMES}"])
    assert "--data-root" in text
    assert "V2F_BENCH_VOXCELEB_VGGFACE" in text


@pytest.mark.parametrize(
    ("gone", "expected_missing"),
    [("vox1_meta.csv", META), ("wav", VOICES), ("unzippedFaces", f"{FRONTAL} or {FRAMES}")],
)
def test_one_missing_part_is_the_only_one_called_missing(tmp_path, gone, expected_missing):
    root = lay_out(tmp_path / "data")
    (root / gone).rename(tmp_path / "away")
    text, found, missing = told(root)
    assert missing == [expected_missing]
    there = {META: f"{META} ({len(PEOPLE)} people)", VOICES: WAVS, f"{FRONTAL} or {FRAMES}": FRAMES}
    assert found == [line for part, line in there.items() if part != expected_missing]
    held = ", ".join(sorted({"vox1_meta.csv", "wav", "unzippedFaces"} - {gone}))
    assert f"it holds {held}\n" in text


def test_folders_without_a_single_usable_file_are_missing(tmp_path):
    root = lay_out(tmp_path / "data")
    for path in [*root.rglob("*.wav"), *root.rglob("*.jpg")]:
        path.rename(path.with_suffix(".part"))
    assert told(root)[2] == [VOICES, f"{FRONTAL} or {FRAMES}"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id,name,sex\nid10001,A.B._Alder,m\n", "no column VoxCeleb1 ID, VGGFace1 ID, Gender, Nationality; it has"),
        (b"VoxCeleb1 ID\tVGGFace1 ID\tGender\nid1\tAda\tf\n", "no column Nationality; it has VoxCeleb1 ID"),
        (b"", "not readable as a table"),
        (
            "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\nid1\tRowán_Ash\tf\tSpain\n".encode("latin-1"),
            "not readable",
        ),
        (bytes(range(256)), "not readable as a table"),
    ],
)
def test_a_metadata_file_that_cannot_be_used_is_named(tmp_path, content, reason):
    root = lay_out(tmp_path / "data")
    (root / "vox1_meta.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"vox1_meta\.csv: .*{reason}"):
        index_of(root)


def test_the_option_picks_the_form_of_faces(tmp_path):
    root = lay_out(lay_out(tmp_path / "data"), "VGG_ALL_FRONTAL")
    for option, folder in (("auto", "VGG_ALL_FRONTAL"), *((form, form) for form in FORMS)):
        faces = index_of(root, option)["face"]
        assert {path.split("/")[0] for path in faces if path} == {folder}
    only_frames = lay_out(tmp_path / "frames")
    assert told(only_frames, "VGG_ALL_FRONTAL")[2] == [FRONTAL]


def test_the_frames_show_all_listed_people_and_vggface_s_pictures_fewer(tmp_path):
    for form, people in (("unzippedFaces", 1251), ("VGG_ALL_FRONTAL", 1225)):
        dataset = VoxcelebVggface(VoxcelebVggfaceOptions(faces=form), lay_out(tmp_path / form, form))
        assert dataset.complete() == {"speakers": people}


def log_mel_of(samples, normalise):
    """Our own log-mel features of a recording, as the archive has them: float32 [frames, 64]."""
    import torch

    from v2f_bench import Voices
    from v2f_bench.audio import log_mel

    voices = Voices(torch.from_numpy(samples)[None], torch.tensor([len(samples)]), 16_000)
    return log_mel(voices, normalise=normalise)[0][0].numpy().T


@pytest.mark.parametrize("normalise", ["band", "none"])
def test_a_recording_rebuilt_from_features_has_these_features(tmp_path, normalise):
    from v2f_bench.datasets.synthetic_speakers import SyntheticSpeakers
    from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions

    made = SyntheticSpeakers(SyntheticOptions(speakers=2, clips=1), None)
    root = lay_out(tmp_path / "data")
    (root / "wav").rename(tmp_path / "away")
    for entry, (identity, name, *_) in zip(made.index()["voice"], PEOPLE, strict=False):
        samples, _ = made.read_voice(entry)
        folder = root / "fbank" / (identity if normalise == "band" else name) / "vidAAAAAAAA"
        folder.mkdir(parents=True)
        np.save(folder / "00001.npy", log_mel_of(samples, normalise))
        dataset = VoxcelebVggface(VoxcelebVggfaceOptions(), root)
        index = dataset.index()
        (row,) = index[(index["voice"] != "") & (index["speaker"] == name)].to_dict("records")
        assert row["group"] == "vidAAAAAAAA"
        rebuilt, rate = dataset.read_voice(row["voice"])
        assert (rate, rebuilt.dtype, rebuilt.ndim) == (16_000, np.float32, 1)
        assert np.abs(rebuilt).max() == pytest.approx(0.5)
        assert len(rebuilt) == pytest.approx(len(samples), abs=160)
        given, again = log_mel_of(samples, "band"), log_mel_of(rebuilt, "band")
        shared = min(len(given), len(again))
        assert np.corrcoef(given[:shared].ravel(), again[:shared].ravel())[0, 1] > 0.95
        assert np.array_equal(dataset.read_voice(row["voice"])[0], rebuilt), "always the same"


def test_the_protocol_names_the_form_of_the_voices(tmp_path):
    root = lay_out(tmp_path / "data")
    (root / "fbank/id10001").mkdir(parents=True)
    np.save(root / "fbank/id10001/00001.npy", np.zeros((200, 64), np.float32))
    for asked, form in (("auto", "wav"), ("wav", "wav"), ("fbank", "fbank")):
        dataset = VoxcelebVggface(VoxcelebVggfaceOptions(voices=asked), root)
        assert (dataset.opt.voices, dataset.opt.faces) == (form, "unzippedFaces")
        assert {path.split("/")[0] for path in dataset.index()["voice"] if path} == {form}


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((64, 200), np.float32), "not log-mel features"),
        (np.zeros((0, 64), np.float32), "not log-mel features"),
        (np.full((200, 64), np.nan, np.float32), "not all finite"),
        (np.array([{"os": "system"}], dtype=object), "not readable as an array"),
        (b"no array", "not readable as an array"),
        (b"", "not readable as an array"),
    ],
)
def test_features_that_are_none_are_named(tmp_path, array, reason):
    path = tmp_path / "00001.npy"
    if isinstance(array, bytes):
        path.write_bytes(array)
    else:
        np.save(path, array, allow_pickle=True)
    with pytest.raises(DataError, match=rf"00001\.npy: .*{reason}"):
        read_log_mel(path)


def test_the_real_folder_has_what_its_readme_says(shared_data):
    """328 clips (a voice and a face each) of 130 people: 13 in A-B, 22 in C-E, 95 in F-Z."""
    root = shared_data / "voxceleb-vggface"
    if not root.is_dir():
        pytest.skip(f"not at {root}")
    dataset = VoxcelebVggface(VoxcelebVggfaceOptions(), root)
    index = dataset.index()
    assert not index["fault"].any()
    assert ((index["voice"] != "").sum(), (index["face"] != "").sum()) == (328, 328)
    speakers = sorted(index["speaker"].unique())
    split_of = dataset.split(speakers)
    assert Counter(split_of.values()) == {"validation": 13, "test": 22, "train": 95}
    assert index.groupby("speaker")["sex"].nunique().eq(1).all()
    with (root / "vox1_meta.csv").open(newline="") as stream:
        listed = {row["VGGFace1 ID"]: row for row in csv.DictReader(stream, delimiter="\t")}
    for speaker, sex, nationality in set(zip(index["speaker"], index["sex"], index["nationality"], strict=True)):
        assert (sex[0], nationality) == (listed[speaker]["Gender"], listed[speaker]["Nationality"])
    clips = index.assign(voice=index["voice"] != "", face=index["face"] != "").set_index("clip", drop=False)
    protocol = identity_protocol({"name": "voxceleb-vggface", "version": "1", "options": {}}, clips, split_of)
    assert len(protocol.gallery) == 22


def test_the_real_aligned_pictures(shared_data):
    """11 people with 40 pictures each; the metadata is complete: 1,251 names in the field's 942, 116 and 193."""
    root = shared_data / "vgg-all-frontal"
    if not root.is_dir():
        pytest.skip(f"not at {root}")
    dataset = VoxcelebVggface(VoxcelebVggfaceOptions(), root)
    index = dataset.index()
    faces = index[index["face"] != ""]
    assert faces["face"].str.startswith("VGG_ALL_FRONTAL/").all()
    assert Counter(faces["speaker"].value_counts()) == {40: 11}
    assert (index["voice"] != "").sum() == 2
    assert not index["fault"].any()
    assert dataset.read_face(faces["face"].iloc[0], 64).shape == (128, 128, 3)
    names = (root / "vox1_meta.csv").read_text().splitlines()[1:]
    split_of = dataset.split([line.split("\t")[1] for line in names])
    assert Counter(split_of.values()) == {"train": 942, "validation": 116, "test": 193}
