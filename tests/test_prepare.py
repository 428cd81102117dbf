"""Files into a store: the good unchanged, the bad left out once and by name, and nothing done twice."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from v2f_bench.data.store import Store, StoredClips
from v2f_bench.data.store_writer import StoreWriter
from v2f_bench.harness.doctor import examine
from v2f_bench.harness.prepare import FACE_SIZES, fingerprint, prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Card, DataError, PluginError
from v2f_bench.media.file_dataset import FileDataset

RATE = 16_000
TONE = (0.3 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
FACE_SIZE = FACE_SIZES[0]
RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (FACE_SIZE, FACE_SIZE, 3), np.uint8)


class Folder(FileDataset):
    """Each file of a folder, by name: `<clip>.<suffix>`, a wav and a picture of one clip being one row."""

    name = "folder"
    card = Card("", "", "", "", "")

    def __init__(self, root):
        super().__init__(self.options(), root)
        self.read = Counter()

    def index(self):
        rows = {}
        for path in sorted(self.root.iterdir()):
            row = rows.setdefault(path.stem, {"clip": path.stem, "speaker": path.stem[0], "voice": "", "face": ""})
            row["voice" if path.suffix == ".wav" else "face"] = path.name
        return pd.DataFrame(list(rows.values()))

    def split(self, speakers):
        return dict.fromkeys(speakers, "train")

    def read_voice(self, entry):
        self.read[entry] += 1
        return super().read_voice(entry)

    def read_face(self, entry, side):
        self.read[entry] += 1
        return super().read_face(entry, side)


@pytest.fixture
def root(tmp_path):
    """A folder with one clip that is good in both parts, and like no other: a copy would be set aside."""
    folder = tmp_path / "data"
    folder.mkdir()
    soundfile.write(folder / "good.wav", TONE / 2, RATE)
    Image.fromarray(PICTURE[::-1]).save(folder / "good.png")
    return folder


def prepared(root, dataset=None):
    return prepare(dataset or Folder(root), Workplace(cache=root.parent / "cache", jobs=1))


def truncated(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def bad_wav(path, kind):
    samples, options = TONE, {}
    if kind == "infinite":
        samples, options = np.where(np.arange(RATE) == 99, np.inf, TONE), {"subtype": "FLOAT"}
    elif kind == "nearly silent":
        samples, options = TONE * 1e-6, {"subtype": "FLOAT"}
    samples = {"empty": TONE[:0], "silent": 0 * TONE, "short": TONE[: RATE // 2 - 1]}.get(kind, samples)
    soundfile.write(path, samples, RATE, **options)
    if kind == "truncated":
        truncated(path)
    elif kind == "no bytes":
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated", "truncated: 79[0-9]+ of 16000 samples"),
        ("empty", "holds no sound"),
        ("no bytes", "not readable as sound"),
        ("silent", "silent"),
        ("nearly silent", "silent"),
        ("short", "0.50 s is too short"),
        ("infinite", "not finite"),
    ],
)
def test_a_bad_voice_is_left_out_once_by_name_and_its_face_stays(root, kind, reason):
    bad_wav(root / "half.wav", kind)
    Image.fromarray(PICTURE).save(root / "half.png")
    bad_wav(root / "lone.wav", kind)
    store = prepared(root)
    assert list(store.left_out["clip"]) == ["half", "lone"]
    assert store.left_out["reason"].str.contains(reason).all()
    assert "half.wav" in store.left_out["reason"][0]
    assert "lone.wav" in store.left_out["reason"][1]
    assert list(store.clips["clip"]) == ["good", "half"], "a clip with nothing left is no clip"
    assert store.clips.loc["half", ["voice", "face"]].tolist() == [False, True]
    assert np.array_equal(store.faces(["half"])[0], PICTURE)
    assert store.meta["left_out"] == 2


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("truncated", "not readable"), ("text", "not readable"), ("black", "blank"), ("one colour", "blank")],
)
def test_a_bad_picture_is_left_out_once_by_name_and_its_voice_stays(root, kind, reason, suffix):
    path = root / f"half.{suffix}"
    colour = {"black": (0, 0, 0), "one colour": (20, 80, 240)}.get(kind)
    Image.fromarray(PICTURE if colour is None else np.full((90, 70, 3), colour, np.uint8)).save(path)
    if kind == "truncated":
        truncated(path)
    elif kind == "text":
        path.write_text("no picture")
    soundfile.write(root / "half.wav", TONE, RATE)
    store = prepared(root)
    assert store.left_out["clip"].tolist() == ["half"]
    assert path.name in store.left_out["reason"][0]
    assert reason in store.left_out["reason"][0]
    assert store.clips.loc["half", ["voice", "face"]].tolist() == [True, False]
    assert len(store.voice("half")) == RATE
    with pytest.raises(PluginError, match="half has no face"):
        store.faces(["good", "half"])


def test_a_damaged_picture_never_stops_the_others(root):
    rng = np.random.default_rng(1)
    for number in range(80):
        path = root / f"x{number:03d}.{('png', 'jpg')[number % 2]}"
        Image.fromarray(PICTURE[:24, :24]).save(path)
        data = bytearray(path.read_bytes())
        for place in rng.integers(0, min(len(data), 300), 4):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
    store = prepared(root)
    assert len(store.clips) + len(store.left_out) == 81
    assert 20 < len(store.left_out) < 80


def test_a_png_with_a_broken_chunk_is_left_out(root):
    """Pillow tells it by a SyntaxError."""
    data = bytearray((root / "good.png").read_bytes())
    length = data.index(b"IDAT") - 4
    data[length : length + 4] = (200).to_bytes(4)  # shorter than it is: what follows is no chunk
    (root / "broken.png").write_bytes(bytes(data))
    store = prepared(root)
    assert list(store.clips["clip"]) == ["good"]
    assert "broken.png" in store.left_out["reason"][0]


def test_a_wav_whose_comment_says_data_is_whole(root):
    with soundfile.SoundFile(root / "told.wav", "w", RATE, 1) as sound:
        sound.comment = "all my data is here"
        sound.write(TONE)
    data = (root / "told.wav").read_bytes()
    assert data.find(b"data is") < data.find(b"data", data.find(b"data is") + 4), "the comment comes before the samples"
    assert np.array_equal(prepared(root).voice("told"), soundfile.read(root / "told.wav", dtype="int16")[0])
    truncated(root / "told.wav")
    assert "truncated: 79" in prepared(root).left_out["reason"][0]


def test_a_store_of_nothing_but_bad_files_can_be_opened(root):
    for path in root.iterdir():
        truncated(path)
    store = prepared(root)
    assert store.clips.empty
    assert set(store.left_out["clip"]) == {"good"}
    assert len(store.left_out) == 2, "a reason for each part"


def test_both_parts_come_back_as_they_were(root):
    store = prepared(root)
    assert np.array_equal(store.faces(["good"])[0], PICTURE[::-1])
    written, _ = soundfile.read(root / "good.wav", dtype="int16")
    assert np.array_equal(store.voice("good"), written)


def test_loud_samples_come_back_as_they_were(root):
    loud = np.arange(-32768, 32767, 4, dtype=np.int16)
    soundfile.write(root / "loud.wav", loud, RATE)
    assert np.array_equal(prepared(root).voice("loud"), loud)


def test_a_stereo_recording_at_another_rate_is_mixed_and_resampled(root):
    time = np.arange(2 * 44_100) / 44_100
    left, right = 0.3 * np.sin(2 * np.pi * 440 * time), 0.3 * np.sin(2 * np.pi * 1000 * time)
    too_high = 0.3 * np.sin(2 * np.pi * 9000 * time)  # above half of 16 kHz: must vanish, not fold down to 7 kHz
    soundfile.write(root / "stereo.wav", np.stack([left + too_high, right + too_high], axis=1), 44_100)
    voice = prepared(root).voice("stereo") / 32768
    assert len(voice) == 2 * RATE
    there = np.arange(2 * RATE) / RATE
    analytic = 0.15 * np.sin(2 * np.pi * 440 * there) + 0.15 * np.sin(2 * np.pi * 1000 * there)
    middle = slice(1000, -1000)
    assert np.abs(voice - analytic)[middle].max() < 2e-3
    mono = soundfile.read(root / "stereo.wav")[0].mean(axis=1)
    assert np.abs(voice - soxr.resample(mono, 44_100, RATE, quality="VHQ"))[middle].max() < 2e-3


def smooth(height, width):
    return np.add.outer(np.linspace(20, 120, height), np.linspace(10, 110, width)).astype(np.uint8)


def pixels_of(root, picture, name="made.png"):
    picture.save(root / name)
    store = prepared(root)
    assert store.left_out.empty, store.left_out["reason"].tolist()
    return store.faces(["made"])[0].astype(int)


def test_grey_pictures_become_three_equal_channels(root):
    grey = smooth(FACE_SIZE, FACE_SIZE)
    face = pixels_of(root, Image.fromarray(grey))
    assert np.array_equal(face, np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_pictures_are_scaled_not_clipped(root, suffix):
    grey = smooth(FACE_SIZE, FACE_SIZE)
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    face = pixels_of(root, deep, f"made.{suffix}")
    assert np.abs(face - grey[:, :, None]).max() <= 1


def test_alpha_and_palettes_leave_the_colours_alone(root):
    colours = np.stack([smooth(FACE_SIZE, FACE_SIZE) // 8 * 8, *[np.full((FACE_SIZE, FACE_SIZE), 90, np.uint8)] * 2], 2)
    alpha = np.full((FACE_SIZE, FACE_SIZE, 1), 255, np.uint8)
    assert np.array_equal(pixels_of(root, Image.fromarray(np.concatenate([colours, alpha], axis=2))), colours)
    few = Image.fromarray(colours).quantize(64)
    assert np.array_equal(pixels_of(root, few), np.asarray(few.convert("RGB")))


@pytest.mark.parametrize("shape", [(300, 128), (128, 300), (301, 128), (128, 129)])
def test_the_middle_of_a_picture_that_is_not_square(root, shape):
    pixels = RNG.integers(0, 256, (*shape, 3), np.uint8)
    top, left = ((side - FACE_SIZE) // 2 for side in shape)
    face = pixels_of(root, Image.fromarray(pixels))
    assert np.array_equal(face, pixels[top : top + FACE_SIZE, left : left + FACE_SIZE])


def test_a_picture_of_another_size_is_resized_not_cut(root):
    """Corners of four colours stay in their corners at both a larger and a smaller size."""
    for side in (32, 100, 384):
        pixels = np.zeros((side, side, 3), np.uint8)
        pixels[: side // 2, side // 2 :] = (255, 0, 0)
        pixels[side // 2 :, : side // 2] = (0, 255, 0)
        pixels[side // 2 :, side // 2 :] = (0, 0, 255)
        face = pixels_of(root, Image.fromarray(pixels))
        assert face.shape == (FACE_SIZE, FACE_SIZE, 3)
        for row, column, colour in ((20, 20, (0, 0, 0)), (20, 108, (255, 0, 0)), (108, 20, (0, 255, 0))):
            assert np.abs(face[row, column] - colour).max() <= 2
        assert np.abs(face.mean(axis=(0, 1)) - 255 / 4).max() < 4


class Plugin(Folder):
    """A data set that makes its media itself, not always well."""

    voices = {"a": TONE, "b": TONE}  # noqa: RUF012

    def index(self):
        return pd.DataFrame([{"clip": name, "speaker": name, "voice": name, "face": name} for name in self.voices])

    def read_voice(self, entry):
        made = self.voices[entry]
        if isinstance(made, Exception):
            raise made
        return made, RATE

    def read_face(self, entry, side):
        return np.roll(PICTURE, ord(entry[-1]), axis=0)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (np.where(np.arange(RATE) == 99, np.nan, TONE).astype(np.float32), "b: .*not finite"),
        (np.full(RATE, np.nan, np.float32), "b: .*not finite"),
        (TONE[:0], "b: 0.00 s is too short"),
        (DataError("b: the tape is torn"), "b: the tape is torn"),
    ],
)
def test_what_a_plugin_makes_badly_is_left_out(root, made, reason):
    dataset = Plugin(root)
    dataset.voices = {"a": TONE, "b": made, "c": TONE / 2}
    store = prepared(root, dataset)
    assert store.left_out["clip"].tolist() == ["b"]
    assert store.left_out["reason"].str.contains(reason).all()
    assert store.clips["voice"].tolist() == [True, False, True]
    assert np.abs(store.voice("c") * 2 - store.voice("a")).max() <= 1


def test_a_bug_in_a_plugins_reading_costs_one_clip_and_is_told(root):
    dataset = Plugin(root)
    dataset.voices = {"a": TONE, "clip-b": KeyError("no such key"), "c": TONE / 2}
    store = prepared(root, dataset)
    assert store.clips["voice"].to_dict() == {"a": True, "clip-b": False, "c": True}
    (told,) = store.left_out["reason"]
    assert "clip-b" in told
    assert "crashed: KeyError: 'no such key'" in told


def test_nothing_is_read_twice(root):
    first, second = Folder(root), Folder(root)
    store = prepared(root, first)
    assert first.read == {"good.wav": 1, "good.png": 1}
    again = prepared(root, second)
    assert not second.read
    assert again.folder == store.folder


@pytest.mark.parametrize("change", ["time of the voice", "time of the face", "size", "new file", "file gone"])
def test_a_changed_folder_is_another_store(root, change):
    old = prepared(root)
    voice, face = root / "good.wav", root / "good.png"
    if change == "size":
        same_time = face.stat().st_mtime_ns
        Image.fromarray(PICTURE[::-1] // 2).save(face)
        os.utime(face, ns=(same_time, same_time))
    elif change == "new file":
        soundfile.write(root / "more.wav", TONE, RATE)
    elif change == "file gone":
        face.unlink()
    else:
        path = voice if "voice" in change else face
        later = path.stat().st_mtime_ns + 1_000_000
        os.utime(path, ns=(later, later))
    dataset = Folder(root)
    new = prepared(root, dataset)
    assert new.folder != old.folder
    assert dataset.read
    assert old.faces(["good"]).any(), "the old one is left for those who have it open"


def swap_by_renaming(one, other):
    for source, target in ((one, "aside"), (other, one.name), (one.with_name("aside"), other.name)):
        source.rename(one.with_name(target))


def swap_by_writing(one, other):
    times = {path: path.stat().st_mtime_ns for path in (one, other)}
    data = one.read_bytes(), other.read_bytes()
    other.write_bytes(data[0])
    one.write_bytes(data[1])
    for path, time in times.items():
        os.utime(path, ns=(time, time))


@pytest.mark.parametrize("swap", [swap_by_renaming, swap_by_writing])
@pytest.mark.parametrize("suffix", ["wav", "png"])
def test_files_that_change_places_are_another_store_though_size_and_time_are_the_same(root, swap, suffix):
    for number, name in enumerate("ab"):
        soundfile.write(root / f"{name}.wav", np.roll(TONE, 7 * number) / (2 + number), RATE)
        pixels = np.roll(PICTURE, number, axis=1)
        (root / f"{name}.png").write_bytes(b"")
        Image.fromarray(pixels).save(root / f"{name}.png", compress_level=0)
        for kind in ("wav", "png"):
            os.utime(root / f"{name}.{kind}", ns=(10**18, 10**18))
    one, other = root / f"a.{suffix}", root / f"b.{suffix}"
    assert one.stat().st_size == other.stat().st_size
    before = prepared(root)
    voices, faces = ({clip: part(clip) for clip in "ab"} for part in (before.voice, lambda c: before.faces([c])[0]))
    swap(one, other)
    assert one.stat().st_mtime_ns == other.stat().st_mtime_ns == 10**18
    after = prepared(root)
    assert after.folder != before.folder
    if suffix == "wav":
        assert np.array_equal(after.voice("a"), voices["b"])
        assert np.array_equal(after.faces(["a"])[0], faces["a"])
    else:
        assert np.array_equal(after.faces(["a"])[0], faces["b"])
        assert np.array_equal(after.voice("a"), voices["a"])


def test_a_copy_on_another_disk_and_a_change_of_rights_are_the_same_store(root):
    soundfile.write(root / "long.wav", np.tile(TONE, 9), RATE)
    before = prepared(root)
    for path in root.iterdir():
        path.chmod(0o640)
    elsewhere = root.parent / "copy"
    shutil.copytree(root, elsewhere)  # with its times
    for folder in (root, elsewhere):
        dataset = Folder(folder)
        assert prepared(folder, dataset).folder == before.folder
        assert not dataset.read


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        ([{"clip": "a"}], "gave a list, not a pandas.DataFrame"),
        (pd.DataFrame({"clip": ["a"], "voice": ["a"]}), "without speaker, face"),
        (
            pd.DataFrame({"clip": ["a"], "speaker": ["s"], "voice": ["a"], "face": [None]}, dtype=object),
            "has None in the column face, which holds text",
        ),
        (pd.DataFrame({"clip": [7], "speaker": ["s"], "voice": ["a"], "face": ["a"]}), "has 7 in the column clip"),
    ],
)
def test_an_index_that_is_no_table_of_clips_is_the_plugin_s_mistake(root, monkeypatch, made, problem):
    """Said in one line by `prepare` and by the doctor."""
    monkeypatch.setattr(Folder, "index", lambda self: made)
    for read in (prepared, lambda folder: examine(Folder(folder), Workplace(cache=folder.parent / "cache", jobs=1))):
        with pytest.raises(PluginError, match=f"folder: index\\(\\) .*{re.escape(problem)}"):
            read(root)


def test_what_is_known_of_a_folder_is_not_read_again(root, monkeypatch):
    dataset = Folder(root)
    known = root.parent / "known"
    index = dataset.index()
    first = fingerprint(dataset, index, known)
    monkeypatch.setattr("v2f_bench.harness.prepare._sample", lambda *_: pytest.fail("nothing changed"))
    assert fingerprint(dataset, index, known) == first


clips = st.lists(
    st.tuples(
        st.none() | st_numpy.arrays("i2", st.integers(1, 300)),
        st.none() | st_numpy.arrays("u1", (4, 4, 3)),
    ).filter(lambda pair: pair[0] is not None or pair[1] is not None),
    max_size=8,
    unique_by=tuple(  # what is there twice is set aside: tests/test_overlap.py
        lambda pair, part=part: id(pair) if pair[part] is None else pair[part].tobytes() for part in (0, 1)
    ),
)


@settings(max_examples=30, deadline=None)
@given(clips)
def test_a_store_gives_back_what_was_put_in(content):
    with TemporaryDirectory() as folder:
        labels = [{"clip": f"c{number}", "speaker": f"s{number % 3}", "age": number} for number in range(len(content))]
        writer = StoreWriter(Path(folder), "made", RATE, 4, pd.DataFrame(labels, columns=["clip", "speaker", "age"]))
        for number, (voice, face) in enumerate(content):
            writer.add(number, voice, face)
        writer.commit(len(content))
        writer.close()
        store = Store(Path(folder))
        assert len(store.clips) == len(content)
        for number, (voice, face) in enumerate(content):
            row = store.clips.loc[f"c{number}"]
            assert (row["speaker"], row["age"]) == (f"s{number % 3}", number)
            assert (row["voice"], row["face"]) == (voice is not None, face is not None)
            assert np.array_equal(store.voice(f"c{number}"), [] if voice is None else voice)
            if face is not None:
                assert np.array_equal(store.faces([f"c{number}"])[0], face)
        seen = [number for number, (_, face) in enumerate(content) if face is not None][::-1]
        if seen:
            together = store.faces([f"c{number}" for number in seen])
            assert np.array_equal(together, np.stack([content[number][1] for number in seen]))
        heard = [number for number, (voice, _) in enumerate(content) if voice is not None][::-1]
        if heard:
            batch = StoredClips(store, [f"c{number}" for number in range(len(content))], 4).voices(heard)
            for number, samples, length in zip(heard, batch.samples.numpy(), batch.lengths, strict=True):
                assert np.array_equal(samples[:length] * 32768, content[number][0])
                assert not samples[length:].any()
