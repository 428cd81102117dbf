"""Recordings from files: decoded, mono, at the rate that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.interfaces import DataError
from v2f_bench.media.file import check_file, check_length

SOUNDFILE = {".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"}


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """The recording in `path`, all channels averaged: float32 [T] in [-1, 1], and its rate in Hz.

    wav, flac, ogg, mp3 and aiff by libsndfile; whatever else (m4a, mp4, flv, ...) by FFmpeg.

    Raises:
        DataError: the file is missing, empty, shorter than its header says, not finite, or no sound; names the file.
    """
    check_file(path, "sound")
    samples, rate = _read_soundfile(path) if path.suffix.lower() in SOUNDFILE else _read_ffmpeg(path)
    if not len(samples):
        raise DataError(f"{path}: holds no sound")
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: holds samples that are not finite")
    return samples, rate


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """float32 [T] at `rate` Hz to `wanted` Hz (soxr, high quality)."""
    if rate == wanted:
        return samples
    import soxr

    return soxr.resample(samples, rate, wanted).astype(np.float32)


def to_int16(samples: np.ndarray) -> np.ndarray:
    """float32 [T] in [-1, 1] to int16 [T]; what lies beyond is clipped."""
    return (samples * 32768).round().clip(-32768, 32767).astype(np.int16)


def _read_soundfile(path: Path) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        with soundfile.SoundFile(path) as sound:
            promised = sound.frames
            samples = sound.read(dtype="float32", always_2d=True)
            rate = sound.samplerate
    except (soundfile.LibsndfileError, RuntimeError, MemoryError) as error:
        raise DataError(f"{path}: not readable as sound ({error})") from None
    if path.suffix.lower() == ".wav":
        promised = max(promised, _frames_in_wav_header(path))
    if len(samples) < promised:
        raise DataError(f"{path}: truncated: {len(samples)} of {promised} samples are there")
    return samples.mean(axis=1), rate


def _frames_in_wav_header(path: Path) -> int:
    """How many frames the header of a wav file promises: libsndfile itself quietly shortens a truncated file."""
    frame_bytes = 0
    with path.open("rb") as stream:
        stream.seek(12)  # "RIFF", size, "WAVE"; then chunks: name, size, content, padded to an even size
        while len(head := stream.read(8)) == 8:
            name, size, start = head[:4], int.from_bytes(head[4:], "little"), stream.tell()
            if name == b"data":
                streamed = size >= 0x7FFFF000  # a writer that did not know the length in advance
                return 0 if streamed or not frame_bytes else size // frame_bytes
            if name == b"fmt ":
                frame_bytes = int.from_bytes(stream.read(14)[12:], "little")
            stream.seek(start + size + size % 2)
    return 0


def _read_ffmpeg(path: Path) -> tuple[np.ndarray, int]:
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DataError(f"{path}: has no sound track")
            stream: Any = container.streams.audio[0]
            rate = stream.rate
            to_mono = av.AudioResampler(format="flt", layout="mono", rate=rate)
            pieces = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in to_mono.resample(frame)] + [
                out.to_ndarray()[0] for out in to_mono.resample(None)
            ]
            promised = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
    except av.FFmpegError as error:
        raise DataError(f"{path}: not readable as sound ({error.strerror})") from None
    samples = np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
    check_length(path, len(samples) / rate, promised)
    return samples, rate
