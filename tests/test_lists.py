"""Published lists: both formats read, asked of a data set, and scored; and what sex alone is worth on VoxCeleb1's."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

from v2f_bench.data.lists import read_list
from v2f_bench.data.tracks import identity_protocol
from v2f_bench.interfaces import DataError, Evidence, ListedQuestions, UsageError
from v2f_bench.media.text import normal
from v2f_bench.metrics import Matching, Retrieval, Verification

NAMES = st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Nd"], include_characters="_'-"), min_size=1)
NAMES = NAMES.map(normal)  # the form in which names are compared


def clips_of(people=("Cai", "Dora", "Ed", "Fay", "Gus")):
    """Two voices and two faces each; by the first letter, C to E are test speakers and the others training ones."""
    rows = [
        {"clip": f"{name}/{kind}{n}", "speaker": name, "voice": kind == "v", "face": kind == "f"}
        for name in people
        for kind in "vf"
        for n in range(2)
    ]
    return pd.DataFrame(rows).set_index("clip", drop=False), {n: "test" if n[0] in "CDE" else "train" for n in people}


def written(folder, text, name="list.txt"):
    (folder / name).write_text(text)
    return folder / name


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, min_size=3, max_size=3)), min_size=1, max_size=5))
def test_matching_lists_are_read_as_written(tmp_path_factory, lines):
    text = "\n".join(" ".join([f"id1/{v}/00001.wav", *(f"{f}/0.jpg" for f in faces)]) for v, faces in lines)
    read = read_list(written(tmp_path_factory.mktemp("lists"), text))
    assert read.task == "matching"
    assert [q.voice for q in read.questions] == [f"id1/{voice}/00001" for voice, _ in lines]
    assert [list(q.faces) for q in read.questions] == [[f"{face}/0" for face in faces] for _, faces in lines]
    assert all(q.same == (True, False, False) for q in read.questions)


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), min_size=1, max_size=5), st.booleans())
def test_verification_lists_are_read_as_written(tmp_path_factory, pairs, header):
    lines = ["id,voice speaker,face speaker,label,voice path,face path"] if header else []
    lines += [f"{i}, x, y, {int(same)}, {v}/1.wav, {f}/2.jpg" for i, (v, f, same) in enumerate(pairs)]
    read = read_list(written(tmp_path_factory.mktemp("lists"), "\n".join(lines)))
    assert read.task == "verification"
    assert [(q.voice, q.faces, q.same) for q in read.questions] == [
        (f"{voice}/1", (f"{face}/2",), (same,)) for voice, face, same in pairs
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("a.wav A/1.jpg B/2.jpg\nb.wav B/2.jpg\n", "line 2"),
        ("a.wav A/1.jpg\n", "line 1"),
        ("0,a,b,1,a.wav,b.jpg\n1,a,b,2,a.wav,b.jpg\n", "line 2"),
        ("id,a,b,label,voice,face\n\n1,a,b\n", "line 3"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, complaint):
    with pytest.raises(DataError, match=complaint):
        read_list(written(tmp_path, text))


MATCHING = "Cai/v0.wav Cai/f1.jpg Ed/f0.jpg\nEd/v1.wav Ed/f0.jpg Cai/f1.jpg\n"


@pytest.mark.parametrize(
    "data",
    [
        MATCHING.encode("utf-8-sig"),
        MATCHING.replace("\n", "\r\n").encode(),
        MATCHING.replace("\n", "\r\n").encode("utf-8-sig"),
        MATCHING.encode("utf-16"),
        MATCHING.replace("\n", " \n\n").encode(),
        MATCHING.removesuffix("\n").encode(),
        MATCHING.replace(" ", "\u00a0").encode(),
    ],
)
def test_a_list_is_the_same_list_whatever_ends_its_lines(tmp_path, data):
    clips, split_of = clips_of()
    plain = written(tmp_path, MATCHING, "mine.txt")
    assert read_list(plain).sha256 == hashlib.sha256(plain.read_bytes()).hexdigest(), "as any tool tells it"
    expected = identity_protocol({"name": "d"}, clips, split_of, [read_list(plain)])
    plain.write_bytes(data)
    found = identity_protocol({"name": "d"}, clips, split_of, [read_list(plain)])
    assert len(found.lists[0]["questions"]) == 2
    assert found.hash == expected.hash


def test_paths_of_windows_are_paths(tmp_path):
    questions = read_list(written(tmp_path, MATCHING.replace("/", "\\"))).questions
    assert questions == read_list(written(tmp_path, MATCHING)).questions


@pytest.mark.parametrize("label", ["yes", "true", "2", "same", ""])
def test_a_first_line_with_a_bad_label_is_no_heading(tmp_path, label):
    text = f"0, Cai, Cai, {label}, Cai/v0.wav, Cai/f0.jpg\n1, Cai, Ed, 0, Cai/v0.wav, Ed/f0.jpg\n"
    with pytest.raises(DataError, match="line 1: not `id"):
        read_list(written(tmp_path, text))


def test_cells_between_quotes_are_cells(tmp_path):
    text = '"id","v","f","label","voice","face"\n"0","Cai","Ed","0","Cai/v0.wav","Ed/f0.jpg"\n'
    (question,) = read_list(written(tmp_path, text)).questions
    assert (question.voice, question.faces, question.same) == ("Cai/v0", ("Ed/f0",), (False,))


def test_questions_that_stand_twice_are_counted(tmp_path):
    assert read_list(written(tmp_path, MATCHING)).repeated == 0
    assert read_list(written(tmp_path, MATCHING * 3)).repeated == 4


@pytest.mark.parametrize("path", ["../x.wav", "/", "a/../../b.wav", "."])
def test_a_path_that_is_no_clip_is_named_with_its_line(tmp_path, path):
    with pytest.raises(DataError, match=r"line 3: .* is no path of a clip"):
        read_list(written(tmp_path, MATCHING + f"{path} Ed/f0.jpg Cai/f1.jpg\n"))


def test_questions_that_cannot_be_asked_are_counted_by_reason(tmp_path):
    clips, split_of = clips_of()
    text = "Cai/v0.wav Cai/f1.jpg Ed/f0.jpg\nCai/v7.wav Cai/f0.jpg Ed/f0.jpg\nEd/v1.wav Ed/f0.jpg Cai/f9.jpg\n"
    read = read_list(written(tmp_path, text + "Fay/v0.wav Fay/f0.jpg Ed/f0.jpg\n", "mine.txt"))
    protocol = identity_protocol({"name": "d"}, clips, split_of, [read])
    assert protocol.name == "identity-v2-no-face-check+mine"
    assert [trial["voice"] for trial in protocol.trials] == ["Cai/v0"]
    (told,) = protocol.lists
    assert told["questions"] == [
        {"trial": protocol.trials[0]["trial"], "faces": ["Cai/f1", "Ed/f0"], "same": [True, False]}
    ]
    assert told["left_out"] == {
        "its voice is not in the data set": 1,
        "a face is not in the data set": 1,
        "it is about people outside the test split": 1,
    }


def test_a_list_that_contradicts_the_data_set_is_refused(tmp_path):
    clips, split_of = clips_of()
    read = read_list(written(tmp_path, "Cai/v0.wav Ed/f0.jpg Cai/f1.jpg\n"))
    with pytest.raises(DataError, match="line 1"):
        identity_protocol({"name": "d"}, clips, split_of, [read])


def evidence_of(lists, generated, listed):
    speakers = [f"s{row}" for row in range(len(generated))]
    trials = pd.DataFrame({"trial": speakers, "speaker": speakers})
    gallery = pd.DataFrame({"clip": speakers, "speaker": speakers})
    seen = dict.fromkeys(("target", "gallery", "reference"), generated) | {"generated": generated, "listed": listed}
    return Evidence(trials, gallery, gallery, seen, lists=tuple(lists))


def numbers(metric, evidence):
    rows = np.arange(len(evidence.trials))
    return {m.name: m.statistic(rows) for m in metric.measure(evidence) if m.statistic is not None}


def test_verification_over_a_list_is_sklearns_and_a_failed_face_costs():
    rng = np.random.default_rng(0)
    faces, generated = rng.standard_normal((30, 5)), rng.standard_normal((20, 5))
    trial, face, same = rng.integers(20, size=200), rng.integers(30, size=200), rng.random(200) < 0.4
    faces[face[same]] += 0.7 * generated[trial[same]]
    asked = ListedQuestions("pairs", "verification", trial, face[:, None], same[:, None])
    cosine = np.einsum("qd,qd->q", generated[trial], faces[face])
    cosine /= np.linalg.norm(generated[trial], axis=1) * np.linalg.norm(faces[face], axis=1)
    evidence = evidence_of([asked], generated, faces)
    assert numbers(Verification(), evidence)["verification/pairs/AUC"] == pytest.approx(roc_auc_score(same, cosine))

    failed = generated.copy()
    failed[3] = np.nan
    kept = same | (trial != 3)  # a failed face is last with its own speaker, and not compared with others
    score = np.where(trial == 3, -2.0, cosine)
    expected = roc_auc_score(same[kept], score[kept])
    found = numbers(Verification(), evidence_of([asked], failed, faces))["verification/pairs/AUC"]
    assert found == pytest.approx(expected)
    assert numbers(Verification(), evidence_of([asked], np.full_like(failed, np.nan), faces)) == {
        **numbers(Verification(), evidence_of([], np.full_like(failed, np.nan), faces)),
        "verification/pairs/AUC": 0.0,
        "verification/pairs/EER": 1.0,
    }


def test_matching_over_a_list_counts_questions_and_shares_ties():
    generated = np.eye(3)
    faces = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], float)
    same = np.tile([True, False], (4, 1))
    asked = ListedQuestions(
        "two", "matching", np.array([0, 0, 1, 2]), np.array([[0, 1], [1, 3], [3, 0], [0, 1]]), same
    )  # right, wrong, right, a tie
    assert numbers(Matching(), evidence_of([asked], generated, faces))["matching/two/1:2"] == pytest.approx(2.5 / 4)
    generated[0] = np.nan
    found = numbers(Matching(), evidence_of([asked], generated, faces))["matching/two/1:2"]
    assert found == pytest.approx(1.5 / 4)


def test_a_long_line_up_is_a_gallery_for_retrieval():
    """R@k against scikit-learn's top-k accuracy, the rank against scipy's."""
    rng = np.random.default_rng(0)
    faces, generated = rng.standard_normal((40, 5)), rng.standard_normal((6, 5))
    trial = rng.integers(6, size=50)
    lines = np.stack([rng.permutation(40)[:12] for _ in trial])
    asked = ListedQuestions("walk", "matching", trial, lines, np.tile(np.arange(12) == 0, (50, 1)))
    cosine = np.einsum("qd,qnd->qn", generated[trial], faces[lines])
    cosine /= np.linalg.norm(generated[trial], axis=1)[:, None] * np.linalg.norm(faces[lines], axis=2)
    found = numbers(Retrieval(), evidence_of([asked], generated, faces))
    for k in (1, 5, 10):
        expected = top_k_accuracy_score(np.zeros(50), cosine, k=k, labels=range(12))
        assert found[f"retrieval/walk/R@{k}"] == pytest.approx(expected)
    rank = rankdata(-cosine, axis=1)[:, 0]
    assert found["retrieval/walk/normalised-mean-rank"] == pytest.approx(np.mean((rank - 1) / 11))

    lost = generated.copy()
    lost[trial[0]] = np.nan
    found = numbers(Retrieval(), evidence_of([asked], lost, faces))
    kept = trial != trial[0]
    assert found["retrieval/walk/R@5"] == pytest.approx(np.mean((rank <= 5) & kept))
    assert found["retrieval/walk/normalised-mean-rank"] == pytest.approx(np.mean(np.where(kept, (rank - 1) / 11, 1)))

    blank = faces.copy()
    blank[lines[0, 3]] = np.nan  # takes no part where it is a distractor; who should find it is not asked
    found = numbers(Retrieval(), evidence_of([asked], generated, blank))
    rank = rankdata(np.where(lines == lines[0, 3], np.inf, -cosine), axis=1)[:, 0]
    asked_for = lines[:, 0] != lines[0, 3]
    assert found["retrieval/walk/R@5"] == pytest.approx(np.mean(rank[asked_for] <= 5))

    short = ListedQuestions("ten", "matching", trial, lines[:, :10], asked.same[:, :10])
    assert not [name for name in numbers(Retrieval(), evidence_of([short], generated, faces)) if "ten" in name]


def test_sex_alone_is_worth_on_voxceleb_what_the_papers_say(shared_data, tmp_path):
    """65,550 pairs of the C-E speakers of VoxCeleb1, half of one person: by sex, AUC .729 is published, and .5 where
    the two are of one sex."""
    meta = pd.read_csv(shared_data / "vgg-all-frontal" / "vox1_meta.csv", sep="\t", dtype=str)
    people = meta[meta["VGGFace1 ID"].str[0].isin(list("CDE"))].set_index("VGGFace1 ID")["Gender"]
    assert len(people) == 193
    rng = np.random.default_rng(0)
    areas = {}
    for name in ("unstratified", "within-sex"):
        others = {
            person: [
                other for other in people.index if other != person and (name != "within-sex" or people[other] == sex)
            ]
            for person, sex in people.items()
        }
        lines = []
        for number, voice in enumerate(rng.choice(people.index, 65_550)):
            face = voice if number % 2 else others[voice][rng.integers(len(others[voice]))]
            lines.append(f"{number},{voice},{face},{int(voice == face)},{voice}/v0.wav,{face}/f0.jpg")
        read = read_list(written(tmp_path, "\n".join(lines), f"{name}.txt"))
        place = {person: row for row, person in enumerate(people.index)}
        trial = np.array([place[q.voice.removesuffix("/v0")] for q in read.questions])
        face = np.array([[place[q.faces[0].removesuffix("/f0")]] for q in read.questions])
        asked = ListedQuestions(name, read.task, trial, face, np.array([q.same for q in read.questions]))
        sexes = np.stack([people == "m", people == "f"], axis=1).astype(np.float32)
        evidence = evidence_of([asked], sexes, sexes)
        areas[name] = numbers(Verification(), evidence)[f"verification/{name}/AUC"]
    assert areas["unstratified"] == pytest.approx(0.73, abs=0.02)
    assert areas["within-sex"] == pytest.approx(0.5, abs=0.001)


def test_lists_are_for_the_identity_track(tmp_path):
    from v2f_bench.data.tracks import protocol_of

    clips, split_of = clips_of()
    read = read_list(written(tmp_path, "Cai/v0.wav Cai/f1.jpg Ed/f0.jpg\n"))
    with pytest.raises(UsageError, match="identity"):
        protocol_of("emotion", {"name": "d"}, clips.assign(emotion="neutral"), split_of, [read])


def test_questions_weigh_with_their_trials_in_a_resample():
    asked = ListedQuestions(
        "two", "matching", np.array([0, 1, 1]), np.array([[0, 1], [0, 1], [0, 1]]), np.tile([True, False], (3, 1))
    )
    evidence = evidence_of([asked], np.eye(2), np.eye(2))
    (measure,) = [m for m in Matching().measure(evidence) if m.name == "matching/two/1:2"]
    assert measure.statistic(np.array([0, 0, 1])) == pytest.approx(2 / 4)  # trial 0 twice, trial 1's two questions once
    assert np.isnan(replace(measure).statistic(np.array([], dtype=int)))
