"""The media of a study, written into its site under neutral names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from v2f_bench.interfaces import Progress
from v2f_bench.study.designs import Design, Picture
from v2f_bench.study.questions import Asked, NeutralNames
from v2f_bench.study.runs import Material
from v2f_bench.study.stimuli import cut, film_files, film_frames, picture_bytes, same_loudness, tone, voice_files

TONE = "tone.wav"


@dataclass(frozen=True)
class Media:
    """The files of a site, by what they show; paths from the site's folder."""

    pictures: dict[Picture, str] = field(default_factory=dict)
    voices: dict[str, str] = field(default_factory=dict)  # by trial of the protocol
    films: dict[tuple[Picture, str], str] = field(default_factory=dict)  # by picture and trial
    seconds: float = 0.0  # of a voice, in the mean


def write_media(
    material: Material,
    design: Design,
    lists: Sequence[Sequence[Asked]],
    seconds: float,
    folder: Path,
    rng: np.random.Generator,
    progress: Progress,
) -> Media:
    """Write whatever the lists show into `folder`, and a test tone beside it; voices are cut to `seconds`."""
    asked = [each for questions in lists for each in questions]
    names = NeutralNames(rng)
    heard = dict.fromkeys(each.item.trial for each in asked) if design.hears else {}
    voices = {trial: _voice(material, trial, seconds) for trial in heard}
    if design.hears:
        (folder.parent / TONE).write_bytes(voice_files([tone(material.rate)], material.rate)[0])
    length = float(np.mean([len(voice) for voice in voices.values()])) / material.rate if voices else 0.0
    if design.modality == "film":
        return Media(films=_write_films(material, asked, voices, folder, names, progress), seconds=length)
    pictures = list(dict.fromkeys(picture for each in asked for picture in each.pictures))
    contents = []
    with progress.bar("pictures and voices", len(pictures) + len(voices)) as bar:
        for picture in pictures:
            contents.append(picture_bytes(_pixels(material, picture)))
            bar.advance()
        faces = _write_all(folder, contents, ".png", names)
        sounds = _write_all(folder, voice_files(list(voices.values()), material.rate), ".wav", names)
        bar.advance(len(voices))
    return Media(dict(zip(pictures, faces, strict=True)), dict(zip(voices, sounds, strict=True)), seconds=length)


def _write_films(
    material: Material,
    asked: Sequence[Asked],
    voices: dict[str, np.ndarray],
    folder: Path,
    names: NeutralNames,
    progress: Progress,
) -> dict[tuple[Picture, str], str]:
    wanted = list(dict.fromkeys((picture, each.item.trial) for each in asked for picture in each.pictures))
    films = []
    with progress.bar("films", len(wanted)) as bar:
        for picture, trial in wanted:
            films.append((_frames(material, picture, len(voices[trial])), voices[trial]))
            bar.advance()
        written = _write_all(folder, film_files(films, material.rate), ".mp4", names)
    return dict(zip(wanted, written, strict=True))


def _write_all(folder: Path, contents: Iterable[bytes], ending: str, names: NeutralNames) -> list[str]:
    """Write each content once, under a neutral name; returns the paths from the folder above."""
    named: dict[bytes, str] = {}
    written = []
    for content in contents:
        digest = hashlib.sha256(content).digest()
        if digest not in named:
            named[digest] = names.draw() + ending
            (folder / named[digest]).write_bytes(content)
        written.append(f"{folder.name}/{named[digest]}")
    return written


def _voice(material: Material, trial: str, seconds: float) -> np.ndarray:
    recording = cut(material.voice(trial), material.rate, seconds)
    # Loudness belongs to an emotion; where it is about who speaks, it belongs to the recording session.
    return recording if material.track == "emotion" else same_loudness(recording)


def _pixels(material: Material, picture: Picture) -> np.ndarray:
    if picture.source == "clip":
        return material.photograph(picture.name)
    if picture.source == "blend":
        return material.blend(picture.name)
    return material.run(picture.source).face(picture.name, material.resolution)


def _frames(material: Material, picture: Picture, samples: int) -> np.ndarray:
    """The frames of a film, or of the still that stands for one: uint8 [N, side, side, 3]."""
    if picture.source not in ("clip", "blend"):
        film = material.run(picture.source).film(picture.name)
        if film is not None:
            return film_frames(film, samples / material.rate, material.resolution)
    return _pixels(material, picture)[None]
