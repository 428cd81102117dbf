"""Recordings from files: decoded to their end, one channel at a known level. The rules stand in docs/files.md."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note
from v2f_bench.media.container import Ends, Span, is_default, opened, own_span, packets, promised_end, tracks
from v2f_bench.media.file import EXACT_SLACK, check_file, check_length
from v2f_bench.media.headers import Samples, find_samples, mp3_samples, ogg_links, samples_go_on
from v2f_bench.media.mono import at_known_level, one_channel

QUIETEST = 2.0**-10  # of full scale: a track whose loudest sample is below it (-60 dB) is silent
_BY_LIBSNDFILE = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"caff", b"riff", b".snd", b"fLaC")


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """The recording in `path`, as one channel at a known level (see `mono`): float32 [T] in [-1, 1], its rate in Hz.

    What a file holds shows in its content, not in its name. PCM of all kinds, FLAC and Ogg by libsndfile, whatever else
    (MP3, M4A, MP4, FLV, ...) by FFmpeg.

    Raises:
        DataError: the file is missing, empty, cut, no sound, or holds samples that are not finite; names the file.
    """
    head = check_file(path, "sound")
    samples_at = find_samples(path)
    pieces = None
    if head.startswith(b"OggS"):
        pieces = _ogg(path)
    elif head.startswith(_BY_LIBSNDFILE):
        pieces = _by_libsndfile(path, samples_at)
    if pieces is None:
        pieces = _by_ffmpeg(path, samples_at)
    samples, rate = _joined(path, pieces)
    if not len(samples):
        raise DataError(f"{path}: holds no sound")
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


Piece = tuple[np.ndarray, int]  # float32 [T, channels] as decoded, and its rate in Hz


def _joined(path: Path, pieces: list[Piece]) -> Piece:
    """One recording of the pieces of a file, of which there are several where the rate or the channels change."""
    for samples, _ in pieces:
        if not np.isfinite(samples).all():
            raise DataError(f"{path}: holds samples that are not finite")
    singles = [(one_channel(samples), rate) for samples, rate in pieces if len(samples)]
    rate = max(singles, key=lambda piece: len(piece[0]) / piece[1], default=(None, 1))[1]
    if len({(samples.shape[1], rate) for samples, rate in pieces}) > 1:
        note("the rate or the channels change within the recording: brought to one")
    samples = np.concatenate([resample(samples, own, rate) for samples, own in singles] or [np.zeros(0, np.float32)])
    try:
        return at_known_level(samples), rate
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _ogg(path: Path) -> list[Piece] | None:
    """The recording of each of the files that stand one after another in it, mostly one; None as `_by_libsndfile`."""
    import soundfile

    data = path.read_bytes()
    links = [*ogg_links(data), len(data)]
    try:
        return [soundfile.read(io.BytesIO(data[a:b]), dtype="float32", always_2d=True) for a, b in pairwise(links)]
    except (soundfile.LibsndfileError, RuntimeError, MemoryError, ValueError):
        return None


def _by_libsndfile(path: Path, samples_at: Samples | None) -> list[Piece] | None:
    """The recording by libsndfile; None where it does not know the format, or the length."""
    import soundfile

    source: Any = path
    try:
        if samples_at and samples_go_on(path, samples_at):
            source = _with_real_size(path, samples_at)
            note("the length was taken from the file, not from its header")
        with soundfile.SoundFile(source) as sound:
            if not 0 < sound.frames < 1 << 40:
                return None
            promised, rate = sound.frames, sound.samplerate
            samples = sound.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, MemoryError, ValueError):
        return None
    if samples_at and source is path:
        promised = max(promised, round(len(samples) / samples_at.share_there(path)))
    if len(samples) < promised - EXACT_SLACK * rate:
        raise DataError(f"{path}: truncated: {len(samples)} of {promised} samples are there")
    return [(samples, rate)]


def _with_real_size(path: Path, samples_at: Samples) -> io.BytesIO:
    """A WAV file whose header does not tell how long it is, with a header that does."""
    data = bytearray(path.read_bytes())
    for place, size in ((4, len(data) - 8), (samples_at.size_at, len(data) - samples_at.start)):
        data[place : place + 4] = min(size, 0xFFFFFFFF).to_bytes(4, "little")
    return io.BytesIO(data)


def _by_ffmpeg(path: Path, samples_at: Samples | None) -> list[Piece]:
    """The sound track that is marked as default; where that is silent, the first that is not."""
    with opened(path, "sound") as container:
        streams = tracks(container, "audio")
        if not streams:
            undecoded = " that can be decoded" if container.streams.audio else ""
            raise DataError(f"{path}: has no sound track{undecoded}")
        order = [stream.index for stream in streams]
        marked = is_default(streams[0])
    for index in order:
        pieces = _track(path, index)
        if not _is_silent(pieces):
            break
    else:
        index, pieces = order[0], _track(path, order[0])
    if len(order) > 1:
        why = "the first that is not silent" if index != order[0] else "the default one" if marked else "the first"
        note(f"of {len(order)} sound tracks number {sorted(order).index(index) + 1} was used, {why}")
    if samples_at:
        seconds = _seconds(pieces)
        check_length(path, seconds, seconds / samples_at.share_there(path))
    return pieces


def _track(path: Path, index: int) -> list[Piece]:
    """A sound track, decoded; a piece for each stretch of one rate and number of channels."""
    import av

    pieces: list[tuple[list[np.ndarray], int]] = []
    ends, damaged = Ends(), 0
    with opened(path, "sound") as container:
        stream = container.streams[index]
        for packet in packets(container):
            ends.add(packet)
            if packet.stream.index != index:
                continue
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                damaged += 1
                continue
            for frame in frames:
                samples = _floats(frame)
                if not pieces or (pieces[-1][1], pieces[-1][0][0].shape[1]) != (frame.sample_rate, samples.shape[1]):
                    pieces.append(([], frame.sample_rate))
                pieces[-1][0].append(samples)
        own, promised = own_span(container, stream), promised_end(container)
        mp3 = container.format.name == "mp3"
    joined = [(np.concatenate(samples), rate) for samples, rate in pieces]
    seconds = _seconds(joined)
    there = ends.of(index) or Span(0.0, 0.0)
    if damaged:
        check_length(path, seconds, there.end - there.begin, "damaged")
        note("damaged places were passed over")
    if mp3:
        check_length(path, seconds, mp3_samples(path) / stream.sample_rate)
    elif own:
        check_length(path, there.end - own.begin, own.end - own.begin)
    elif promised:
        check_length(path, ends.latest, promised)
    return joined


def _floats(frame: Any) -> np.ndarray:
    """The samples of a decoded frame: float32 [T, channels]; integers become [-1, 1]."""
    samples = frame.to_ndarray()
    channels = frame.layout.nb_channels
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, channels)
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)


def _seconds(pieces: list[Piece]) -> float:
    return sum(len(samples) / rate for samples, rate in pieces)


def _is_silent(pieces: list[Piece]) -> bool:
    return not any(len(samples) and np.ptp(samples, axis=0).max() >= 2 * QUIETEST for samples, _ in pieces)
