"""Pictures, voices and films as raters get them: of one form, so that a file tells nothing but what it shows.

All pictures are PNG of one size in pixels, stored without compression; all voices are 16-bit WAV, and all films
H.264 and AAC in MP4, each kind filled up to one length in bytes. There is no metadata, and file times are all the same.
"""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

LOUDNESS = 0.08  # root mean square that voices are brought to, of 1: about -22 dB
PEAK = 0.97  # highest that a sample may become by it
FRAME_RATE = 25  # of films, per second
FILM_SIDE = 256  # pixels; small films are encoded badly


def picture_bytes(pixels: np.ndarray) -> bytes:
    """uint8 [H, W, 3] as a PNG whose length depends on H and W alone."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=0)
    return stream.getvalue()


def cut(recording: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """The first `seconds` of a recording, int16 [T], its end faded out within 20 ms where something is cut off."""
    wanted = round(seconds * rate)
    if len(recording) <= wanted:
        return recording
    fade = np.ones(wanted)
    length = min(wanted, round(0.02 * rate))
    fade[-length:] = np.linspace(1, 0, length)
    return (recording[:wanted] * fade).round().astype(np.int16)


def same_loudness(recording: np.ndarray) -> np.ndarray:
    """int16 [T] at the level of all others, as far as its peaks allow."""
    samples = recording / 32768
    level = np.sqrt((samples**2).mean())
    peak = np.abs(samples).max(initial=0.0)
    if level == 0:
        return recording
    return np.asarray((samples * min(LOUDNESS / level, PEAK / peak) * 32768).round().astype(np.int16))


def voice_files(recordings: list[np.ndarray], rate: int) -> list[bytes]:
    """int16 [T] recordings as WAV files of one length in bytes: what is missing stands in a chunk that no player plays.

    The header is the 44 bytes that every WAV begins with: no name, no software, no time.
    """
    longest = max((len(recording) for recording in recordings), default=0)
    return [_wav(recording, rate, 2 * (longest - len(recording))) for recording in recordings]


def tone(rate: int) -> np.ndarray:
    """A second of a clear tone, by which raters set their volume: int16 [T]."""
    time = np.arange(rate) / rate
    wave = np.sin(2 * np.pi * 440 * time) * np.minimum(1, 20 * np.minimum(time, 1 - time))
    return np.asarray((wave * LOUDNESS * np.sqrt(2) * 32768).round().astype(np.int16))


def _wav(recording: np.ndarray, rate: int, fill: int) -> bytes:
    data = recording.astype("<i2").tobytes()
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body += b"data" + struct.pack("<I", len(data)) + data
    body += b"JUNK" + struct.pack("<I", fill) + bytes(fill)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def film_frames(path: Path, seconds: float, resolution: int) -> np.ndarray:
    """The frames of a film of `seconds`, at 25 a second: uint8 [N, resolution, resolution, 3]."""
    from v2f_bench.media.picture import square
    from v2f_bench.media.video import read_frames

    frames = read_frames(path, max(1, round(seconds * FRAME_RATE)), FILM_SIDE)
    return np.stack([square(pixels, resolution) for _, pixels in frames])


def film_files(films: list[tuple[np.ndarray, np.ndarray]], rate: int) -> list[bytes]:
    """Films as MP4 files of one length in bytes.

    Args:
        films: of each, its frames uint8 [N, side, side, 3] (one for a still) and its sound int16 [T]. Frames are spread
            over the length of the sound.
    """
    encoded = [_mp4(frames, sound, rate) for frames, sound in films]
    longest = max(map(len, encoded), default=0)
    # A `free` box at the end, of eight bytes or more, is passed over by every player.
    fills = [longest - len(film) for film in encoded]
    return [
        film + struct.pack(">I", fill + 8) + b"free" + bytes(fill) for film, fill in zip(encoded, fills, strict=True)
    ]


def _mp4(frames: np.ndarray, sound: np.ndarray, rate: int) -> bytes:
    import av

    count = max(1, round(len(sound) / rate * FRAME_RATE))
    places = np.minimum(np.arange(count) * len(frames) // count, len(frames) - 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"  # "faststart", the index in front, is written in a second pass over a file
        with av.open(str(path), "w", options={"movflags": "faststart", "fflags": "+bitexact"}) as container:
            _encode(container, frames[places], sound, rate)
        return path.read_bytes()


def _encode(container: Any, frames: np.ndarray, sound: np.ndarray, rate: int) -> None:
    import av

    video = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": "16", "x264-params": "threads=1"})
    video.width = video.height = FILM_SIDE
    video.pix_fmt = "yuv420p"
    audio = container.add_stream("aac", rate=rate, layout="mono")
    for frame in frames:
        picture = Image.fromarray(frame).resize((FILM_SIDE, FILM_SIDE), Image.Resampling.BICUBIC)
        container.mux(video.encode(av.VideoFrame.from_image(picture)))
    container.mux(video.encode())
    size = audio.codec_context.frame_size or 1024
    for start in range(0, len(sound), size):
        part = sound[start : start + size].astype(np.float32)[None] / 32768
        piece = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = rate, start, Fraction(1, rate)
        container.mux(audio.encode(piece))
    container.mux(audio.encode())
