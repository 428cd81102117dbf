"""Methods of moving faces: their films made, kept, shown as stills to whoever wants one, and measured."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from heard import Heard
from made_media import RATE, likeness, people, write_media
from small_bench import plan_of, small_bench, small_workplace
from talking import FPS, SECONDS, syllables, talking, write_talks

from v2f_bench import FaceFilm, Method
from v2f_bench.artefacts import Faces, film_file, read_faces, read_still, write_film
from v2f_bench.datasets.crema_d import CremaD
from v2f_bench.datasets.folder import Folder, FolderOptions
from v2f_bench.datasets.mead import Mead
from v2f_bench.datasets.ravdess import Ravdess
from v2f_bench.datasets.voxceleb import Voxceleb
from v2f_bench.film.reading import StoredFilm
from v2f_bench.harness import generate as generating
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.film_views import NO_FILMS, other_trials
from v2f_bench.harness.fitted import FittedMethod
from v2f_bench.harness.generate import checked, generate
from v2f_bench.harness.generate_film import generate_film
from v2f_bench.harness.generate_one import Wanted, generate_one
from v2f_bench.harness.judges import load_judges
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.opening import candidates, chosen_metrics
from v2f_bench.harness.run import attempt
from v2f_bench.harness.spec import BenchSpec
from v2f_bench.harness.submission import Submission, score_folder
from v2f_bench.harness.trial_voices import loudest_stretch
from v2f_bench.harness.trials import applicable, trials_for
from v2f_bench.interfaces import Context, DataError, PluginError, Silent, UsageError
from v2f_bench.media.picture import read_picture, write_picture
from v2f_bench.media.sound import read_sound
from v2f_bench.plugins import registry

METRICS = ("lip-dynamics", "flicker", "face-found")


@dataclass(frozen=True)
class Options:
    delay: float = 0.0  # seconds that mouths open late


class Talks(Method):
    """Gives one face, whose mouth opens with the voice."""

    name = "talks"
    options = Options
    learns = False

    def fit(self, train, validation, context): ...

    def generate(self, trials, context):
        face = people(1)[0]
        films = []
        for voice, length in zip(trials.voices.samples, trials.voices.lengths.tolist(), strict=True):
            count = round(length / trials.voices.rate * FPS)
            middles = ((torch.arange(count) / FPS - self.opt.delay) * trials.voices.rate).round().long()
            energy = torch.nn.functional.avg_pool1d(voice[None] ** 2, 1281, 1, 640, count_include_pad=False)[0]
            loud = energy[middles.clamp(0, length - 1)].sqrt()
            frames = talking(face, (loud / loud.max()).numpy())
            films.append(FaceFilm(torch.from_numpy(frames).permute(0, 3, 1, 2), FPS))
        return films


class Stands(Method):
    """The proposal, still."""

    name = "stands"
    needs = frozenset({"voice", "proposal"})
    learns = False

    def fit(self, train, validation, context): ...

    def generate(self, trials, context):
        return trials.proposals


class HalfMissing(Talks):
    """Every second film has a frame that is not finite."""

    name = "half-missing"

    def generate(self, trials, context):
        films = [FaceFilm(film.frames.float() / 255, film.rate) for film in super().generate(trials, context)]
        for film in films[::2]:
            film.frames[3] = torch.nan
        return films


class Repeats(Method):
    """The face in the film of which the proposal is a frame, as it moves there."""

    name = "repeats"
    needs = frozenset({"source-video"})
    learns = False

    def fit(self, train, validation, context): ...

    def generate(self, trials, context):
        films = []
        for film in trials.source_films:
            faces = [torch.from_numpy(face.pixels) for face in film.faces(trials.resolution) if face.stretch]
            films.append(FaceFilm(torch.stack(faces).permute(0, 3, 1, 2), film.rate))
        return films


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return small_workplace(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def bench(workplace, tmp_path_factory):
    root = write_talks(tmp_path_factory.mktemp("data") / "films", ["test"] * 4 + ["train"] * 2)
    detector = find_detector(registry(), "cpu", Silent())
    return make_bench(Folder(FolderOptions(), root), workplace, face_check=detector)


@pytest.fixture(scope="module")
def judges(bench, workplace):
    spec = BenchSpec(bench.dataset.name, {}, judges=("motion", "mtcnn"))
    return load_judges(candidates(spec), chosen_metrics(METRICS, "identity"), bench, workplace, fetch=False)


@pytest.fixture
def run(bench, judges, workplace, tmp_path):
    def of(method, options=None):
        place = small_workplace(workplace.cache, tmp_path / "runs")
        outcome = attempt(plan_of(method, options or method.options(), bench), bench, judges, place)
        assert outcome.record is not None, outcome.problem
        return outcome

    return of


def results_of(record):
    return {result.measure: result for result in record.results}


def test_a_method_of_moving_faces_is_measured(run, bench):
    outcome = run(Talks, Options(delay=0.08))
    trials = list(bench.trials["trial"])
    assert sorted(path.stem for path in (outcome.folder / "faces").glob("*.mp4")) == sorted(trials)
    results = results_of(outcome.record)
    lips, flicker, found = (results[name] for name in METRICS)
    assert lips.value > 0.95
    assert lips.floor < 0.6 < 0.9 < lips.ceiling, "the films of the data set talk with their own voices"
    assert (lips.floor_is, lips.ceiling_is, lips.ceiling_n, lips.n) == ("other-voice", "real-film", 4, 4)
    assert lips.details["median lag of the mouth in seconds"] == pytest.approx(0.08, abs=0.021)
    assert 0 < flicker.value < 1
    assert (flicker.floor, flicker.floor_is) == (None, "")
    assert flicker.ceiling > 0
    assert found.value == 1, "who asks for a still is shown one"
    assert {judge.name for judge in outcome.record.judges} == {"motion", "mtcnn"}
    table = pd.read_parquet(outcome.folder / "trials.parquet")
    assert (table["lip-dynamics @ motion"] > 0.9).all()
    assert (outcome.folder / "sheet.png").is_file()


def test_stills_are_not_measured_and_it_is_said(run):
    record = run(Stands).record
    assert set(results_of(record)) == {"face-found"}
    assert {(one.metric, one.reason) for one in record.unavailable} == {
        ("lip-dynamics", NO_FILMS),
        ("flicker", NO_FILMS),
    }
    assert [judge.name for judge in record.judges] == ["mtcnn"]


@pytest.mark.slow
def test_a_film_that_is_not_finite_counts_as_missing(run, bench):
    outcome = run(HalfMissing)
    assert json.loads((outcome.folder / "faces" / "failures.json").read_text()) == dict.fromkeys(
        bench.trials["trial"][::2], "not finite"
    )
    results = results_of(outcome.record)
    assert results["lip-dynamics"].failed == 2
    assert results["lip-dynamics"].value == pytest.approx(0.5, abs=0.05), "two of four count as 0"
    assert results["flicker"].n == 2
    assert results["face-found"].value == 0.5


@pytest.mark.slow
def test_the_same_films_score_the_same_from_a_folder(run, bench, judges, workplace, tmp_path):
    outcome = run(Talks)
    place = small_workplace(workplace.cache, tmp_path / "scored")
    _, record = score_folder(outcome.folder / "faces", Submission("elsewhere"), bench, judges, place)
    ours, theirs = results_of(outcome.record), results_of(record)
    assert [theirs[name].value for name in METRICS] == [ours[name].value for name in METRICS]


def test_a_killed_run_goes_on_and_makes_the_same_films(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(generating, "BATCH", 1)
    plan, written = plan_of(Talks, Options(), bench), []

    def dies(folder, trial, film):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(trial)
        write_film(folder, trial, film)

    method = Talks(Options())
    generate(method, plan, bench, tmp_path / "whole", Silent())
    monkeypatch.setattr(generating, "write_film", dies)
    with pytest.raises(KeyboardInterrupt):
        generate(method, plan, bench, tmp_path / "killed", Silent())
    again = []
    monkeypatch.setattr(generating, "write_film", lambda *film: (again.append(film[1]), write_film(*film)))
    generate(method, plan, bench, tmp_path / "killed", Silent())
    assert len(again) == 2, "two of four were there"
    whole, killed = (Faces.of(tmp_path / name / "faces") for name in ("whole", "killed"))
    assert whole.content == killed.content


@pytest.mark.parametrize("count", [1, 2, 5, 50])
@pytest.mark.parametrize("rate", [25, 29.97, 7.5])
def test_the_still_of_a_film_is_the_frame_in_the_middle(tmp_path, count, rate):
    greys = (np.arange(count) * 200 / count + 20).round().astype(np.uint8)
    frames = torch.from_numpy(greys)[:, None, None, None].expand(count, 3, 64, 64)
    write_film(tmp_path, "t", FaceFilm(frames, rate))
    still = read_still(film_file(tmp_path, "t"))
    assert still.shape == (64, 64, 3)
    assert still.mean() == pytest.approx(greys[count // 2], abs=2)
    with av.open(str(film_file(tmp_path, "t"))) as container:
        (stream,) = container.streams
        assert stream.frames == count
        assert float(stream.average_rate) == pytest.approx(rate, rel=1e-3)
        assert stream.codec_context.name == "h264"


def test_a_still_of_a_film_is_nearly_as_good_as_a_picture(tmp_path):
    face = people(1)[0]
    write_film(tmp_path, "t", FaceFilm(torch.from_numpy(face).permute(2, 0, 1).expand(25, 3, 128, 128), 25))
    ((_, faces, failures),) = read_faces(Faces.of(tmp_path), ["t"], 64)
    assert not failures
    whole = torch.nn.functional.interpolate(torch.from_numpy(face).permute(2, 0, 1)[None] / 255, 64, mode="area")
    assert (faces - whole).abs().mean() < 2.5 / 255


def test_a_film_that_cannot_be_read_is_a_failed_face(tmp_path):
    (tmp_path / "t.mp4").write_bytes(b"no film")
    ((_, faces, failures),) = read_faces(Faces.of(tmp_path), ["t"], 64)
    assert failures == {"t": "unreadable"}
    assert faces.isnan().all()
    (tmp_path / "t.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"two .* of one name: t\.mp4 and t\.png"):
        Faces.of(tmp_path)


FINE = torch.zeros(4, 3, 8, 8)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([FaceFilm(FINE, 25)], "1 films for 2 trials"),
        ([FINE, FINE], "Tensor among its films, not FaceFilm"),
        ([FaceFilm(FINE[0], 25)] * 2, r"a film of \(3, 8, 8\), not \[T, 3, H, W\]"),
        ([FaceFilm(FINE[:0], 25)] * 2, r"a film of \(0, 3, 8, 8\), not \[T, 3, H, W\]"),
        ([FaceFilm(FINE[:, :, :4], 25)] * 2, "faces of 4×8 pixels, they must be square"),
        ([FaceFilm(FINE.byte()[:, :, :4], 25)] * 2, "faces of 4×8 pixels, they must be square"),
        ([FaceFilm(FINE.int(), 25)] * 2, "a film of torch.int32; frames are uint8 or floats"),
        ([FaceFilm(FINE + 2, 25)] * 2, "values from 2 to 2; they must lie in"),
        ([FaceFilm(FINE, 0)] * 2, "a film of 0 frames a second, not 0.1 to 240"),
        ([FaceFilm(FINE, float("nan"))] * 2, "a film of nan frames a second, not 0.1 to 240"),
        ("faces", r"str, not \[2, 3, H, W\]"),
    ],
)
def test_a_film_that_breaks_the_contract_is_refused(given, problem):
    with pytest.raises(PluginError, match=f"^mine: generate gave {problem}"):
        checked(given, 2, "mine")


def test_source_films_come_with_the_trials_and_are_read_when_asked_for(bench):
    rows = np.arange(len(bench.trials))
    assert applicable(bench, frozenset({"source-video"})).all()
    trials = trials_for(bench, frozenset({"source-video"}), rows)
    assert len(trials.source_films) == len(rows)
    film, proposal = trials.source_films[0], bench.trials["proposal"][0]
    assert film.rate == FPS
    frames = list(film.frames())
    assert [time for time, _ in frames] == pytest.approx(np.arange(35) / FPS)
    assert {(pixels.shape, pixels.dtype) for _, pixels in frames} == {((180, 240, 3), np.dtype(np.uint8))}
    faces = list(film.faces(bench.store.size))
    assert [face.time for face in faces] == pytest.approx(np.arange(35) / FPS)
    chosen = round(bench.store.clips["frame_time"][proposal] * FPS)
    difference = np.abs(faces[chosen].pixels.astype(float) - bench.store.faces([proposal])[0])
    assert difference.mean() < 4, "framed as the proposal, which is a frame of it"
    with pytest.raises(PluginError, match="reads 'proposal' of a trial but does not declare it"):
        _ = trials.proposals


@pytest.mark.slow
def test_a_method_may_be_made_of_source_films(run):
    lips = results_of(run(Repeats).record)["lip-dynamics"]
    assert lips.value < 0.6 < 0.9 < lips.ceiling, "mouths that go with another person's voice"


def test_the_example_of_the_docs_makes_films(bench):
    text = (Path(__file__).parents[1] / "docs" / "moving-faces.md").read_text(encoding="utf-8")
    made = {}
    exec(text.partition("```python\n")[2].partition("```")[0], made)
    method = made["UpsideDown"]
    trials = trials_for(bench, method.needs, np.arange(1))
    (film,) = checked(method(method.options()).generate(trials, Context()), 1, method.name)
    assert (film.frames.shape, film.rate) == ((35, 3, 64, 64), FPS)


def test_a_film_whose_voice_is_another_file_of_a_folder_is_no_ceiling(tmp_path, workplace):
    root = write_talks(tmp_path / "films", ["test"] * 3)
    shutil.copy(root / "1.mp4", root / "another.mp4")
    table = root / "clips.csv"
    table.write_text(table.read_text().replace("1.mp4,1.mp4", "another.mp4,1.mp4"))
    bench = make_bench(Folder(FolderOptions(), root), workplace)
    assert {clip.partition("/")[0] for clip in bench.films} == {"Person 0", "Person 1", "Person 2"}
    assert {clip.partition("/")[0] for clip in bench.voiced_films} == {"Person 0", "Person 2"}

    class Rushes(Folder):
        one_recording = True

    assert make_bench(Rushes(FolderOptions(), root), workplace).voiced_films == set(bench.films)
    assert not make_bench(Folder(FolderOptions(silence=1.0), root), workplace).voiced_films


def test_a_film_that_is_not_square_is_not_measured_and_it_is_said(tmp_path, judges):
    heard = Heard()
    path = tmp_path / "wide.mp4"
    write_media(path, [np.zeros((64, 96, 3), np.uint8)] * 3, None, fps=FPS)
    (motion,) = (ready for ready in judges.ready if ready.judge.name == "motion")
    assert len(motion._watch(StoredFilm(path, cropped=True), heard)) == 0
    assert heard.lines == [f"motion: not measured: {path}: frames of 96×64 pixels, they must be square"]


@pytest.mark.parametrize("dataset", [Ravdess, Mead, CremaD, Voxceleb, Folder])
def test_data_sets_of_films_say_where_these_lie(dataset, tmp_path):
    own = dataset(dataset.options(), tmp_path)
    assert own.film("Actor_01/01-01-01-01-01-01-01.mp4") == tmp_path / "Actor_01/01-01-01-01-01-01-01.mp4"
    assert own.film("VideoFlash/1001_DFA_ANG_XX.flv") == tmp_path / "VideoFlash/1001_DFA_ANG_XX.flv"
    assert own.film("unzippedFaces/A/1.6/x/1.jpg") is None


@pytest.fixture
def drawn_from_a_file(tmp_path, monkeypatch):
    """`generate` with a finished method, for a voice of 1.4 s and an output of a name."""

    def of(method, name, source=None, voices="whole", samples=1):
        protocol = SimpleNamespace(dataset={"options": {}}, sample_rate=RATE, voices=voices, resolution=64)
        fitted = SimpleNamespace(
            method=method, protocol=protocol, side=64, needs=method.needs, restore=lambda device: None
        )
        monkeypatch.setattr(FittedMethod, "of", classmethod(lambda cls, run: fitted))
        voice, output = tmp_path / "voice.wav", tmp_path / name
        soundfile.write(voice, syllables(SECONDS), RATE)
        if source:
            generate_film(tmp_path, voice, source, output, 0, "cpu", Silent())
        else:
            proposal = tmp_path / "me.png"
            write_picture(proposal, people(1)[0])
            generate_one(tmp_path, voice, proposal, output, 0, "cpu", Wanted(samples))
        return output

    return of


def test_generate_writes_a_film_with_its_voice_or_a_still_of_it(drawn_from_a_file):
    output = drawn_from_a_file(Talks(Options()), "me.mp4")
    with av.open(str(output)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.streams.video[0].frames == 35
    assert likeness(read_sound(output)[0], syllables(SECONDS)) > 0.95
    still = read_picture(drawn_from_a_file(Talks(Options()), "me.png"))
    assert np.abs(still.astype(float) - read_still(output)).mean() < 3


def test_the_sound_of_a_film_is_the_part_of_the_voice_that_the_method_heard(drawn_from_a_file):
    output = drawn_from_a_file(Talks(Options()), "me.mp4", voices="1s")
    heard = loudest_stretch(syllables(SECONDS), RATE)
    sound = read_sound(output)[0]
    assert len(sound) / RATE == pytest.approx(1, abs=0.1)
    assert likeness(sound, heard) > 0.95


def test_several_draws_make_no_film(drawn_from_a_file):
    with pytest.raises(UsageError, match=r"me\.mp4: a film is one draw"):
        drawn_from_a_file(Talks(Options()), "me.mp4", samples=4)


def test_generate_says_who_makes_no_films_and_who_makes_nothing_else(drawn_from_a_file, tmp_path):
    with pytest.raises(UsageError, match=r"stands draws stills, not films: .*me\.mp4 must end in \.png or \.jpg"):
        drawn_from_a_file(Stands(Options()), "me.mp4")
    write_talks(tmp_path / "talks", ["test"])

    class Changes(Talks):
        needs = frozenset({"voice", "proposal"})

    with pytest.raises(UsageError, match="talks makes films itself and changes no given one: leave --source out"):
        drawn_from_a_file(Changes(Options()), "out.mp4", tmp_path / "talks" / "0.mp4")
    with pytest.raises(UsageError, match="repeats makes whole films of a data set's source films"):
        drawn_from_a_file(Repeats(Options()), "out.mp4", tmp_path / "talks" / "0.mp4")


def test_a_data_set_without_films_is_left_out_with_its_reason(cache, tmp_path):
    place = small_workplace(cache, tmp_path / "runs")
    without = small_bench(place)
    assert not applicable(without, Repeats.needs).any()
    outcome = attempt(plan_of(Repeats, Repeats.options(), without), without, None, place)
    assert (outcome.unsuited, outcome.problem) == (True, "synthetic-speakers has no films")


@pytest.mark.parametrize("speakers", ["aabbccdd", "ab", "aaab", "a" * 5, "a"])
def test_no_trial_is_given_its_own_voice_as_another(speakers):
    turns = other_trials(pd.Series(list(speakers)))
    assert len(turns) == min(5, len(speakers) - 1)
    for turn in turns:
        assert (turn != np.arange(len(speakers))).all()
        if len(set(speakers)) > 1:
            assert all(speakers[row] != speakers[other] for row, other in enumerate(turn))
