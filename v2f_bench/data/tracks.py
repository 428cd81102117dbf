"""The protocol of each track over a store's clips.

Both tracks: each speaker is in one split (the exception is below). All choices depend only on hashes of names, not on
the order of files. A trial has a voice of a test speaker, a `proposal` (the picture to be changed), a `target`, an
`other` (the gallery face of a random other test speaker), a random training face (the answer of a random guess) and,
where one exists, a `real_photo` (another picture of what the target shows). Up to three voices of each test speaker are
trials. The gallery has one face of every test speaker, a neutral one where emotions are labelled. Test pictures that
have no other use are the `reference` set of distribution metrics. Trials are sorted by name, and names are hashes.

`identity-v2`: the target is the speaker's gallery face, and the proposal is a picture of another test speaker. A voice
may be paired with any face of the same speaker: they need not be recorded together. If possible, voices and real photos
are from other recording sessions than the gallery's picture.

`emotion-v2`: the voice has an emotion. The target is the speaker's face with that emotion, from the voice's own clip if
it has a face. The proposal is the speaker's neutral gallery face. There is no real photo where the speaker has no other
picture with that emotion. The trials of a speaker have different emotions, as far as possible.

The name of a protocol states how it differs from the default:

* `identity-v2-128px`: faces are judged at a resolution other than 64 pixels;
* `identity-v2-3s`: voices are cut to the loudest stretch of that length;
* `identity-v2-noise-swapped`: the background noise of each voice is replaced by that of another speaker's recording,
  from another recording session if possible (see `voices.py`);
* `identity-v2-no-face-check`: the detector that decides whether a picture shows a face is missing;
* `identity-v2-evaluation-only`: there are no training speakers, so no trial has a random training face;
* `identity-<split>-v2`: the split is not the data set's default. Only in such a split, if its source made it so, may a
  speaker be in several splits;
* `identity-v2+<list>+...`: the trials are all the voices that published lists ask about (see `lists.py`);
* `identity-v2@12-of-24-speakers`: the copy of the data set is incomplete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from v2f_bench.data.lists import QuestionList
from v2f_bench.data.protocol import SAMPLE_RATE, Protocol, trial_name
from v2f_bench.data.splits import SPLITS, hash_first, hash_order
from v2f_bench.data.variants import DEFAULT, Variant, complete_speakers, version_of
from v2f_bench.data.voices import NOISE_REDRAWN, NOISE_SWAPPED
from v2f_bench.interfaces import DataError, PluginError, UsageError

VOICES_A_SPEAKER = 3
PHOTOS_A_SPEAKER = 3


def protocol_of(
    track: str,
    dataset: dict[str, Any],
    clips: pd.DataFrame,
    split_of: Mapping[str, str],
    lists: Sequence[QuestionList] = (),
    variant: Variant = DEFAULT,
) -> Protocol:
    """The protocol of a track over a store's table of clips.

    Args:
        split_of: the split of each speaker, or, where the variant shares speakers, of each clip.

    Raises:
        DataError: a split is too small, or labels that the track needs are missing; says what there is.
    """
    if track == "identity":
        return identity_protocol(dataset, clips, split_of, lists, variant)
    if lists:
        raise UsageError(f"lists are for the identity track, not the {track} track")
    return emotion_protocol(dataset, clips, split_of, variant)


def identity_protocol(
    dataset: dict[str, Any],
    clips: pd.DataFrame,
    split_of: Mapping[str, str],
    lists: Sequence[QuestionList] = (),
    variant: Variant = DEFAULT,
) -> Protocol:
    """`identity-v2`; see above."""
    pools = _pools(dataset, clips, split_of, variant)
    gallery = {speaker: order[0] for speaker, order in pools.faces.items()}
    photos = {speaker: order[1 : 1 + PHOTOS_A_SPEAKER] for speaker, order in pools.faces.items()}
    asked = {each: each.over(clips, pools.splits["test"]) for each in lists}
    listed = {question.voice for questions, _ in asked.values() for question in questions}
    trials: list[dict[str, str]] = []
    for speaker, part in pools.test[pools.test["voice"]].groupby("speaker"):
        together = _recorded_with(pools.test, part, gallery[speaker])
        voices = sorted(hash_order(part["clip"], "voice"), key=lambda clip: clip in together)
        chosen = [clip for clip in voices if clip in listed] if lists else voices[:VOICES_A_SPEAKER]
        for number, voice in enumerate(chosen):
            proposer = hash_first(pools.others(speaker), "proposal", voice)
            proposal = hash_first(photos[proposer] or pools.faces[proposer], "proposal", voice)
            trials.append(
                {
                    "trial": trial_name(dataset, "identity", voice, proposal),
                    "speaker": speaker,
                    "voice": voice,
                    "target": gallery[speaker],
                    "proposal": proposal,
                    "other": gallery[hash_first(pools.others(speaker), "other", voice)],
                    "random_face": pools.training_face(voice),
                    "real_photo": photos[speaker][number % len(photos[speaker])] if photos[speaker] else "",
                    "noise": pools.noise(voice, variant.form.voices),
                }
            )
    reference = [clip for order in pools.faces.values() for clip in order[:1] + order[1 + PHOTOS_A_SPEAKER :]]
    trial_of = {trial["voice"]: trial["trial"] for trial in trials}
    descriptions = [each.description(usable, left_out, trial_of) for each, (usable, left_out) in asked.items()]
    return _protocol("identity", dataset, pools, gallery, reference, trials, variant, descriptions)


def emotion_protocol(
    dataset: dict[str, Any], clips: pd.DataFrame, split_of: Mapping[str, str], variant: Variant = DEFAULT
) -> Protocol:
    """`emotion-v2`; see above."""
    if "emotion" not in clips:
        raise DataError(f"{dataset['name']} has no emotion labels, which the emotion track needs")
    pools = _pools(dataset, clips, split_of, variant)
    emotion = pools.test["emotion"].to_dict()
    gallery = {speaker: order[0] for speaker, order in pools.faces.items() if emotion[order[0]] == "neutral"}
    too_few = (
        f"{dataset['name']}: the emotion track needs 3 test speakers with a neutral face, and a voice and another face "
        "of one emotion"
    )
    if len(gallery) < 3:
        raise DataError(too_few)
    trials: list[dict[str, str]] = []
    used = set(gallery.values())
    for speaker, part in pools.test[pools.test["voice"] & pools.test["emotion"].ne("")].groupby("speaker"):
        if speaker not in gallery:
            continue
        showing: dict[str, list[str]] = {}
        for clip in pools.faces[speaker]:
            if clip != gallery[speaker]:
                showing.setdefault(emotion[clip], []).append(clip)
        possible = [voice for voice in hash_order(part["clip"], "voice") if showing.get(emotion[voice])]
        again = pd.Series([emotion[voice] for voice in possible], dtype=str).duplicated()
        voices = [voice for _, voice in sorted(zip(again, possible, strict=True), key=lambda pair: pair[0])]
        for voice in voices[:VOICES_A_SPEAKER]:
            faces = sorted(showing[emotion[voice]], key=lambda clip, own=voice: clip != own)  # type: ignore[misc]
            trials.append(
                {
                    "trial": trial_name(dataset, "emotion", voice, gallery[speaker]),
                    "speaker": speaker,
                    "voice": voice,
                    "target": faces[0],
                    "proposal": gallery[speaker],
                    "other": gallery[hash_first([name for name in gallery if name != speaker], "other", voice)],
                    "random_face": pools.training_face(voice),
                    "real_photo": faces[-1] if len(faces) > 1 else "",
                    "noise": pools.noise(voice, variant.form.voices),
                }
            )
            used |= {faces[0], faces[-1]}
    if len({trial["speaker"] for trial in trials}) < 3:
        raise DataError(too_few)
    reference = [clip for order in pools.faces.values() for clip in order if clip not in used]
    return _protocol("emotion", dataset, pools, gallery, reference or sorted(used), trials, variant)


@dataclass(frozen=True)
class _Pools:
    """The clips that trials are chosen from."""

    splits: dict[str, list[str]]  # clips of each split
    test: pd.DataFrame  # the clips of test speakers who have both a voice and a face
    faces: dict[str, list[str]]  # by speaker of `test`: the clips with a face; the gallery's is the first
    train_faces: dict[str, list[str]]  # by training speaker: the clips with a face

    def others(self, speaker: str) -> list[str]:
        return [name for name in self.faces if name != speaker]

    def training_face(self, voice: str) -> str:
        """A face of a random training speaker; "" where there are none."""
        if not self.train_faces:
            return ""
        speaker = hash_first(self.train_faces, "random-face", voice)
        return hash_first(self.train_faces[speaker], "random-face", voice)

    def noise(self, voice: str, form: str) -> str:
        """The recording whose background noise the voice gets; "" where the voice stays as it is.

        For noise-swapped it is a random recording of another test speaker, from another recording session if possible.
        """
        if form != NOISE_SWAPPED:
            return voice if form == NOISE_REDRAWN else ""
        own = self.test.loc[voice]
        others = self.test[self.test["voice"] & (self.test["speaker"] != own["speaker"])]
        if "group" in others and own["group"] and (others["group"] != own["group"]).any():
            others = others[others["group"] != own["group"]]
        return hash_first(list(others["clip"]), "noise", voice)


def _pools(dataset: dict[str, Any], clips: pd.DataFrame, split_of: Mapping[str, str], variant: Variant) -> _Pools:
    if unknown := set(split_of.values()) - set(SPLITS):
        raise PluginError(f"{dataset['name']}: splits are {', '.join(SPLITS)}, not {', '.join(sorted(unknown))}")
    split_of_clip = clips["clip" if variant.shares_speakers else "speaker"].map(split_of)
    splits = {split: sorted(clips["clip"][split_of_clip == split]) for split in SPLITS}
    table = {split: clips.loc[names] for split, names in splits.items()}
    people = {split: complete_speakers(part) for split, part in table.items()}
    counts = ", ".join(f"{split} {len(names)}" for split, names in people.items())
    if len(people["test"]) < 3 or len(people["train"]) == 1:
        raise DataError(
            f"{dataset['name']}: too few speakers with a voice and a face ({counts}); 3 are needed to test, and to "
            "train 2, or none at all"
        )
    test = table["test"]
    test = test[test["speaker"].isin(people["test"])]
    faces = {str(speaker): _faces_in_order(part) for speaker, part in test[test["face"]].groupby("speaker")}
    train_faces = table["train"][table["train"]["face"]].groupby("speaker")["clip"].agg(list).to_dict()
    return _Pools(splits, test, faces, train_faces)


def _protocol(
    track: str,
    dataset: dict[str, Any],
    pools: _Pools,
    gallery: dict[str, str],
    reference: list[str],
    trials: list[dict[str, str]],
    variant: Variant,
    lists: list[dict[str, Any]] | None = None,
) -> Protocol:
    lists = lists or []
    form = variant.form
    named = [version_of(track, variant, evaluation_only=not pools.train_faces), *(each["name"] for each in lists)]
    name = "+".join(named)
    return Protocol(
        name=f"{name}@{variant.subset}" if variant.subset else name,
        track=track,
        dataset=dataset,
        sample_rate=SAMPLE_RATE,
        resolution=form.resolution,
        face_check=variant.face_check,
        splits=pools.splits,
        gallery=list(gallery.values()),
        reference=reference,
        trials=sorted(trials, key=lambda trial: trial["trial"]),
        lists=lists,
        voices=form.voices,
    )


def _recorded_with(test: pd.DataFrame, part: pd.DataFrame, picture: str) -> set[str]:
    """The clip `picture`, and the clips of `part` from the same recording session."""
    if "group" not in test or not test.at[picture, "group"]:
        return {picture}
    return {picture, *part["clip"][part["group"] == test.at[picture, "group"]]}


def _faces_in_order(part: pd.DataFrame) -> list[str]:
    """The face clips of one speaker, in the order in which they are used.

    The gallery's is first; it is neutral where emotions are labelled. Then come clips of other recording sessions, and
    last those of the gallery's session.
    """
    order = hash_order(part["clip"], "gallery")
    if "emotion" in part:
        order.sort(key=lambda clip: part.at[clip, "emotion"] != "neutral")
    if "group" in part:
        order[1:] = sorted(order[1:], key=lambda clip: part.at[clip, "group"] == part.at[order[0], "group"])
    return order
