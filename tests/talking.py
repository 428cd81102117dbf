"""Films of drawn people whose mouths open as they are told, for tests of moving faces."""

import numpy as np
from made_media import RATE, people, scene, write_media

FPS = 25
SECONDS = 1.4
ROOM = (180, 240)
MOUTH = 0.775  # of the picture's side: the line below which lip and chin come down
FURTHEST = 7.0  # pixels of 128 that they come down


def talking(face, opening):
    """uint8 [T, 128, 128, 3]: the face with its mouth opened by `opening` float [T], from 0 to 1."""
    side = len(face)
    line = round(MOUTH * side)
    rows = np.arange(line, side)
    frames = np.repeat(face[None], len(opening), axis=0)
    for frame, down in zip(frames, np.asarray(opening) * FURTHEST * side / 128, strict=True):
        source = (rows - down).clip(line, side - 1)
        low, share = np.floor(source).astype(int), (source % 1)[:, None, None]
        lower = (1 - share) * face[low] + share * face[(low + 1).clip(0, side - 1)]
        gap = (np.clip(line + down - rows, 0, 1)[:, None] * _lips(side))[..., None]
        frame[line:] = (lower * (1 - gap) + 40 * gap).astype(np.uint8)
    return frames


def _lips(side):
    """float [1, side]: 1 between the corners of the mouth."""
    across = np.arange(side) / side
    return ((across > 0.37) & (across < 0.63)).astype(float)[None]


def loudness(voice, count, delay=0.0, rate=RATE, fps=FPS):
    """The root mean square of a voice around the time of each frame less `delay`, from 0 to 1: float [count]."""
    around = round(0.04 * rate)
    middles = [round((number / fps - delay) * rate) for number in range(count)]
    pieces = [voice[max(middle - around, 0) : max(middle + around, 0)] for middle in middles]
    values = np.array([np.sqrt(np.mean(piece**2)) if len(piece) else 0.0 for piece in pieces])
    return values / values.max()


def syllables(seconds, number=0, rate=RATE):
    """A hum that rises and falls four to six times a second, differently for each number: float32 [T]."""
    rng = np.random.default_rng(number)
    time = np.arange(round(seconds * rate)) / rate
    knots = np.arange(0, seconds + 1, 0.1)
    strength = np.interp(time, knots, rng.uniform(0.02, 1.0, len(knots)))
    return (0.4 * strength * np.sin(2 * np.pi * (150 + 20 * number) * time)).astype(np.float32)


def write_talks(root, splits):
    """A folder of films of drawn people in rooms, who talk for `SECONDS` each: one of each split in `splits`."""
    root.mkdir(parents=True)
    rows = ["speaker,voice,face,split"]
    for number, (face, split) in enumerate(zip(people(len(splits)), splits, strict=True)):
        voice = syllables(SECONDS, number)
        frames = talking(face, loudness(voice, round(SECONDS * FPS)))
        write_media(root / f"{number}.mp4", [scene((each, 128, 56, 26), shape=ROOM) for each in frames], voice, fps=FPS)
        rows.append(f"Person {number},{number}.mp4,{number}.mp4,{split}")
    (root / "clips.csv").write_text("\n".join(rows) + "\n")
    return root
