"""A film written in a stream: H.264 pictures at the times of another film, and a voice as its sound, if it has one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.film.source import Film, Frame
from v2f_bench.interfaces import BenchError
from v2f_bench.media.sound import resample

SUFFIX = ".mp4"
# With the other one films are larger; some builds of FFmpeg have no other. Without frames that rest on later ones (bf)
# the length of the track is exact also where the rate varies: MP4 counts it in the order of decoding.
CODECS = {"libx264": {"bf": "0"}, "mpeg4": {"qmin": "2", "qmax": "4", "bf": "0"}}
SOUND_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)  # of AAC
OTHER_RATE = 48_000  # Hz, for sound of a rate that AAC does not have
# A colour is decoded with the matrix that the film names; where it names none, FFmpeg takes that of BT.601.
KNOWN_MATRICES, BT_601 = (1, 4, 5, 7, 9), 5
BITS_A_SAMPLE = 4  # of the sound, up to HIGHEST_SOUND bits a second
HIGHEST_SOUND = 160_000


@dataclass(frozen=True)
class Coding:
    """`quality`: x264's constant rate factor, smaller is better; `threads`: 0 for as many as FFmpeg likes."""

    quality: str
    threads: int = 0


TO_WATCH = Coding("18")  # hardly a difference can be seen


class FilmWriter:
    """Takes the frames of a film in their order. The sound is written in step, as long as the frames are.

    Args:
        container: as PyAV opens it for writing.
        folder: of the file, for errors.
        film: its size, rate, ticks and colours are taken over. A side that is odd gets one more line of pixels, a copy
            of the last, since H.264 with half the colours has even sides only.
        sound: a voice, float32 [T] in [-1, 1], and its rate in Hz. What is longer than the film is cut; silence follows
            a shorter one. None for a silent film.
        coding: how the pictures are coded.
    """

    def __init__(
        self, container: Any, folder: Path, film: Film, sound: tuple[np.ndarray, int] | None, coding: Coding
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self._container, self._folder, self._tick = container, folder, film.tick
        codec = codec_here()
        options = CODECS[codec] | ({"crf": coding.quality} if codec == "libx264" else {})
        self._pictures = container.add_stream(codec, rate=film.rate, options=options)
        context = self._pictures.codec_context
        context.height, context.width = even(film.height), even(film.width)
        context.thread_count = coding.threads
        context.pix_fmt, context.time_base = "yuv420p", film.tick
        context.colorspace, context.color_primaries = film.colours.matrix, film.colours.primaries
        context.color_trc, context.color_range = film.colours.curve, 1  # limited: luma from 16 to 235
        self._to_yuv = VideoReformatter()  # one for all: to set it up takes longer than to use it
        self._matrix = film.colours.matrix if film.colours.matrix in KNOWN_MATRICES else BT_601
        self._lengths: dict[int, int] = {}  # of the frames that the encoder still holds, by when they begin
        self._end, self._heard = 0, 0  # ticks of pictures and samples of sound that the encoders were given
        self._sound: Any = None
        if sound is not None:
            voice, rate = sound
            self._voice, self._rate = (
                (voice, rate) if rate in SOUND_RATES else (resample(voice, rate, OTHER_RATE), OTHER_RATE)
            )
            self._sound = container.add_stream("aac", rate=self._rate, layout="mono")
            self._sound.codec_context.bit_rate = min(BITS_A_SAMPLE * self._rate, HIGHEST_SOUND)

    @property
    def seconds(self) -> float:
        """How long the film is so far."""
        return float(self._end * self._tick)

    def write(self, frame: Frame) -> None:
        """A frame of the film, changed or not, of the film's size."""
        import av

        pixels = frame.pixels
        height, width = pixels.shape[:2]
        if (height, width) != (even(height), even(width)):
            pixels = np.pad(pixels, ((0, even(height) - height), (0, even(width) - width), (0, 0)), mode="edge")
        picture = self._to_yuv.reformat(
            av.VideoFrame.from_ndarray(pixels, format="rgb24"),
            format="yuv420p",
            dst_colorspace=self._matrix,
            dst_color_range=1,
            interpolation="BICUBIC",
            threads=1,
        )
        picture.pts, picture.time_base = frame.begin, self._tick
        self._lengths[frame.begin] = frame.length
        self._end = frame.begin + frame.length
        with _errors_named(self._folder):
            self._mux(self._pictures.encode(picture))
            if self._sound:
                self._sound_up_to(int(self._end * self._tick * self._rate))

    def finish(self) -> None:
        """Write what the encoders still hold."""
        with _errors_named(self._folder):
            if self._sound:
                self._sound_up_to(round(self._end * self._tick * self._rate), last=True)
            self._mux(self._pictures.encode(None))
            if self._sound:
                self._container.mux(self._sound.encode(None))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            length = self._lengths.pop(packet.pts)
            packet.duration = int(length * self._tick / packet.time_base)
            self._container.mux(packet)

    def _sound_up_to(self, end: int, last: bool = False) -> None:
        """Encode the samples before `end`, in whole blocks but for the last one."""
        import av

        block = self._sound.codec_context.frame_size or 1024
        while end - self._heard >= (1 if last else block):
            stop = min(end, self._heard + block)
            samples = np.zeros((1, stop - self._heard), np.float32)
            piece = self._voice[self._heard : stop]
            samples[0, : len(piece)] = piece
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.rate, frame.pts, frame.time_base = self._rate, self._heard, Fraction(1, self._rate)
            self._container.mux(self._sound.encode(frame))
            self._heard = stop


@contextmanager
def written_film(
    path: Path, film: Film, sound: tuple[np.ndarray, int] | None, coding: Coding = TO_WATCH
) -> Iterator[FilmWriter]:
    """A writer of an MP4 file, which is finished at the end of the block. Arguments are as of `FilmWriter`.

    Raises:
        BenchError: FFmpeg cannot write it. Errors of FFmpeg in the block, which reads another file, stay what they are.
    """
    import av

    with _errors_named(path.parent):
        container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
    with container:
        writer = FilmWriter(container, path.parent, film, sound, coding)
        yield writer
        writer.finish()
        with _errors_named(path.parent):
            container.close()


@contextmanager
def _errors_named(folder: Path) -> Iterator[None]:
    import av

    try:
        yield
    except av.FFmpegError as error:
        raise BenchError(f"{folder}: no film can be written there ({error.strerror})") from None


def codec_here() -> str:
    """The encoder for the pictures that this FFmpeg has: H.264, or else MPEG-4 part 2."""
    import av

    return next(codec for codec in CODECS if codec in av.codecs_available)


def even(side: int) -> int:
    return side + side % 2
