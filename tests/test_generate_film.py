"""`generate --source film.mp4`: the film stays what it was but for the face that is followed, and speaks by the voice.

Films are made by real encoders, and what comes out is decoded again.
"""

import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
from made_media import RATE, Pictures, Sound, likeness, mux, people, scene, speech, tone

from v2f_bench.film.paste import SOFT, soft_mask
from v2f_bench.film.source import open_film
from v2f_bench.harness.fitted import FittedMethod
from v2f_bench.harness.generate_film import generate_film
from v2f_bench.interfaces import BenchError, Silent, UsageError
from v2f_bench.media.sound import read_sound, resample

SIDE = 64
PROTOCOL = SimpleNamespace(dataset={"options": {}}, sample_rate=RATE, voices="whole", resolution=SIDE)
FACE, OTHER = people(2)
SHAPE = (180, 320)


class Copies:
    """Draws what it is given."""

    name = "copies"
    variations = ()

    def restore(self, device):
        pass

    def generate(self, trials, context):
        assert len(trials.voices) == len(trials)
        return trials.proposals


class Darkens(Copies):
    """Halves what it is given."""

    def generate(self, trials, context):
        return trials.proposals / 2


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Change a film by a method and a voice of some seconds; returns the film that is made, and what was said."""

    def made(film, method=None, seconds=1.0):
        method = method or Copies()
        fitted = SimpleNamespace(
            method=method, protocol=PROTOCOL, side=SIDE, needs=frozenset({"voice", "proposal"}), restore=method.restore
        )
        monkeypatch.setattr(FittedMethod, "of", classmethod(lambda cls, run: fitted))
        voice, output = tmp_path / "voice.wav", tmp_path / "out.mp4"
        soundfile.write(voice, speech(seconds), RATE)
        said = generate_film(tmp_path, voice, film, output, 0, "cpu", Silent())
        return output, [f"{Path(file).name}: {sentence}" for file, sentence in said]

    return made


def moving(count, face=FACE, shape=SHAPE):
    return [scene((face, 90, 60 + 2 * number, 40), shape=shape) for number in range(count)]


def frames_of(path):
    with open_film(path) as film:
        frames = list(film.frames)
        return film, [float(frame.begin * film.tick) for frame in frames], [frame.pixels for frame in frames]


def lying(path, upright, *sound):
    """A film of upright frames as a phone writes it that is held upright: stored on its side, with a matrix."""
    mux(path, Pictures([np.ascontiguousarray(np.rot90(each)) for each in upright]), *sound)
    data = path.read_bytes()
    matrix = b"".join(n.to_bytes(4, "big", signed=True) for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30))
    place = data.rindex(matrix, 0, data.rindex(b"vide"))  # of the track whose handler this is
    path.write_bytes(data[:place] + turned + data[place + len(turned) :])
    return path


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other.astype(float)) ** 2))


def test_size_rate_and_length_stay_and_a_copy_gives_back_the_film(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures(moving(25)), Sound(tone(1)))
    output, said = make(path)
    (film, times, pictures), (new, new_times, new_pictures) = frames_of(path), frames_of(output)
    assert said == []
    assert (new.height, new.width, new.rate) == (film.height, film.width, film.rate) == (*SHAPE, 25)
    assert new_times == pytest.approx(times)
    assert min(map(psnr, pictures, new_pictures)) > 40
    with av.open(str(output)) as container:
        assert container.duration / 1e6 == pytest.approx(1.0, abs=0.001)
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_the_face_changes_and_nothing_else_does(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures(moving(15)))
    output, _ = make(path, Darkens())
    for number, (old, new) in enumerate(zip(frames_of(path)[2], frames_of(output)[2], strict=True)):
        moved = new.astype(float) - old
        middle = (slice(70, 110), slice(90 + 2 * number, 120 + 2 * number))
        expected = -0.5 * old[middle].mean()
        assert moved[middle].mean() == pytest.approx(expected, rel=0.05)
        away = np.abs(moved[:, 220:]).mean(), np.abs(moved[150:]).mean()
        assert max(away) < 1.5, "outside the crop only the codec changes anything"


def test_a_film_lying_on_its_side_comes_out_upright(tmp_path, make):
    upright = moving(10, shape=(240, 180))
    output, said = make(lying(tmp_path / "film.mp4", upright))
    new, _, pictures = frames_of(output)
    assert (new.height, new.width) == (240, 180)
    assert min(map(psnr, upright, pictures)) > 28, "upright as the camera was held (of two encodings)"
    assert "film.mp4: turned or mirrored as its camera was held" in said
    assert not any("without the face" in each for each in said)


def test_time_stamps_of_a_variable_rate_are_kept(tmp_path, make):
    times = np.cumsum([0, 0.04, 0.02, 0.1, 0.03, 0.2, 0.04, 0.05, 0.01, 0.3]).round(3).tolist()
    path = mux(tmp_path / "film.mkv", Pictures(moving(10), times=times))
    output, _ = make(path)
    assert frames_of(output)[1] == pytest.approx(times, abs=1e-3)
    assert min(map(psnr, frames_of(path)[2], frames_of(output)[2])) > 38, "each picture at its own time"


def test_frames_without_a_face_are_passed_through_and_counted(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures([*moving(10), *[scene(shape=SHAPE)] * 7, *moving(5)]))
    output, said = make(path, Darkens())
    assert "film.mp4: 7 of 22 frames without the face: passed through" in said
    old, new = frames_of(path)[2], frames_of(output)[2]
    assert all(psnr(old[number], new[number]) > 38 for number in range(10, 17))
    assert all(psnr(old[number], new[number]) < 30 for number in (3, 20))


def test_a_film_without_any_face_is_refused_and_nothing_is_written(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures([scene(shape=SHAPE)] * 5))
    with pytest.raises(BenchError, match=r"film\.mp4: no face in any of its 5 frames"):
        make(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["film.mp4", "voice.wav"]


def test_of_two_faces_the_larger_is_followed_also_when_the_other_grows(tmp_path, make):
    """The one on the left is larger at first; later that on the right is."""
    frames = [scene((FACE, 90, 30, 40), (OTHER, 60 + 4 * n, 200 - 2 * n, 30), shape=SHAPE) for n in range(15)]
    path = mux(tmp_path / "film.mp4", Pictures(frames))
    copied = frames_of(make(path)[0])[2]
    for one, other in zip(copied, frames_of(make(path, Darkens())[0])[2], strict=True):
        moved = np.abs(other.astype(float) - one)[50:120].mean(axis=(0, 2))
        assert moved[60:90].mean() > 30
        assert moved[200:].mean() < 2, "no more than two encodings differ by"


def test_the_sound_is_the_voice_cut_or_followed_by_silence(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures(moving(50)), Sound(tone(2)))
    output, said = make(path, seconds=1.5)
    assert said == ["voice.wav: shorter than the film: 0.50 s of silence follow it"]
    sound, rate = read_sound(output)
    assert len(sound) / rate == pytest.approx(2.0, abs=0.07), "whole blocks of AAC"
    sound = resample(sound, rate, RATE)
    assert likeness(sound[: int(1.5 * RATE)], speech(1.5)) > 0.98
    assert np.abs(sound[int(1.6 * RATE) :]).max() < 0.01
    output, said = make(path, seconds=2.5)
    assert said == ["voice.wav: longer than the film: its last 0.50 s were cut"]
    sound, rate = read_sound(output)
    assert len(sound) / rate == pytest.approx(2.0, abs=0.07)
    assert likeness(resample(sound, rate, RATE), speech(2.5)[: 2 * RATE]) > 0.98


def test_odd_sides_become_even_and_it_is_said(tmp_path, make):
    frames = [np.ascontiguousarray(each[:179, :315]) for each in moving(5)]
    path = mux(tmp_path / "film.mp4", Pictures(frames, form="yuv444p"))
    output, said = make(path)
    new, _, pictures = frames_of(output)
    assert (new.height, new.width) == (180, 316)
    assert any("out.mp4: 315×179 became 316×180" in each for each in said)
    assert min(psnr(old, each[:179, :315]) for old, each in zip(frames, pictures, strict=True)) > 30


def test_a_truncated_film_gives_none(tmp_path, make):
    path = mux(tmp_path / "film.mp4", Pictures(moving(50)), options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BenchError, match=r"film\.mp4: "):
        make(path)
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_read_is_not_written_over(tmp_path, make):
    path = mux(tmp_path / "out.mp4", Pictures(moving(3)))
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is read too"):
        make(path)
    assert path.read_bytes() == before


def test_the_change_shakes_less_than_the_detector(tmp_path, make):
    """Noise moves the detector's points from frame to frame; the transform that is used moves less."""
    from v2f_bench.film.follow import follow, steadied

    rng = np.random.default_rng(0)
    still = scene((FACE, 90, 60, 40), shape=SHAPE).astype(float)
    frames = [(still + rng.normal(0, 12, still.shape)).clip(0, 255).astype(np.uint8) for _ in range(24)]
    path = mux(tmp_path / "film.mp4", Pictures(frames))
    with open_film(path) as film:
        shots = list(steadied(follow(film.frames, float(film.tick))))
    assert all(shot.take == 1 for shot in shots)
    raw = np.abs(np.diff([shot.shift for shot in shots])).mean()
    steady = np.abs(np.diff([shot.steady[1] for shot in shots])).mean()
    assert steady < raw / 3


def test_the_mask_is_one_in_the_middle_and_zero_at_the_edge():
    line = np.linspace(0, 1, 101)
    mask = soft_mask(line[None] + 1j * line[:, None])
    assert mask[50, 50] == 1
    assert mask[30:70, 30:70].min() == 1
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0
    assert np.abs(np.diff(mask, axis=0)).max() < 1.5 * 0.02 / SOFT, "as steep as a smooth step of that width"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_the_film(tmp_path):
    peaks = []
    for count in (150, 600):
        path = mux(tmp_path / f"film{count}.mp4", Pictures(moving(25) * (count // 25)))
        soundfile.write(tmp_path / "voice.wav", speech(1), RATE)
        script = textwrap.dedent(f"""
            import resource, sys
            sys.path.insert(0, {str(Path(__file__).parent)!r})
            from pathlib import Path
            from types import SimpleNamespace
            from test_generate_film import Copies, PROTOCOL, SIDE, FittedMethod, Silent, generate_film
            fitted = SimpleNamespace(method=Copies(), protocol=PROTOCOL, side=SIDE,
                                     needs=frozenset({{"voice", "proposal"}}), restore=lambda device: None)
            FittedMethod.of = classmethod(lambda cls, run: fitted)
            folder = Path({str(tmp_path)!r})
            generate_film(folder, folder / "voice.wav", Path({str(path)!r}), folder / "out.mp4", 0, "cpu", Silent())
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        """)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] <= 1.2 * peaks[0], peaks


@pytest.mark.slow
def test_from_a_run_by_command_to_a_film_of_a_phone(cli, tmp_path):
    """A method that learned from voices and faces changes a film that lies on its side, through the command line."""
    runs, voice, film, output = tmp_path / "runs", tmp_path / "voice.wav", tmp_path / "film.mp4", tmp_path / "out.mp4"
    cli(
        *("run", "--method", "emotion-mean-shift", "--dataset", "synthetic-speakers", "--track", "emotion"),
        *("--dataset-set", "speakers=48", "--judges", "mtcnn", "--no-baselines", "--output", runs),
    )
    (run,) = runs.glob("synthetic-speakers/emotion-mean-shift/*/")
    soundfile.write(voice, speech(1.5), RATE)
    lying(film, [scene((FACE, 90, 60 + each % 5, 40), shape=(240, 180)) for each in range(30)], Sound(tone(1.2)))
    cli("generate", run, "--voice", voice, "--source", film, "--output", output)
    (old, old_times, before), (new, new_times, after) = frames_of(film), frames_of(output)
    assert (new.height, new.width, new.rate) == (old.height, old.width, old.rate) == (240, 180, 25)
    assert new_times == pytest.approx(old_times, abs=1e-3)
    changed = np.abs(np.stack(after).astype(float) - np.stack(before)).mean(axis=(0, 3))
    face, room = changed[40:130, 60:150].max(), changed[200:].mean()
    assert face > 4 * room + 4, "the face has changed, and the room has not"
    sound, rate = read_sound(output)
    assert likeness(resample(sound, rate, RATE)[:RATE], speech(1.5)[:RATE]) > 0.95
