"""Media files made with real encoders: scenes with drawn people in them, and tones."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import pandas as pd
from av.stream import Disposition
from PIL import Image

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.interfaces import Card
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.media.suffixes import is_video

RATE = 16_000
SCENE = (360, 640)


def people(count):
    """Drawn faces uint8 [128, 128, 3] of different people."""
    drawn = SyntheticSpeakers(SyntheticOptions(speakers=count, clips=1), None)
    return [drawn.read_face(entry, 128) for entry in drawn.index()["face"]]


def scene(*placed, shape=SCENE):
    """A picture uint8 [H, W, 3] of a plain room with pictures in it, each as (pixels, side, left, top)."""
    shade = np.linspace(90, 140, shape[1])[None, :, None] + np.linspace(0, 30, shape[0])[:, None, None]
    room = np.repeat(shade, 3, axis=2).astype(np.uint8)
    for pixels, side, left, top in placed:
        room[top : top + side, left : left + side] = Image.fromarray(pixels).resize((side, side))
    return room


def tone(seconds, rate=RATE, height=200.0):
    return (0.3 * np.sin(2 * np.pi * height * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_media(path, frames=(), sound=None, rate=RATE, fps=25, options=None):
    """A video (mp4, flv, ...) or a recording (m4a, mp3) with the codecs that are usual in such files."""
    with av.open(str(path), "w", options=options or {}) as container:
        if len(frames):
            video = container.add_stream("flv" if path.suffix == ".flv" else "libx264", rate=fps)
            video.height, video.width = frames[0].shape[:2]
            video.pix_fmt = "yuv420p"
        if sound is not None:
            codec = "libmp3lame" if path.suffix in (".flv", ".mp3") else "aac"
            audio = container.add_stream(codec, rate=rate, layout="mono")
        for pixels in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if len(frames):
            container.mux(video.encode(None))
        if sound is not None:
            step = audio.codec_context.frame_size or 1024
            for start in range(0, len(sound), step):
                piece = np.asarray(sound[None, start : start + step], np.float32)
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                frame.rate, frame.pts = rate, start
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


class MediaFolder(FileDataset):
    """The files of a folder by name, `<speaker>-<emotion>-<anything>.<suffix>`: a video is voice and face of its clip;
    a recording and a picture of one name are one clip too. Pictures are scenes."""

    name = "media-folder"
    card = Card("", "", "", "", "")
    options = MediaOptions
    faces_cropped = False

    def __init__(self, root, options=None):
        super().__init__(options or MediaOptions(), root)

    def index(self):
        rows = {}
        for path in sorted(self.root.iterdir()):
            speaker, emotion, _ = path.stem.split("-")
            row = {"clip": path.stem, "speaker": speaker, "emotion": emotion, "voice": "", "face": ""}
            row = rows.setdefault(path.stem, row)
            if is_video(path.name):
                row |= {"voice": path.name, "face": path.name}
            else:
                row["face" if path.suffix in (".png", ".jpg") else "voice"] = path.name
        return pd.DataFrame(list(rows.values()))

    def split(self, speakers):
        return dict.fromkeys(speakers, "train")


@dataclass
class Pictures:
    """The frames of a video track: uint8 [H, W, 3] or [H, W, 4], each shown from its time (seconds) on."""

    frames: list
    times: list | None = None  # every 1/25 s
    codec: str = "libx264"
    form: str = "yuv420p"
    pixel: Fraction = Fraction(1)  # width by height of one as it is stored
    default: bool = True


@dataclass
class Sound:
    """A sound track: float32 [T] or [channels, T], from `begin` (seconds) on."""

    samples: np.ndarray
    rate: int = RATE
    codec: str = "aac"
    begin: float = 0.0
    default: bool = True
    tags: dict | None = None


def mux(path, *tracks, form=None, options=None, title=""):
    """A file of several tracks, written in the order of their packets' times."""
    packets = []
    with av.open(str(path), "w", format=form, options=options or {}) as container:
        if title:
            container.metadata["title"] = title
        for track in tracks:
            if isinstance(track, Pictures):
                stream = container.add_stream(track.codec, rate=25)
                stream.height, stream.width = track.frames[0].shape[:2]
                stream.pix_fmt, stream.codec_context.sample_aspect_ratio = track.form, track.pixel
                if track.times:
                    stream.codec_context.time_base = Fraction(1, 1000)
            else:
                channels = np.atleast_2d(np.asarray(track.samples, np.float32))
                layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(channels)]
                stream = container.add_stream(track.codec, rate=track.rate, layout=layout)
                stream.metadata.update(track.tags or {})
            stream.disposition = Disposition.default if track.default else Disposition(0)
            packets.append((stream, track))
        coded = [packet for stream, track in packets for packet in _coded(stream, track)]
        for packet in sorted(coded, key=lambda packet: float(packet.dts * packet.time_base)):
            container.mux(packet)
    return path


def _coded(stream, track):
    if isinstance(track, Pictures):
        for number, pixels in enumerate(track.frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24" if pixels.shape[2] == 3 else "rgba")
            frame.time_base = Fraction(1, 1000 if track.times else 25)
            frame.pts = round(1000 * track.times[number]) if track.times else number
            yield from stream.encode(frame)
    else:
        channels = np.atleast_2d(np.asarray(track.samples, np.float32))
        layout = stream.codec_context.layout.name
        kind = stream.codec_context.format.name
        step = stream.codec_context.frame_size or 1024
        for start in range(0, channels.shape[1], step):
            frame = _sound_frame(channels[:, start : start + step], kind, layout)
            frame.rate, frame.time_base = track.rate, Fraction(1, track.rate)
            frame.pts = start + round(track.begin * track.rate)
            yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound_frame(samples, kind, layout):
    if kind.startswith("s"):
        whole = {"s16": np.int16, "s32": np.int32}[kind.removesuffix("p")]
        samples = (samples * np.float64(np.iinfo(whole).max)).round().astype(whole)
    data = samples if kind.endswith("p") else samples.T.reshape(1, -1)
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=kind, layout=layout)


def speech(seconds, number=0):
    """A drawn person's voice, float32 at `RATE` Hz, repeated to that length; another one for each number."""
    drawn = SyntheticSpeakers(SyntheticOptions(speakers=number + 1, clips=1), None)
    return np.resize(drawn.read_voice(drawn.index()["voice"].iloc[number])[0], round(seconds * RATE)).astype(np.float32)


def likeness(samples, original):
    """The highest correlation of a recording with its original at any shift: 1 for the same sound, or its negative."""
    size = 1 << (len(samples) + len(original)).bit_length()
    product = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(original, size))
    return float(np.abs(np.fft.irfft(product, size)).max() / np.sqrt((samples**2).sum() * (original**2).sum()))
