"""Scenes, videos and recordings into a store: faces chosen and aligned, pauses gone, and no work lost by a kill."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
from fixtures.cards.tiny_onnx import linear
from made_media import RATE, MediaFolder, people, scene, tone, write_media
from PIL import Image, ImageFilter

from v2f_bench.cli.prepare import kind_of, table_by_kind
from v2f_bench.data.store import Store, StoredClips
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.independence import IndependenceFacts, independence
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.reading import BATCH
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import NotAvailable, UsageError
from v2f_bench.judges.onnx import read_card
from v2f_bench.media.align import TEMPLATE
from v2f_bench.media.faces import Frame, choose_frame
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.media.mtcnn import find_faces
from v2f_bench.media.mtcnn_networks import load_networks

ROOM = (180, 320)


@pytest.fixture(scope="module")
def drawn():
    return people(4)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def prepared(root, options=None, jobs=1):
    return prepare(MediaFolder(root, options), Workplace(cache=root.parent / "cache", jobs=jobs))


def film(path, frames, seconds=2.0, rate=RATE):
    return write_media(path, frames, tone(seconds, rate), rate)


def test_every_kind_of_file_becomes_a_clip(root, drawn):
    rooms = [scene((face, 130, 60, 20), shape=ROOM) for face in drawn]
    film(root / "a-x-1.mp4", [rooms[0]] * 50)
    film(root / "b-x-1.flv", [rooms[1]] * 50, rate=44_100)
    write_media(root / "c-x-1.m4a", sound=tone(2, 48_000), rate=48_000)
    Image.fromarray(rooms[2]).save(root / "c-x-1.png")
    write_media(root / "d-x-1.mp3", sound=tone(2, 44_100), rate=44_100)
    Image.fromarray(rooms[3]).save(root / "d-x-1.jpg", quality=95)
    store = prepared(root)
    assert store.left_out.empty, store.left_out["reason"].tolist()
    assert store.clips[["voice", "face"]].all(axis=None)
    assert store.clips["frame_by"].tolist() == ["sharpest", "sharpest", "", ""]
    assert store.clips["frame_time"].between(0, 2).tolist() == [True, True, False, False]
    assert (store.clips["face_score"] > 0.9).all()
    for clip in store.clips["clip"]:
        voice = store.voice(clip) / 32768
        assert len(voice) / RATE == pytest.approx(2, abs=0.2)
        spectrum = np.abs(np.fft.rfft(voice))
        assert spectrum.argmax() * RATE / len(voice) == pytest.approx(200, abs=2)
    import torch

    faces = torch.from_numpy(store.faces(list(store.clips["clip"]))).permute(0, 3, 1, 2)
    found = find_faces(faces, load_networks("cpu", "a test"), 40)
    assert sorted({*found.images.tolist()}) == [0, 1, 2, 3]
    first = [int((found.images == number).nonzero()[0, 0]) for number in range(4)]
    assert np.abs((found.points[first].numpy() + 0.5) / 128 - TEMPLATE).mean() < 0.03


def test_what_cannot_be_used_is_left_out_by_name_and_the_others_go_on(root, drawn):
    # Each its own: a picture or a recording that is there twice would be set aside.
    good, silent, mute, short = (scene((face, 130, 60, 20), shape=ROOM) for face in drawn)
    late = scene((drawn[0], 120, 90, 30), shape=ROOM)
    both = scene((drawn[0], 130, 20, 20), (drawn[1], 130, 170, 20), shape=ROOM)
    film(root / "a-x-good.mp4", [good] * 25, 1.0)
    film(root / "b-x-faceless.mp4", [scene(shape=ROOM)] * 25, 1.1)
    film(root / "c-x-crowded.mp4", [both] * 25, 1.2)
    write_media(root / "d-x-silent.mp4", [silent] * 25, 0 * tone(1))
    write_media(root / "e-x-mute.mp4", [mute] * 25)
    film(root / "f-x-short.mp4", [short] * 25, 0.3)
    (root / "g-x-empty.mp4").write_bytes(b"")
    (root / "h-x-pointer.flv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (root / "i-x-cut.mp4").write_bytes((root / "a-x-good.mp4").read_bytes()[:4000])
    film(root / "j-x-late.mp4", [scene(shape=ROOM)] * 20 + [late] * 5, 1.3)
    store = prepared(root)
    assert store.clips[["voice", "face"]].astype(int).sum(axis=1).to_dict() == {
        **{"a-x-good": 2, "b-x-faceless": 1, "c-x-crowded": 1, "d-x-silent": 1, "e-x-mute": 1, "f-x-short": 1},
        "j-x-late": 2,
    }
    assert store.clips.loc["j-x-late", "frame_time"] >= 0.8, "from the frames that show a face"
    told = store.left_out.groupby("file")["reason"].apply(list).to_dict()
    expected = {
        "b-x-faceless.mp4": ["no face in any of 8 frames (looked for: 17 % of the shorter side or more)"],
        "c-x-crowded.mp4": ["two faces of alike size in 8 of 8 frames"],
        "d-x-silent.mp4": ["silent"],
        "e-x-mute.mp4": ["has no sound track"],
        "f-x-short.mp4": ["is too short"],
        "g-x-empty.mp4": ["the file is empty"] * 2,
        "h-x-pointer.flv": ["Git-LFS pointer"] * 2,
        "i-x-cut.mp4": ["not readable as sound", "not readable as video"],
    }
    assert set(told) == set(expected)
    for file, reasons in expected.items():
        for said, reason in zip(told[file], reasons, strict=True):
            assert file in said
            assert reason in said
    table = table_by_kind(store.left_out, "left out")
    assert "a Git-LFS pointer" in table
    assert table.count("h-x-pointer.flv") == 2, "as sound and as video"


def test_the_sharpest_frame_is_taken(root, drawn):
    sharp = Image.fromarray(scene((drawn[0], 130, 60, 20), shape=ROOM))
    dull = np.asarray(sharp.filter(ImageFilter.GaussianBlur(2)))
    film(root / "a-x-1.mp4", [dull] * 30 + [np.asarray(sharp)] * 10 + [dull] * 10)
    assert 1.2 <= prepared(root).clips["frame_time"].iloc[0] <= 1.6


def test_among_frames_the_frontal_ones_come_before_the_sharp_ones():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    frames = [
        Frame(float(number), noise, face=noise // dull, frontality=frontality)
        for number, (dull, frontality) in enumerate([(4, 0.9), (2, 0.8), (1, 0.5)])
    ]
    assert choose_frame(frames, None) == (frames[1], "sharpest")
    assert choose_frame(frames, np.array([0.1, 0.2, 0.7])) == (frames[2], "emotion")


@pytest.fixture
def brightness(tmp_path):
    """The card of an emotion judge to which bright faces are happy, and dark ones sad."""
    weight = np.stack([np.full(192, 1 / 192), np.full(192, -1 / 192)], axis=1)
    onnx = linear(tmp_path / "net.onnx", ["n", 3, 8, 8], weight)
    card = tmp_path / "brightness.toml"
    sha256 = hashlib.sha256(onnx.read_bytes()).hexdigest()
    card.write_text(
        f'name = "brightness"\nkind = "emotion"\nfile = "net.onnx"\nlicence = "none"\nsha256 = "{sha256}"\n'
        '[input]\nlayout = "NCHW"\nsize = 8\ncolour = "rgb"\nhighest = 1\n'
        '[output]\nlabels = ["happiness", "sad"]\ngives = "logits"\n'
    )
    return card


def test_the_frame_that_shows_the_labelled_emotion_most_strongly_is_taken(root, drawn, brightness):
    for name, face in (("a-happy-1", drawn[0]), ("a-sad-1", drawn[0]), ("a-contempt-1", drawn[1])):
        still = scene((face, 130, 60, 20), shape=ROOM).astype(float)
        shades = [np.clip(still * factor, 0, 255).astype(np.uint8) for factor in (0.8, 0.6, 1.1, 0.9)]
        film(root / f"{name}.mp4", [shade for shade in shades for _ in range(12)])  # half a second each
    store = prepared(root, MediaOptions(frame="emotion", frame_judge=str(brightness)))
    assert store.clips["frame_by"].to_dict() == {
        "a-contempt-1": "sharpest",
        "a-happy-1": "emotion",
        "a-sad-1": "emotion",
    }
    assert 0.9 < store.clips.loc["a-happy-1", "frame_time"] < 1.5
    assert 0.45 < store.clips.loc["a-sad-1", "frame_time"] < 1.0
    options = SimpleNamespace(opt=MediaOptions(frame="emotion", frame_judge=str(brightness)))
    ties = IndependenceFacts(chose_frames=Bench(options, store, None).chose_frames)
    assert independence(read_card(brightness), ties) == (False, "it chose the frames that stand for the emotions")
    plain = prepared(root)
    assert plain.folder != store.folder
    assert Bench(options, plain, None).chose_frames == ""
    (brightness.parent / "net.onnx").unlink()
    with pytest.raises(NotAvailable, match=r"net\.onnx"):
        prepared(root, MediaOptions(frame="emotion", frame_judge=str(brightness)))


class Halved(MediaFolder):
    def split(self, speakers):
        return {speaker: ("train", "test")[number % 2] for number, speaker in enumerate(speakers)}


def test_where_the_card_of_the_judge_lies_changes_no_protocol(root, brightness, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "card.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(brightness.read_text())
    speakers = [f"s{number}" for number in range(9)]
    clips = pd.DataFrame({"clip": [f"{name}-x" for name in speakers], "speaker": speakers, "voice": True, "face": True})
    clips = clips.set_index("clip", drop=False)
    here, there, plain = (
        make_protocol(Halved(root, options), clips, "identity")
        for options in (
            MediaOptions(frame="emotion", frame_judge=str(brightness)),
            MediaOptions(frame="emotion", frame_judge=str(elsewhere)),
            MediaOptions(),
        )
    )
    assert here.hash == there.hash != plain.hash
    assert here.dataset["options"]["frame_judge"] == "brightness"


@pytest.mark.parametrize(
    ("judge", "told"), [("pixels", "kind pixels"), ("in-domain-emotion", "trained on prepared"), ("nobody", "no judge")]
)
def test_a_judge_that_cannot_choose_frames_is_refused(root, judge, told):
    soundfile.write(root / "a-x-1.wav", tone(1), RATE)
    with pytest.raises(UsageError, match=told):
        prepared(root, MediaOptions(frame="emotion", frame_judge=judge))


def test_options_that_do_not_fit_are_refused():
    for wrong in ({"frame": "emotion"}, {"frame_judge": "pixels"}):
        with pytest.raises(UsageError):
            MediaOptions(**wrong)


def test_pauses_are_taken_out_on_demand_and_that_is_another_store(root):
    soundfile.write(root / "a-x-1.wav", np.concatenate([tone(1), np.zeros(2 * RATE), tone(1)]), RATE)
    soundfile.write(root / "b-x-1.wav", np.concatenate([tone(0.2), np.zeros(2 * RATE), tone(0.1)]), RATE)
    whole, without = prepared(root), prepared(root, MediaOptions(silence=1.0))
    assert len(whole.voice("a-x-1")) == 4 * RATE
    assert len(without.voice("a-x-1")) / RATE == pytest.approx(2.1, abs=0.1)
    assert list(whole.clips["clip"]) == ["a-x-1", "b-x-1"]
    (reason,) = without.left_out["reason"]
    assert "b-x-1.wav: 0." in reason
    assert "without its pauses is too short" in reason


KILLED = """
import multiprocessing, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from made_media import MediaFolder
from v2f_bench.data.store_writer import StoreWriter
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
if __name__ == "__main__":
    root, calls, original = Path(sys.argv[2]), 0, StoreWriter.add
    def add(self, *args, **found):
        global calls
        calls += 1
        original(self, *args, **found)
        if calls == 38:
            self._voices_file.flush(), self._faces_file.flush()
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    StoreWriter.add = add
    prepare(MediaFolder(root), Workplace(cache=root.parent / "cache", jobs=2))
"""


@pytest.mark.slow
def test_a_killed_preparation_goes_on_and_ends_as_if_never_killed(root, drawn, tmp_path, environment, monkeypatch):
    """Killed by SIGKILL in the third batch, with two workers; gone on with without any."""
    rng = np.random.default_rng(0)
    for number in range(60):
        stem = root / f"s{number % 9}-x-{number:02d}"
        soundfile.write(stem.with_suffix(".wav"), tone(0.6 + 0.01 * number), RATE)
        if number % 4:
            room = scene((drawn[number % 4], int(rng.integers(90, 140)), int(rng.integers(0, 150)), 20), shape=ROOM)
            Image.fromarray(room).save(stem.with_suffix(".png"))
    (root / "s5-x-05.wav").write_bytes(b"")
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(Path(__file__).parent), str(root)]
    died = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    workers = [int(pid) for pid in died.stdout.split()]
    assert len(workers) == 2
    (unfinished,) = (tmp_path / "cache" / "stores").glob(".*.unfinished")
    assert (unfinished / "voices.i16").stat().st_size > 0
    read = []
    monkeypatch.setattr(
        MediaFolder, "read_voice", lambda self, entry: read.append(entry) or FileDataset.read_voice(self, entry)
    )
    resumed = prepared(root)
    assert len(read) == 60 - 2 * BATCH, "only what came after the last complete batch"
    undisturbed = prepare(MediaFolder(root), Workplace(cache=tmp_path / "other", jobs=1))
    assert resumed.folder.name == undisturbed.folder.name
    assert resumed.meta == undisturbed.meta
    for name in ("voices.i16", "faces.u8"):
        assert (resumed.folder / name).read_bytes() == (undisturbed.folder / name).read_bytes()
    for name in ("clips.parquet", "left_out.parquet", "changes.parquet"):
        pd.testing.assert_frame_equal(*(pd.read_parquet(store.folder / name) for store in (resumed, undisturbed)))
    assert json.loads((resumed.folder / "stage.json").read_text())["resumed"] is True
    assert sorted(path.name for path in resumed.folder.iterdir()) == [
        *("changes.parquet", "clips.parquet", "faces.u8", "left_out.parquet", "stage.json", "store.json", "voices.i16")
    ]
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in workers), "workers end with their parent"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_store_is_read_by_place_as_by_name(root):
    for number in range(5):
        soundfile.write(root / f"s{number}-x-1.wav", tone(0.6 + number / 10), RATE)
    store = Store(prepared(root).folder)
    clips = StoredClips(store, ["s3-x-1", "s0-x-1"], 64)
    assert not {"voice_start", "face_row", "frame_time"} & set(clips.table)
    assert clips.voices([1, 0]).lengths.tolist() == [len(store.voice("s0-x-1")), len(store.voice("s3-x-1"))]
    for seconds in (0.25, 0.8, 3.0):  # shorter than all, than some, than none
        rows, (one, other) = [1, 0, 1], (np.random.default_rng(7) for _ in range(2))
        ours, whole = clips.crops(rows, seconds, one), clips.voices(rows).crop(seconds, other)
        assert np.array_equal(ours.samples, whole.samples)
        assert ours.lengths.tolist() == whole.lengths.tolist() == [round(seconds * RATE)] * 3
        assert one.random() == other.random(), "as many draws"
    with pytest.raises(KeyError, match="nobody"):
        store.places(["s0-x-1", "nobody"])


def test_reasons_are_grouped_by_kind():
    reasons = [
        ("/data/a.wav", "a.wav", "/data/a.wav: truncated: 79 of 160 samples are there"),
        ("/data/b.wav", "b.wav", "/data/b.wav: truncated: 8 of 16 samples are there"),
        ("", "c.wav", "c.wav: 0.25 s is too short"),
        ("", "d.wav", "/data/d.wav: not readable as sound (Error opening '/data/d.wav': odd)"),
        ("", "", "id10001 is not in vox1_meta.csv"),
    ]
    assert [kind_of(reason, file) for _, file, reason in reasons] == [
        "truncated: … of … samples are there",
        "truncated: … of … samples are there",
        "… s is too short",
        "not readable as sound",
        "id10001 is not in vox1_meta.csv",
    ]
    files = pd.DataFrame({"file": [r[1] for r in reasons], "reason": [r[2] for r in reasons]})
    table = table_by_kind(files, "left out")
    assert "2  truncated: … of … samples are there  a.wav, b.wav" in table


@pytest.mark.slow
def test_the_verb_tells_counts_folder_and_what_was_left_out(cli, tmp_path):
    own = {"V2F_BENCH_CACHE": str(tmp_path / "cache")}
    command = ("prepare", "--dataset", "synthetic-speakers", "--dataset-set", "speakers=3")
    done = cli(*command, env=own)
    assert f"15 clips, 15 voices, 15 faces of 3 speakers in {tmp_path / 'cache'}" in done.stdout
    assert "clips/s" in done.stderr
    again = cli(*command, env=own)
    assert (again.stdout, again.stderr) == (done.stdout, ""), "found prepared"
    root = tmp_path / "vox"
    for path in ("wav/id10001/video/1.wav", "unzippedFaces/Ada/1.6/video/1.jpg"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(b"nothing of the kind")
    (root / "vox1_meta.csv").write_text("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\nid10001\tAda\tf\tUSA\n")
    done = cli("prepare", "--dataset", "voxceleb-vggface", "--data-root", root, ok=False, env=own)
    assert done.returncode == 1
    assert "not readable as sound" in done.stdout
    assert "wav/id10001/video/1.wav" in done.stdout
    assert "left_out.parquet" in done.stdout
    assert "no clip can be used" in done.stderr
    assert "Traceback" not in done.stderr
