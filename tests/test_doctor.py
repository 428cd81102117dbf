"""The doctor: every kind of bad file is told from the good, and the exit code says whether a run can start."""

import json
import re

import numpy as np
import pytest
import soundfile
from PIL import Image
from small_media import RATE, touch, write_film, write_noise, write_pointer, write_sound, write_tone

from v2f_bench.datasets.folder import Folder, FolderOptions
from v2f_bench.datasets.ravdess import Ravdess, RavdessOptions
from v2f_bench.harness.doctor import examine
from v2f_bench.harness.workplace import Workplace


@pytest.fixture
def media(tmp_path):
    """A folder of good files and of every bad kind."""
    tone = (0.3 * np.sin(np.arange(2 * RATE) * 0.05)).astype(np.float32)
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for name in ("good.wav", "good.flac", "cut.wav", "good.mp3"):
        soundfile.write(tmp_path / name, tone, RATE)
    write_sound(tmp_path / "good.m4a", tone)
    write_film(tmp_path / "good.mp4", picture, tone)
    write_film(tmp_path / "good.flv", picture, video="flv1")
    for name in ("good.png", "good.jpg", "cut.png"):
        Image.fromarray(picture).save(tmp_path / name)
    for name in ("cut.wav", "cut.png"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    for suffix in ("wav", "png", "mp4"):
        touch(tmp_path / f"empty.{suffix}")
        write_pointer(tmp_path / f"pointer.{suffix}")
        (tmp_path / f"text.{suffix}").write_text("neither sound nor picture " * 20)
    (tmp_path / "film.png").write_bytes((tmp_path / "good.mp4").read_bytes())
    (tmp_path / "misnamed.mp4").write_bytes((tmp_path / "good.m4a").read_bytes())
    return tmp_path


def examined(folder, name, part):
    """What the doctor says of one file that is the voice or the face of a clip."""
    voice, face = (name, "") if part == "voice" else ("", name)
    (folder / "clips.csv").write_text(f"speaker,voice,face\nAda,{voice},{face}\n")
    return examine(Folder(FolderOptions(cropped=True), folder), Workplace(cache=folder / "cache", jobs=1))


@pytest.mark.parametrize("name", ["good.wav", "good.flac", "good.mp3", "good.m4a", "good.mp4"])
def test_good_recordings(media, name):
    found = examined(media, name, "voice")
    assert (found.voices, found.faces, found.left_out) == (1, 0, [])
    assert found.seconds == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("name", ["good.png", "good.jpg", "good.mp4", "good.flv", "film.png"])
def test_good_pictures(media, name):
    found = examined(media, name, "face")
    assert (found.voices, found.faces, found.left_out) == (0, 1, [])


@pytest.mark.parametrize(
    ("name", "part", "reason"),
    [
        ("cut.wav", "voice", "truncated"),
        ("cut.png", "face", "not readable as a picture"),
        ("gone.wav", "voice", "no such file"),
        *((f"empty.{suffix}", part, "the file is empty") for suffix, part in (("wav", "voice"), ("png", "face"))),
        *((f"pointer.{suffix}", part, "Git-LFS pointer") for suffix, part in (("wav", "voice"), ("mp4", "face"))),
        ("text.wav", "voice", "not readable as sound"),
        ("text.png", "face", "not readable as a picture"),
        ("text.mp4", "face", "not readable as video"),
        ("good.flv", "voice", "no sound track"),
        ("misnamed.mp4", "face", "no video track"),
    ],
)
def test_bad_files(media, name, part, reason):
    (fault,) = examined(media, name, part).left_out
    assert fault["file"] == name
    assert reason in fault["reason"]
    assert str(media / name) in fault["reason"]


def write_folder(root, people=16, **more):
    """A folder data set of two clips a person; `more` rows of clips.csv by clip name: "voice,face"."""
    lines = ["clip,speaker,voice,face,sex,emotion"]
    for number in range(people):
        for clip, emotion in enumerate(("neutral", "sad")):
            write_tone(root / f"{number}-{clip}.wav")
            write_noise(root / f"{number}-{clip}.png")
            lines.append(f"{number}-{clip},p{number},{number}-{clip}.wav,{number}-{clip}.png,m,{emotion}")
    lines += [f"{clip},p0,{files},m,sad" for clip, files in more.items()]
    (root / "clips.csv").write_text("\n".join(lines))
    return root


def test_a_whole_folder(tmp_path):
    root = write_folder(tmp_path / "data", a="gone.wav,", b="gone too.wav,", c=",pointer.png", d=",empty.png")
    write_pointer(root / "pointer.png")
    touch(root / "empty.png")
    workplace = Workplace(cache=tmp_path / "cache", jobs=2)
    found = examine(Folder(FolderOptions(cropped=True), root), workplace)
    assert (found.clips, found.speakers, found.voices, found.faces) == (32, 16, 32, 32)
    assert found.seconds == pytest.approx(32 * 0.6)
    assert found.labels == {"sex": {"male": 16}, "emotion": {"neutral": 16, "sad": 16}}
    reasons = {each["file"]: each["reason"] for each in found.left_out}
    assert list(reasons) == ["gone.wav", "gone too.wav", "pointer.png", "empty.png"]
    for file, reason in zip(reasons, ("no such file", "no such file", "Git-LFS pointer", "is empty"), strict=True):
        assert reason in reasons[file]
    assert found.store_bytes == 32 * 128 * 128 * 3 + round(found.seconds * 16_000) * 2
    states = {state.track: state for state in found.tracks}
    assert states["identity"].protocol == "identity-v2"
    assert states["identity"].trials == 2 * states["identity"].gallery
    assert found.ready
    assert not (tmp_path / "cache").exists(), "it looks and writes nothing"


def test_what_it_foretells_is_what_prepare_makes(tmp_path):
    from v2f_bench.harness.face_check import find_detector
    from v2f_bench.harness.make_bench import make_bench
    from v2f_bench.interfaces import Silent
    from v2f_bench.plugins import registry

    root = write_folder(tmp_path / "data", again="3-0.wav,", of_two="4-0.wav,4-1.png")
    dataset, workplace = Folder(FolderOptions(cropped=True), root), Workplace(cache=tmp_path / "cache", jobs=1)
    found = examine(dataset, workplace)
    bench = make_bench(dataset, workplace, face_check=find_detector(registry(), "cpu", Silent()))
    state = next(state for state in found.tracks if state.track == "identity")
    assert (state.protocol, state.trials) == (bench.protocol.name, len(bench.trials))
    written = sum((bench.store.folder / name).stat().st_size for name in ("voices.i16", "faces.u8"))
    assert found.store_bytes == pytest.approx(written, rel=0.2)
    assert [each["reason"] for each in found.left_out] == bench.store.left_out["reason"].tolist()
    assert any("one recording under two labels" in each["reason"] for each in found.left_out), "copies too"


def test_one_portrait_beside_voices_of_several_emotions_serves_the_identity_track(tmp_path):
    from v2f_bench.harness.make_bench import make_bench

    root, lines = tmp_path / "data", ["speaker,voice,face,emotion"]
    for number in range(16):
        write_noise(root / f"{number}.png")
        for clip, emotion in enumerate(("neutral", "sad", "happy")):
            write_tone(root / f"{number}-{clip}.wav")
            lines.append(f"p{number},{number}-{clip}.wav,{number}.png,{emotion}")
    (root / "clips.csv").write_text("\n".join(lines))
    dataset, workplace = Folder(FolderOptions(cropped=True), root), Workplace(cache=tmp_path / "cache", jobs=1)
    found = examine(dataset, workplace)
    states = {state.track: state for state in found.tracks}
    bench = make_bench(dataset, workplace)
    assert states["identity"].trials == len(bench.trials) == 3 * states["identity"].gallery > 0
    assert "needs 3 test speakers with a neutral face" in states["emotion"].problem
    assert (found.voices, found.faces) == (bench.store.meta["voices"], bench.store.meta["faces"]) == (48, 16)
    faces = bench.store.clips[bench.store.clips["face"]]
    assert set(faces["emotion"]) == {""}, "it shows none"
    assert not faces["voice"].any()
    assert [each["reason"] for each in found.left_out] == bench.store.left_out["reason"].tolist()


def test_a_disk_that_is_too_small_stops_a_run(tmp_path, monkeypatch):
    dataset = Folder(FolderOptions(cropped=True), write_folder(tmp_path / "data"))
    monkeypatch.setattr("v2f_bench.harness.doctor._free_bytes", lambda folder: 1000)
    assert not examine(dataset, Workplace(cache=tmp_path / "cache", jobs=1)).ready


@pytest.mark.parametrize("cropped", [True, False])
def test_without_the_face_detector_only_crops_can_be_run(tmp_path, monkeypatch, cropped):
    dataset = Folder(FolderOptions(cropped=cropped), write_folder(tmp_path / "data"))
    workplace = Workplace(cache=tmp_path / "cache", jobs=1)
    assert examine(dataset, workplace).ready
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = examine(dataset, workplace)
    assert found.ready is cropped
    assert any("pip install" in part.in_words() for part in found.parts) is not cropped


def test_what_is_missing_altogether(tmp_path):
    found = examine(Ravdess(RavdessOptions(), tmp_path / "nowhere"), Workplace(cache=tmp_path, jobs=1))
    assert [part.found for part in found.parts] == [False, False]
    assert f"{tmp_path / 'nowhere'} does not exist" in found.problem
    assert not found.ready


@pytest.mark.slow
def test_the_command(cli, tmp_path):
    root = write_folder(tmp_path / "data", a="gone.wav,")
    done = cli("doctor", "folder", "--data-root", root)
    assert "found    clips.csv (33 rows)" in done.stdout
    assert ["1", "no", "such", "file", "gone.wav"] in [line.split() for line in done.stdout.splitlines()]
    assert re.search(r"(\d+) faces, \1 of them yet to be found in pictures or videos", done.stdout)
    assert "identity: identity-v2, " in done.stdout
    assert "licence: " in done.stdout
    assert "consent: " in done.stdout
    done = cli("doctor", "ravdess", "--data-root", root, ok=False)
    assert done.returncode == 1
    done = cli("doctor", "ravdess", "--data-root", root / "nowhere", ok=False)
    assert f"ravdess: {root / 'nowhere'} does not exist" in done.stdout.splitlines()
    assert "its name is not modality-channel" not in done.stderr
    assert "MISSING  Actor_<01-24>/" in done.stdout
    assert "no run could start" in done.stderr
    told = json.loads(cli("doctor", "folder", "--data-root", root, "--json").stdout)
    assert told["ready"] is True
    assert [each["file"] for each in told["left_out"]] == ["gone.wav"]
    done = cli("doctor", "ravdes", ok=False)
    assert (done.returncode, "did you mean 'ravdess'" in done.stderr) == (2, True)


def test_the_card_has_the_human_ceiling(cli):
    text = cli("info", "ravdess").stdout
    assert "face: all = 0.75" in text
    assert "06 = fearful" in text
    facts = json.loads(cli("info", "crema-d", "--json").stdout)
    assert facts["human"]["voice"]["sad"] == 0.164
    assert facts["counts"]["clips"] == 7442


def test_the_real_folders(shared_data, tmp_path):
    from v2f_bench.datasets.crema_d import CremaD, CremaOptions
    from v2f_bench.datasets.voxceleb_vggface import VoxcelebVggface, VoxcelebVggfaceOptions

    workplace = Workplace(cache=tmp_path, jobs=2)
    for folder, dataset, options, ready in [
        ("voxceleb-vggface", VoxcelebVggface, VoxcelebVggfaceOptions, True),
        ("ravdess", Ravdess, RavdessOptions, False),  # no faces
        ("crema-d", CremaD, CremaOptions, False),  # pointers
    ]:
        if not (shared_data / folder).is_dir():
            pytest.skip(f"not at {shared_data / folder}")
        found = examine(dataset(options(), shared_data / folder), workplace)
        assert found.ready is ready
        if folder == "crema-d":
            assert any("Git-LFS pointer" in each["reason"] for each in found.left_out)
        else:
            assert not found.left_out
        if folder == "voxceleb-vggface":
            assert found.tracks[0].protocol == "identity-v2@130-of-1251-speakers"
