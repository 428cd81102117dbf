"""Media files made with real encoders: scenes with drawn people in them, and tones."""

import av
import numpy as np
import pandas as pd
from PIL import Image

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.interfaces import Card, Dataset, MediaOptions
from v2f_bench.interfaces.media import is_video

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


class MediaFolder(Dataset):
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
