"""The floors and ceilings of every table: each does just what its name says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from v2f_baselines import v2f_bench_methods
from v2f_baselines.linear import PENALTY, ridge_regression, softmax_regression
from v2f_bench.datasets.synthetic_speakers.causes import SHARED_FACTORS, draw_person
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Clips, Context, NoOptions, Offer, Trials, Voices

METHODS = {method.name: method for method in v2f_bench_methods()}


@pytest.fixture(scope="module")
def bench(cache):
    return make_bench(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), Workplace(cache=cache, jobs=1))


def faces_of(name, bench, seed=0):
    """The faces that a baseline makes for all trials."""
    method = METHODS[name](METHODS[name].options())
    method.fit(bench.split("train"), bench.split("validation"), Context(seed))
    again = METHODS[name](METHODS[name].options())
    again.restore(method.state(), "cpu")
    trials = trials_for(bench, METHODS[name].needs, np.arange(len(bench.trials)))
    faces = method.generate(trials, Context(seed))
    torch.testing.assert_close(again.generate(trials, Context(seed)), faces, equal_nan=True)
    return faces


def rows_of(faces, clips):
    """For each face the row of the clip whose picture it is; an error where it is none of them."""
    pictures = (clips.faces(range(len(clips))) * 255).round().flatten(1)
    distances = torch.cdist((faces * 255).round().flatten(1), pictures, p=1)
    nearest, rows = distances.min(dim=1)
    assert nearest.max() == 0
    return rows.numpy()


def test_copy_proposal_changes_nothing(bench):
    faces = faces_of("copy-proposal", bench)
    assert torch.equal(faces, bench.faces(list(bench.trials["proposal"])))
    owners = bench.store.clips.loc[bench.trials["proposal"], "speaker"].to_numpy()
    assert (owners != bench.trials["speaker"]).all()


def test_mean_face_is_the_mean_of_the_training_faces(bench):
    faces = faces_of("mean-face", bench)
    train = bench.split("train")
    expected = train.faces(range(len(train))).numpy().mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(faces.numpy(), np.broadcast_to(expected, faces.shape), atol=1e-5)


def test_random_face_draws_training_faces_another_with_another_seed(bench):
    rows = rows_of(faces_of("random-face", bench), bench.split("train"))
    assert len(set(rows)) > len(rows) / 2
    assert (rows != rows_of(faces_of("random-face", bench, seed=1), bench.split("train"))).any()


@pytest.mark.slow
def test_same_sex_face_hears_the_sex_of_people_it_never_met(cache):
    dataset = SyntheticSpeakers(SyntheticOptions(speakers=96, clips=3), None)
    bench = make_bench(dataset, Workplace(cache=cache, jobs=1))
    train = bench.split("train")
    shown = train.table["sex"].to_numpy()[rows_of(faces_of("same-sex-face", bench), train)]
    assert (shown == bench.trials["sex"]).mean() > 0.9


class Hums(Clips):
    """Made-up people whose voices tell both: louder with age, low for men; their faces are a grey of their number."""

    rate, resolution = 16_000, 8

    def __init__(self, count, seed):
        self.rng = np.random.default_rng(seed)
        sex, age = self.rng.choice(["female", "male"], count), self.rng.uniform(20, 80, count)
        self.table = pd.DataFrame({"speaker": range(count), "sex": sex, "age": age, "voice": True, "face": True})

    def voices(self, rows):
        of = self.table.iloc[rows]
        noise = self.rng.standard_normal((len(of), 8000)) * np.exp(of["age"].to_numpy() / 40)[:, None] * 1e-3
        low = np.cumsum(noise, axis=1) / 20
        samples = np.where((of["sex"] == "male").to_numpy()[:, None], low, noise)
        return Voices(torch.tensor(samples, dtype=torch.float32), torch.full((len(of),), 8000), self.rate)

    def faces(self, rows):
        return (torch.tensor(rows) / 255).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def test_same_sex_and_age_face_hears_both_of_people_it_never_met():
    known, strangers = Hums(200, seed=0), Hums(60, seed=1)
    method = METHODS["same-sex-and-age-face"](NoOptions())
    method.fit(known, known, Context())
    voices = strangers.voices(range(60))
    male, age = method.hear(voices)
    assert (male.numpy() == (strangers.table["sex"] == "male")).mean() > 0.95
    assert np.abs(age.numpy() - strangers.table["age"]).mean() < 5
    faces = method.generate(Trials(tuple(map(str, range(60))), {"voice": voices}, 8), Context())
    shown = known.table.iloc[(faces[:, 0, 0, 0] * 255).round().int().tolist()].reset_index()
    assert (shown["sex"] == strangers.table["sex"]).mean() > 0.95
    assert np.abs(shown["age"] - strangers.table["age"]).mean() < 10, "20 is blind"


def test_labelled_face_knows_sex_and_age_and_needs_no_voice(bench):
    assert METHODS["labelled-face"].needs == {"attributes"}
    train = bench.split("train")
    shown = train.table.iloc[rows_of(faces_of("labelled-face", bench), train)].reset_index()
    assert (shown["sex"] == bench.trials["sex"]).all()
    gap, blind = (
        np.abs(bench.trials["age"].to_numpy() - ages).mean() for ages in (shown["age"], train.table["age"].mean())
    )
    assert gap < blind / 2


def test_ridge_regression_is_scikit_learns():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    features = rng.standard_normal((200, 7))
    features -= features.mean(axis=0)
    numbers = features @ rng.standard_normal(7) + 40 + rng.standard_normal(200)
    weights, bias = ridge_regression(torch.tensor(features), torch.tensor(numbers))
    theirs = Ridge(alpha=PENALTY * 200).fit(features, numbers)
    np.testing.assert_allclose(weights, theirs.coef_, rtol=1e-4)
    assert float(bias) == pytest.approx(theirs.intercept_, rel=1e-5)


def test_softmax_regression_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    features = rng.standard_normal((300, 5))
    classes = (features @ rng.standard_normal((5, 3)) + rng.gumbel(size=(300, 3))).argmax(axis=1)
    weights, bias = softmax_regression(torch.tensor(features).float(), torch.tensor(classes), 3)
    # theirs minimises the sum of cross-entropies times C and half of the squared weights
    theirs = LogisticRegression(C=1 / (2 * PENALTY * 300), tol=1e-8, max_iter=1000).fit(features, classes)
    np.testing.assert_allclose(weights.T, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(bias - bias.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=2e-3)


class Moods(Clips):
    """Made-up people, each with a grey of their own; the sad ones speak softly and have a darker lower half."""

    rate, resolution = 16_000, 8

    def __init__(self, count, seed):
        self.rng = np.random.default_rng(seed)
        speakers = np.arange(count).repeat(2)
        emotion = np.tile(["neutral", "sad"], count)
        self.grey = self.rng.uniform(0.4, 0.8, count)
        self.table = pd.DataFrame({"speaker": speakers, "emotion": emotion, "voice": True, "face": True})

    def voices(self, rows):
        loud = np.where(self.table["emotion"].iloc[rows] == "sad", 0.01, 0.1)
        samples = torch.tensor(self.rng.standard_normal((len(loud), 8000)) * loud[:, None]).float()
        return Voices(samples, torch.full((len(loud),), 8000), self.rate)

    def faces(self, rows):
        of = self.table.iloc[rows]
        faces = torch.tensor(self.grey[of["speaker"]]).float().view(-1, 1, 1, 1).repeat(1, 3, 8, 8)
        faces[torch.tensor(list(of["emotion"] == "sad")), :, 4:] -= 0.25
        return faces


def test_emotion_mean_shift_adds_the_mean_change_of_the_emotion_that_is_heard():
    known, strangers = Moods(40, seed=0), Moods(10, seed=1)
    method = METHODS["emotion-mean-shift"](NoOptions())
    method.fit(known, known, Context())
    sources = strangers.faces(np.arange(20) // 2 * 2)
    faces = method.generate(
        Trials((*map(str, range(20)),), {"voice": strangers.voices(range(20)), "proposal": sources}, 8), Context()
    )
    torch.testing.assert_close(faces, strangers.faces(range(20)), atol=1e-5, rtol=0)
    again = METHODS["emotion-mean-shift"](NoOptions())
    again.restore(method.state(), "cpu")
    voices = strangers.voices(range(20))
    assert torch.equal(again.hear(voices), method.hear(voices))


def test_emotion_mean_shift_says_what_it_lacks():
    table = Moods(3, seed=0).table
    for lacking in (table.assign(emotion=""), table.assign(emotion="sad"), table.drop(columns="emotion")):
        offer = Offer("somewhere", "emotion", lacking, lacking, {})
        assert "no training voices and faces of two emotions" in METHODS["emotion-mean-shift"].unsuited(
            NoOptions(), offer
        )
    assert not METHODS["emotion-mean-shift"].unsuited(NoOptions(), Offer("somewhere", "emotion", table, table, {}))


def test_real_photo_is_another_picture_of_the_speaker(bench):
    faces = faces_of("real-photo", bench)
    photos = bench.trials["real_photo"]
    assert torch.equal(faces, bench.faces(list(photos)))
    assert (bench.store.clips.loc[photos, "speaker"].to_numpy() == bench.trials["speaker"]).all()
    assert (photos != bench.trials["target"]).all()
    assert not set(photos) & set(bench.gallery["clip"])


def test_the_oracle_knows_all_that_is_heard_and_nothing_else():
    person, stranger = draw_person(0, 1), draw_person(0, 2)
    alike = replace(person, face=stranger.face, seed=stranger.seed)
    assert alike.as_heard() == person.as_heard(), "what only the face shows must not reach the oracle"
    for factor in SHARED_FACTORS:
        heard = replace(person, factors=person.factors | {factor: person.factors[factor] + 1}).as_heard()
        assert heard.face != person.as_heard().face, f"{factor} is heard, and must show"
    assert replace(person, age=person.age + 10).as_heard().face != person.as_heard().face


def test_the_oracle_draws_every_trial_of_a_speaker_alike(bench):
    faces = faces_of("oracle", bench)
    speakers = bench.trials["speaker"].to_numpy()
    for speaker in set(speakers):
        own = faces[speakers == speaker]
        assert (own == own[0]).all()
    different = torch.pdist(faces[np.unique(speakers, return_index=True)[1]].flatten(1))
    assert different.min() > 0


def test_nearest_voice_shows_a_speaker_who_sounds_alike(bench):
    """Of the same sex far more often than by chance, with few speakers to choose from."""
    train = bench.split("train")
    rows = rows_of(faces_of("nearest-voice", bench), train)
    assert (train.table["sex"].to_numpy()[rows] == bench.trials["sex"]).mean() > 0.7  # 0.5 is chance


def test_discriminants_are_scikit_learns(monkeypatch):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from v2f_baselines import nearest_voice

    monkeypatch.setattr(nearest_voice, "SHRINKAGE", 0.0)  # scikit-learn shrinks the covariance between classes too
    rng = np.random.default_rng(0)
    classes = np.arange(40).repeat(10)
    features = rng.standard_normal((40, 24))[classes] + rng.standard_normal((400, 24)) @ rng.standard_normal((24, 24))
    ours = features @ nearest_voice.discriminants(features, classes)
    analysis = LinearDiscriminantAnalysis(solver="eigen", n_components=nearest_voice.DIMENSIONS)
    theirs = analysis.fit(features, classes).transform(features)
    correlation = np.corrcoef(ours.T, theirs.T)[: ours.shape[1], ours.shape[1] :]  # signs and lengths are arbitrary
    np.testing.assert_allclose(np.abs(np.diag(correlation)), 1, atol=1e-6)


CLIPS = pd.DataFrame(
    [("a", "female", True, True), ("a", "female", True, False), ("b", "male", True, False), ("b", "male", False, True)],
    columns=["speaker", "sex", "voice", "face"],
)


@pytest.mark.parametrize(
    ("name", "train", "lacking"),
    [
        ("same-sex-face", CLIPS, ""),
        ("same-sex-face", CLIPS.drop(columns="sex"), "no training voices labelled female and male"),
        ("same-sex-face", CLIPS[:3], "no training faces labelled female and male"),
        ("same-sex-face", CLIPS[[True, False, False, True]], "no training voices labelled female and male"),
        ("nearest-voice", CLIPS, ""),
        ("nearest-voice", CLIPS[1:], "no training speaker with two voices and a face"),
        ("mean-face", CLIPS[:0], "no training speakers"),
        ("random-face", CLIPS[1:3], "no training speakers with voices and faces"),
        ("same-sex-and-age-face", CLIPS.assign(age=30), ""),
        ("same-sex-and-age-face", CLIPS, "no training faces labelled with sex and age"),
        (
            "same-sex-and-age-face",
            CLIPS.drop(columns="sex").assign(age=30),
            "no training faces labelled with sex and age",
        ),
        ("same-sex-and-age-face", CLIPS[[True, False, False, True]].assign(age=30), "no training voices labelled"),
        ("labelled-face", CLIPS.drop(columns="sex"), "no training faces labelled with sex and age"),
        ("copy-proposal", CLIPS[:0], ""),
        ("real-photo", CLIPS[:0], ""),
    ],
)
def test_each_says_what_it_lacks_before_it_learns(name, train, lacking):
    method = METHODS[name]
    said = method.unsuited(method.options(), Offer("made", "identity", train, train[:0], {}))
    assert lacking in said
    assert bool(said) == bool(lacking)
