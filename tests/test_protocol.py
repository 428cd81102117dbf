"""What a protocol promises, for any table of clips."""

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.splits import hashed_split, roster_split
from v2f_bench.data.tracks import emotion_protocol, identity_protocol
from v2f_bench.data.variants import Form, Variant
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, PluginError, UsageError

DATASET = {"name": "made", "version": "1", "options": {}}


def clips_of(speakers, emotions=False):
    """`speakers` maps a name to (voices, faces); clips with both come first."""
    rows = []
    for name, (voices, faces) in speakers.items():
        for number in range(max(voices, faces)):
            row = {"clip": f"{name}-{number}", "speaker": name, "voice": number < voices, "face": number < faces}
            rows.append(row | ({"emotion": ["happy", "neutral"][number % 2]} if emotions else {}))
    return pd.DataFrame(rows).set_index("clip", drop=False)


def protocol_of(speakers, **labels):
    return identity_protocol(DATASET, clips_of(speakers, **labels), hashed_split(speakers, "x", 0.2, 0.3))


people = st.dictionaries(
    st.text("abcdefghij", min_size=2, max_size=4),
    st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(any),
    min_size=20,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(people)
def test_promises_of_the_identity_protocol(speakers):
    try:
        protocol = protocol_of(speakers)
    except DataError:  # no test speaker with a voice and a face, say; the text is another test's matter
        assume(False)
    owner = {clip: clip.split("-")[0] for clips in protocol.splits.values() for clip in clips}
    split_of = {clip: split for split, clips in protocol.splits.items() for clip in clips}
    by_split = {split: {owner[clip] for clip in clips} for split, clips in protocol.splits.items()}
    assert not by_split["train"] & by_split["test"]
    assert not by_split["train"] & by_split["validation"]
    assert not by_split["validation"] & by_split["test"]

    assert len({owner[clip] for clip in protocol.gallery}) == len(protocol.gallery), "a speaker once in the gallery"
    photos = {trial["real_photo"] for trial in protocol.trials} - {""}
    proposals = {trial["proposal"] for trial in protocol.trials}
    for trial in protocol.trials:
        assert owner[trial["voice"]] == owner[trial["target"]] == trial["speaker"]
        assert trial["target"] in protocol.gallery
        assert owner[trial["proposal"]] != trial["speaker"]
        assert owner[trial["other"]] != trial["speaker"]
        assert split_of[trial["random_face"]] == "train"
        assert split_of[trial["voice"]] == split_of[trial["proposal"]] == "test"
        assert trial["real_photo"] != trial["target"], "the gallery's own picture would be a perfect score for nothing"
        assert not trial["real_photo"] or owner[trial["real_photo"]] == trial["speaker"]
    assert not photos & set(protocol.gallery)
    assert not photos & set(protocol.reference)
    several = {owner[clip] for clip in protocol.gallery if speakers[owner[clip]][1] > 1}
    assert all(clip not in protocol.gallery for clip in proposals if owner[clip] in several)


EMOTIONS = ("neutral", "happy", "sad", "")
emotional_people = st.dictionaries(
    st.text("abcdefghij", min_size=2, max_size=4),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from(EMOTIONS)), min_size=1, max_size=8),
    min_size=15,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(emotional_people)
def test_promises_of_the_emotion_protocol(speakers):
    rows = [
        {"clip": f"{name}-{number}", "speaker": name, "voice": voice, "face": face, "emotion": emotion}
        for name, clips in speakers.items()
        for number, (voice, face, emotion) in enumerate(clips)
        if voice or face
    ]
    clips = pd.DataFrame(rows, columns=["clip", "speaker", "voice", "face", "emotion"]).set_index("clip", drop=False)
    split_of = hashed_split(speakers, "x", 0.2, 0.4)
    try:
        protocol = emotion_protocol(DATASET, clips, split_of)
    except DataError:
        assume(False)
    emotion, owner, face = (clips[column].to_dict() for column in ("emotion", "speaker", "face"))
    gallery = {owner[clip]: clip for clip in protocol.gallery}
    assert len(gallery) == len(protocol.gallery)
    for trial in protocol.trials:
        assert split_of[trial["speaker"]] == "test"
        assert owner[trial["voice"]] == owner[trial["target"]] == owner[trial["proposal"]] == trial["speaker"]
        assert emotion[trial["voice"]] == emotion[trial["target"]] != ""
        photo = trial["real_photo"]
        showing = clips.index[
            (clips["speaker"] == trial["speaker"]) & clips["face"] & (clips["emotion"] == emotion[trial["voice"]])
        ]
        others = set(showing) - {trial["target"], trial["proposal"]}
        assert photo in others if others else photo == "", "the target itself is no second picture"
        assert trial["proposal"] == gallery[trial["speaker"]]
        assert emotion[trial["proposal"]] == "neutral"
        assert trial["target"] != trial["proposal"], "the answer must not be given away"
        assert face[trial["voice"]] is False or trial["target"] == trial["voice"] or trial["voice"] == trial["proposal"]
        assert owner[trial["other"]] != trial["speaker"]
        assert split_of[owner[trial["random_face"]]] == "train"
    by_speaker = pd.DataFrame(protocol.trials).groupby("speaker")["voice"].agg(list)
    for name, voices in by_speaker.items():
        heard = [emotion[voice] for voice in voices]
        shown = {
            emotion[clip] for clip in clips.index[(clips["speaker"] == name) & clips["face"]] if clip != gallery[name]
        }
        possible = {emotion[clip] for clip in clips.index[(clips["speaker"] == name) & clips["voice"]]} & shown - {""}
        assert len(set(heard)) == min(3, len(possible)), "different emotions as far as there are such"


@given(people, st.data())
def test_a_missing_speaker_moves_nobody(speakers, data):
    gone = data.draw(st.sampled_from(sorted(speakers)))
    before = hashed_split(speakers, "x", 0.2, 0.3)
    after = hashed_split(speakers.keys() - {gone}, "x", 0.2, 0.3)
    assert after == {name: split for name, split in before.items() if name != gone}


def test_the_hash_tells_protocols_apart_and_survives_the_file(tmp_path):
    speakers = {f"s{i:02d}": (3, 5) for i in range(40)}
    protocol = protocol_of(speakers)
    assert protocol.hash == protocol_of(dict(reversed(list(speakers.items())))).hash, (
        "the order of speakers is no matter"
    )
    assert protocol.hash != protocol_of({name: faces for name, faces in speakers.items() if name != "s07"}).hash
    path = tmp_path / "protocol.json"
    path.write_text(protocol.to_json())
    assert Protocol.read(path) == protocol
    path.write_text(protocol.to_json().replace("s01-0", "s01-1"))
    with pytest.raises(DataError, match="changed by hand"):
        Protocol.read(path)


def test_the_gallery_prefers_neutral_faces():
    protocol = protocol_of({f"s{i:02d}": (3, 5) for i in range(40)}, emotions=True)
    assert all(int(clip.split("-")[1]) % 2 == 1 for clip in protocol.gallery)


def test_names_and_order_of_trials_do_not_tell_whose_they_are():
    """Of 20 speakers with three voices each: neighbours are of one speaker about as often as chance has it."""
    protocol = protocol_of({f"s{i:03d}": (3, 5) for i in range(80)})
    names = [trial["trial"] for trial in protocol.trials]
    assert names == sorted(names)
    assert len(set(names)) == len(names) > 50
    speakers = [trial["speaker"] for trial in protocol.trials]
    together = sum(first == second for first, second in pairwise(speakers))
    assert together <= 0.15 * len(names), "speaker by speaker it would be two thirds"


def test_a_trial_is_called_the_same_wherever_the_same_is_asked():
    speakers = {f"s{i:02d}": (3, 5) for i in range(40)}
    plain = protocol_of(speakers)
    split_of = hashed_split(speakers, "x", 0.2, 0.3)
    checked = identity_protocol(DATASET, clips_of(speakers), split_of, variant=Variant(face_check="finder 1"))
    assert (plain.name, checked.name) == ("identity-v2-no-face-check", "identity-v2")
    assert plain.hash != checked.hash, "the same pictures have other numbers"
    assert plain.questions_hash == checked.questions_hash
    assert [t["trial"] for t in plain.trials] == [t["trial"] for t in checked.trials]
    elsewhere = identity_protocol({**DATASET, "options": {"world": 1}}, clips_of(speakers), split_of)
    assert not {t["trial"] for t in plain.trials} & {t["trial"] for t in elsewhere.trials}
    assert elsewhere.questions_hash != plain.questions_hash
    others = dict.fromkeys(speakers, "train") | {name: "test" for name, split in split_of.items() if split == "test"}
    learned = identity_protocol(DATASET, clips_of(speakers), others)
    assert learned.questions_hash != plain.questions_hash, "another training split"


def test_a_form_of_faces_or_voices_is_another_protocol_with_the_same_trials():
    speakers = {f"s{i:02d}": (2, 2) for i in range(20)}
    split_of = hashed_split(speakers, "x", 0.2, 0.4)

    def protocol(**form):
        variant = Variant(face_check="finder 1", form=Form(**form))
        return identity_protocol(DATASET, clips_of(speakers), split_of, variant=variant)

    plain, large, short, swapped = (
        protocol(),
        protocol(resolution=128),
        protocol(voices="3s"),
        protocol(voices="noise-swapped"),
    )
    assert [p.name for p in (plain, large, short, swapped)] == [
        *("identity-v2", "identity-v2-128px", "identity-v2-3s", "identity-v2-noise-swapped")
    ]
    assert len({p.hash for p in (plain, large, short, swapped)}) == 4
    assert large.questions_hash == plain.questions_hash, "the same pictures may be judged at both"
    assert len({p.questions_hash for p in (plain, short, swapped)}) == 3, "another voice, another picture"
    for other in (large, short, swapped):
        assert [t["trial"] for t in other.trials] == [t["trial"] for t in plain.trials]
    owner = {clip: clip.split("-")[0] for clip in swapped.splits["test"]}
    for trial in swapped.trials:
        assert owner[trial["noise"]] != trial["speaker"]
    assert not any(trial["noise"] for trial in plain.trials)


def test_noise_comes_from_another_recording_session():
    clips = clips_of({f"s{i}": (3, 3) for i in range(8)})
    clips["group"] = ["one" if name[-1] < "2" else "two" for name in clips["clip"]]  # every speaker is in both
    split_of = {f"s{i}": "test" if i < 5 else "train" for i in range(8)}
    swapped = identity_protocol(DATASET, clips, split_of, variant=Variant(form=Form(voices="noise-swapped")))
    session = clips["group"].to_dict()
    for trial in swapped.trials:
        assert session[trial["noise"]] != session[trial["voice"]]


@pytest.mark.parametrize("form", [{"resolution": 31}, {"resolution": 257}, {"voices": "short"}, {"voices": "0s"}])
def test_a_form_that_is_none_is_refused(form):
    with pytest.raises(UsageError, match=r"resolution is 32 to 256|voices are whole"):
        Form(**form)


def test_a_set_of_test_people_alone_has_trials_and_no_training_face():
    speakers = {f"s{i}": (2, 2) for i in range(6)}
    protocol = identity_protocol(DATASET, clips_of(speakers), dict.fromkeys(speakers, "test"))
    assert protocol.name == "identity-v2-no-face-check-evaluation-only"
    assert len(protocol.trials) == 12
    assert {trial["random_face"] for trial in protocol.trials} == {""}


def test_too_few_people_says_how_many_there_are():
    with pytest.raises(DataError, match=r"too few speakers .*train \d"):
        protocol_of({"ab": (1, 1), "cd": (1, 1)})


def test_a_split_that_shares_speakers_must_say_so_in_its_name():
    speakers = {f"s{i:02d}": (4, 4) for i in range(12)}
    clips = clips_of(speakers)
    by_clip = {clip: ("train", "test")[int(clip[-1]) % 2] for clip in clips["clip"]}
    protocol = identity_protocol(DATASET, clips, by_clip, variant=Variant("by-turns", shares_speakers=True))
    assert protocol.name == "identity-by-turns-v2-no-face-check"
    assert not set(protocol.splits["train"]) & set(protocol.splits["test"])
    assert len(protocol.gallery) == 12
    used = {trial[key] for trial in protocol.trials for key in ("voice", "target", "proposal", "real_photo")} - {""}
    assert used <= set(protocol.splits["test"])
    with pytest.raises(PluginError, match="must have a name"):
        Variant(shares_speakers=True)


def test_a_split_that_is_none_is_refused():
    speakers = {f"s{i:02d}": (1, 1) for i in range(9)}
    with pytest.raises(PluginError, match="splits are train, validation, test, not dev"):
        identity_protocol(DATASET, clips_of(speakers), dict.fromkeys(speakers, "dev"))


def test_a_roster_gives_exact_numbers():
    roster = [f"a{i}" for i in range(41)]
    split_of = roster_split(roster, "x", validation=4, test=9)
    assert sorted(split_of.values()) == ["test"] * 9 + ["train"] * 28 + ["validation"] * 4
    assert roster_split(reversed(roster), "x", 4, 9) == split_of, "the order of the list is no matter"


def test_seen_speakers_are_tried_on_clips_that_nobody_learned_from(cache):
    def bench(split):
        options = SyntheticOptions(speakers=48, clips=4, split=split)
        return make_bench(SyntheticSpeakers(options, None), Workplace(cache=cache, jobs=1))

    unseen, seen = bench("speakers"), bench("clip-8-2")
    assert seen.store.folder == unseen.store.folder, "a split changes no media"
    assert (unseen.protocol.name, seen.protocol.name) == (
        "identity-v2-no-face-check",
        "identity-clip-8-2-v2-no-face-check",
    )
    assert seen.protocol.hash != unseen.protocol.hash
    learned = set(seen.protocol.splits["train"]) | set(seen.protocol.splits["validation"])
    assert not learned & {*seen.trials["voice"], *seen.trials["target"], *seen.protocol.gallery}
    assert set(seen.trials["speaker"]) <= set(seen.store.clips.loc[list(learned), "speaker"])
    assert not set(unseen.trials["speaker"]) & set(unseen.split("train").table["speaker"])
