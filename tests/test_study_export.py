"""What an export gives out: nothing that tells a method or a speaker; and what it hides is true."""

import hashlib
import io
import json
import wave
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_study import open_small, small_material

from v2f_bench.artefacts import Faces
from v2f_bench.interfaces import DataError, Silent, UsageError
from v2f_bench.plugins import registry
from v2f_bench.study.export import FILE_TIME, ExportRequest, export_study
from v2f_bench.study.folder import KEY, SITE, read_key
from v2f_bench.study.items import choose_items
from v2f_bench.study.permission import check_permission
from v2f_bench.study.questions import Size
from v2f_bench.study.runs import Material

SIZE = Size(lists=4, trials=12, anchors=3, checks=2)
SECRETS = ("copy", "stranger", "seed0", "floor", "method", "real photo", "synthetic-speakers", "s00")


@pytest.fixture(scope="module")
def bench(cache):
    return open_small("identity", cache)


@pytest.fixture(scope="module")
def material(bench, tmp_path_factory):
    return small_material(bench, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def exported(material, tmp_path_factory):
    """Studies of the identity track by design: folder, key and what the page shows."""
    folder = tmp_path_factory.mktemp("studies")
    found = {}
    for design in ("match-2afc", "which-method", "same-person", "realism"):
        request = ExportRequest(design, size=SIZE, seed=7, contact="A. Lab")
        export_study(material, request, folder / design, Silent())
        found[design] = (folder / design, read_key(folder / design), shown(folder / design))
    return found


def shown(study):
    return json.loads((study / SITE / "study.json").read_text())


def pixels(study, name):
    return np.array(Image.open(study / SITE / name).convert("RGB"))


def as_pixels(bench, clip):
    return (bench.faces([clip])[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def trials_of(public):
    return [trial for each in public["lists"] for trial in each["trials"]]


# ------------------------------------------------------------------- what is given out


def test_the_site_tells_no_method_and_no_speaker(exported):
    for study, key, public in exported.values():
        site = study / SITE
        for path in site.rglob("*"):
            assert path.stat().st_mtime == FILE_TIME, f"{path}: its time tells when it was written"
        text = (site / "study.json").read_text()
        speakers = {item["speaker"] for item in key.items.values()}
        for secret in (*SECRETS, *speakers, *key.items, "seed"):
            assert f'"{secret}' not in text, f"the page's data tell {secret}"
        page = (site / "index.html").read_text()
        inside = page.partition('<script type="application/json" id="study">')[2].partition("</script>")[0]
        assert json.loads(inside) == public, "the page shows what study.json says, and nothing else"
        names = {path.stem for path in (site / "media").iterdir()}
        assert all(len(name) == 8 and name.isalnum() for name in names)
        assert KEY not in {path.name for path in site.rglob("*")}


def test_files_of_one_kind_differ_in_nothing_but_what_they_show(exported):
    for design, (study, _, public) in exported.items():
        kinds = defaultdict(set)
        for path in (study / SITE / "media").iterdir():
            content = path.read_bytes()
            kinds[path.suffix].add(len(content))
            if path.suffix == ".png":
                picture = Image.open(io.BytesIO(content))
                assert (picture.size, picture.mode, picture.info) == ((64, 64), "RGB", {})
                assert [content[at : at + 4] for at in chunks(content)] == [b"IHDR", b"IDAT", b"IEND"]
            else:
                with wave.open(str(path)) as sound:
                    assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16000)
                assert content[36:40] == b"data", "44 bytes of header, without software or time"
        assert all(len(lengths) == 1 for lengths in kinds.values()), f"{design}: lengths tell files apart: {kinds}"
        used = {name for trial in trials_of(public) for name in [*trial["pictures"], trial.get("voice")]}
        files = {path.relative_to(study / SITE).as_posix() for path in (study / SITE / "media").iterdir()}
        assert used - {None} == files, "no file that no question uses"


def chunks(png):
    """Where the names of a PNG's chunks are."""
    at = 8
    while at < len(png):
        yield at + 4
        at += 12 + int.from_bytes(png[at : at + 4], "big")


def test_the_order_of_names_is_that_of_nothing(exported):
    # Names in the order of files must not separate methods: their ranks are those of a random order.
    _, key, public = exported["realism"]
    method_of = {}
    for trial in trials_of(public):
        method_of[trial["pictures"][0]] = key.questions[trial["id"]][1].method
    ranks = defaultdict(list)
    for rank, name in enumerate(sorted(method_of)):
        ranks[method_of[name]].append(rank / len(method_of))
    for method, places in ranks.items():
        assert abs(np.mean(places) - 0.5) < 4 * np.sqrt(1 / 12 / len(places)), method


def test_questions_differ_in_nothing_but_neutral_names(exported):
    for _, key, public in exported.values():
        shapes = defaultdict(set)
        for trial in trials_of(public):
            kind = key.questions[trial["id"]][1].kind
            shapes[kind == "check"].add((tuple(sorted(trial)), len(trial["id"]), len(trial["pictures"])))
        assert all(len(shape) == 1 for shape in shapes.values())


# ------------------------------------------------------------------- what is hidden is true


def test_the_key_of_match_is_true_of_the_pictures(exported, bench, material):
    study, key, public = exported["match-2afc"]
    trials = bench.trials.set_index("trial")
    seen = Counter()
    for trial in trials_of(public):
        _, question = key.questions[trial["id"]]
        left, right = (pixels(study, name) for name in trial["pictures"])
        asked, other = (left, right) if question.first == "left" else (right, left)
        row = trials.loc[question.item]
        if question.method in ("copy", "stranger"):
            own = material.run(question.method).face(question.item, 64)
        elif question.method == "real photo":
            own = as_pixels(bench, row["real_photo"] or row["target"])
        else:
            own = as_pixels(bench, row["random_face"])
        assert (asked == own).all()
        if (other == own).all():  # of two trials for which the method has one picture
            run = material.run(question.method)
            assert sum((run.face(trial, 64) == own).all() for trial in trials.index) > 1
        if question.kind == "real":  # the other photograph is of another speaker of the same sex
            named = [
                r
                for _, r in trials.iterrows()
                if r["real_photo"] and (as_pixels(bench, r["real_photo"]) == other).all()
            ]
            assert {r["speaker"] for r in named}.isdisjoint({row["speaker"]})
            assert {r["sex"] for r in named} == {row["sex"]}
        if question.kind != "check":
            assert question.right == question.first
        seen[question.kind] += 1
    assert seen == {"method": 48, "real": 12, "floor": 12, "check": 8}


def test_the_key_of_same_person_is_true_of_the_pictures(exported, bench):
    study, key, public = exported["same-person"]
    trials = bench.trials.set_index("trial")
    speaker_of = {}
    for _, row in trials.iterrows():
        for clip in (row["target"], row["real_photo"]):
            if clip:
                speaker_of[as_pixels(bench, clip).tobytes()] = row["speaker"]
    checked = Counter()
    for trial in trials_of(public):
        _, question = key.questions[trial["id"]]
        if question.kind == "real":
            first, second = (speaker_of[pixels(study, name).tobytes()] for name in trial["pictures"])
            assert question.right == ("same" if first == second else "different")
            checked[question.right] += 1
    assert checked == {"same": 6, "different": 6}


def test_the_key_of_realism_is_true_of_the_pictures(exported, bench, material):
    study, key, public = exported["realism"]
    photographs = {
        as_pixels(bench, clip).tobytes() for clip in bench.real_pictures if bench.store.clips.at[clip, "face"]
    }
    counts = Counter()
    for trial in trials_of(public):
        _, question = key.questions[trial["id"]]
        shown_bytes = pixels(study, trial["pictures"][0]).tobytes()
        if question.kind == "real":
            assert shown_bytes in photographs
        elif question.kind == "floor":
            assert shown_bytes not in photographs, "a blend of faces is nobody's photograph"
        elif question.kind == "method":
            assert shown_bytes == material.run(question.method).face(question.item, 64).tobytes()
        counts[question.kind] += 1
    # Half of the questions about methods are about photographs.
    assert counts == {"method": 24, "real": 24 + 12, "floor": 12, "check": 8}


def test_the_voice_is_that_of_the_item(exported, bench):
    study, key, public = exported["which-method"]
    voices = bench.trials.set_index("trial")["voice"]
    for trial in trials_of(public)[:20]:
        _, question = key.questions[trial["id"]]
        with wave.open(str(study / SITE / trial["voice"])) as sound:
            heard = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
        whole = bench.store.voice(voices[question.item]).astype(float)[: len(heard)]
        inside = slice(0, len(heard) - 400)
        assert np.corrcoef(heard[inside], whole[inside])[0, 1] > 0.999, "the same recording at another level"
        assert np.sqrt((heard**2).mean()) / 32768 == pytest.approx(0.08, rel=0.05) or np.abs(heard).max() > 31700


# ------------------------------------------------------------------- repeatable, or not at all


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_seed_repeats_a_study_and_another_one_does_not(material, tmp_path):
    request = ExportRequest("match-2afc", size=SIZE, seed=3)
    for name, each in (("a", request), ("b", request), ("c", ExportRequest("match-2afc", size=SIZE))):
        export_study(material, each, tmp_path / name, Silent())
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert read_key(tmp_path / "c").study != read_key(tmp_path / "a").study
    with pytest.raises(UsageError, match="never written over another one"):
        export_study(material, request, tmp_path / "a", Silent())


def test_a_changed_key_is_seen(material, tmp_path):
    export_study(material, ExportRequest("match-2afc", size=SIZE), tmp_path / "study", Silent())
    path = tmp_path / "study" / KEY
    path.write_text(path.read_text().replace('"max_failed_checks":1', '"max_failed_checks":2'))
    with pytest.raises(DataError, match="changed after the export"):
        read_key(tmp_path / "study")
    with pytest.raises(DataError, match="no study here"):
        read_key(tmp_path)


def test_a_method_without_a_face_costs_it_and_is_told(bench, tmp_path):
    lacking = [("copy", trial) for trial in bench.trials["trial"][:3]]
    broken = small_material(bench, tmp_path / "runs", leave_out=lacking)
    names = tuple(bench.trials["trial"])
    (tmp_path / "runs" / "stranger" / f"{names[5]}.png").write_bytes(b"no picture")
    made = export_study(broken, ExportRequest("match-2afc", size=SIZE), tmp_path / "study", Silent())
    assert made.key.methods["copy"].missing == names[:3]
    assert made.key.methods["stranger"].missing == (names[5],)
    assert not {*names[:3], names[5]} & set(made.key.items)
    assert any("copy has no face for 3 of 51 trials" in note and "count as 0.50" in note for note in made.notes)


# ------------------------------------------------------------------- items


def test_items_are_of_as_many_speakers_as_there_are_and_each_is_the_other_of_one(bench):
    items = choose_items(bench.trials, 17, np.random.default_rng(0))
    assert len({item.speaker for item in items}) == 17
    by_trial = {item.trial: item for item in items}
    others = [by_trial[item.other] for item in items]
    assert {other.trial for other in others} == set(by_trial)
    for item, other in zip(items, others, strict=True):
        assert item.speaker != other.speaker
        assert item.labels["sex"] == other.labels["sex"]
    alone = bench.trials[bench.trials["speaker"] == bench.trials["speaker"].iloc[0]]
    with pytest.raises(DataError, match="no two trials are of different speakers"):
        choose_items(alone, 5, np.random.default_rng(0))


# ------------------------------------------------------------------- who may be shown


def test_people_whose_licence_forbids_it_are_not_shown_unless_somebody_answers_for_it():
    cards = {name: registry().find("dataset", name).cls.card for name in registry().names("dataset")}
    allowed = {name for name, card in cards.items() if card.may_be_shown == "yes"}
    assert allowed == {"synthetic-speakers", "crema-d", "ravdess"}
    for name, card in cards.items():
        check_permission(name, card, responsible="B. Head, by agreement of 2026-05-01")
        if name not in allowed:
            with pytest.raises(UsageError, match="--take-responsibility") as refused:
                check_permission(name, card, responsible="")
            assert card.consent.rstrip(".") in str(refused.value)
    with pytest.raises(UsageError, match="forbids showing"):
        check_permission("voxceleb", cards["voxceleb"], "")
    with pytest.raises(UsageError, match="does not say whether"):
        check_permission("mead", cards["mead"], "")


def test_who_answers_for_it_stands_in_the_key(material, tmp_path, monkeypatch):
    from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticSpeakers

    card = SyntheticSpeakers.card
    monkeypatch.setattr(SyntheticSpeakers, "card", type(card)(**{**vars(card), "may_be_shown": "no"}))
    with pytest.raises(UsageError, match="forbids"):
        export_study(material, ExportRequest("realism", size=SIZE), tmp_path / "study", Silent())
    assert not (tmp_path / "study").exists()
    request = ExportRequest("realism", size=SIZE, responsible="B. Head")
    made = export_study(material, request, tmp_path / "study", Silent())
    assert read_key(tmp_path / "study").responsible == "B. Head"
    assert any("responsibility of B. Head" in note for note in made.notes)


# ------------------------------------------------------------------- the emotion track


@pytest.fixture(scope="module")
def acted(cache, tmp_path_factory):
    return small_material(open_small("emotion", cache), tmp_path_factory.mktemp("acted"))


@pytest.mark.parametrize("show", ["face", "voice", "film"])
def test_emotions_are_shown_as_faces_voices_or_films(acted, tmp_path, show):
    size = Size(lists=2, trials=8, anchors=2 if show != "film" else 1, checks=1)
    request = ExportRequest("name-emotion", modality=show, size=size, voice_seconds=1.0)
    export_study(acted, request, tmp_path / "study", Silent())
    key, public = read_key(tmp_path / "study"), shown(tmp_path / "study")
    emotions = acted.bench.trials.set_index("trial")["emotion"]
    orders = {tuple(answer["value"] for answer in each["answers"]) for each in public["lists"]}
    assert len(orders) == 2, "each rater sees the emotions in another order"
    assert all(set(order) == set(key.answers) for order in orders)
    assert key.chance == pytest.approx(1 / len(key.answers))
    for trial in trials_of(public):
        _, question = key.questions[trial["id"]]
        if question.kind != "check":
            assert question.right == emotions[question.item]
        assert ("film" in trial, "voice" in trial, bool(trial.get("pictures"))) == {
            "face": (False, False, True),
            "voice": (False, True, False),
            "film": (True, False, False),
        }[show]
    if show == "film":
        lengths = {path.stat().st_size for path in (tmp_path / "study" / SITE / "media").iterdir()}
        assert len(lengths) == 1
        import av

        film = next((tmp_path / "study" / SITE / "media").iterdir())
        with av.open(str(film)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            assert sum(1 for _ in container.decode(video=0)) == pytest.approx(25, abs=1)


def test_a_method_that_makes_films_is_shown_moving(acted, tmp_path):
    # One film of half a second red and half a second blue stands in the place of a trial's still.
    import av

    run = acted.run("copy")
    pictures = tmp_path / "films"
    pictures.mkdir()
    for trial in run.expected:
        with av.open(str(pictures / f"{trial}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width = stream.height = 128
            stream.pix_fmt = "yuv420p"
            for number in range(25):
                colour = (255, 0, 0) if number < 12 else (0, 0, 255)
                frame = av.VideoFrame.from_image(Image.new("RGB", (128, 128), colour))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    films = replace(run, faces=Faces.of(pictures))
    assert not films.missing()
    moving = Material((films,), acted.bench)
    size = Size(lists=1, trials=4, anchors=0, checks=0)
    request = ExportRequest("name-emotion", modality="film", size=size, voice_seconds=1.0)
    export_study(moving, request, tmp_path / "study", Silent())
    for path in (tmp_path / "study" / SITE / "media").iterdir():
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(0) for frame in container.decode(video=0)]
        assert frames[2][0] > 200 > 60 > frames[2][2], "red at the beginning"
        assert frames[-3][2] > 200 > 60 > frames[-3][0], "blue at the end"
    damaged = run.expected[-1]
    (pictures / f"{damaged}.mp4").write_bytes(b"no film")
    assert list(films.missing()) == [damaged]


def test_designs_and_tracks_that_do_not_fit_are_refused(material, acted, tmp_path):
    with pytest.raises(UsageError, match="name-emotion is not for the identity track"):
        export_study(material, ExportRequest("name-emotion"), tmp_path / "a", Silent())
    with pytest.raises(UsageError, match="match-2afc is not for the emotion track"):
        export_study(acted, ExportRequest("match-2afc"), tmp_path / "b", Silent())
    with pytest.raises(UsageError, match="did you mean 'realism'"):
        export_study(material, ExportRequest("realsim"), tmp_path / "c", Silent())
    single = Material(material.runs[:1], material.bench)
    with pytest.raises(UsageError, match="give two or more runs"):
        export_study(single, ExportRequest("which-method"), tmp_path / "d", Silent())
    assert not list(tmp_path.iterdir()), "nothing is left behind"
