"""Small media files for tests: tones that are like no other, noise pictures, and films with a sound track."""

import zlib

import numpy as np
import soundfile
from PIL import Image

RATE = 16_000


def seed_of(path):
    return zlib.crc32(str(path).encode())


def write_tone(path, seconds=0.6, rate=RATE):
    """A tone of its own: what sounds the same would be one recording twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pitch = 0.05 + seed_of(path) / 2**36
    soundfile.write(path, 0.3 * np.sin(np.arange(round(seconds * rate)) * pitch), rate)


def write_noise(path, side=32):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed_of(path)).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def write_film(path, pixels, samples=None, rate=RATE, video="libx264", audio="aac"):
    """A film of half a second that shows `pixels` (uint8 [H, W, 3]) all the time; with `samples` as its sound."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=10)
        pictures.height, pictures.width, pictures.pix_fmt = *pixels.shape[:2], "yuv420p"
        sound = None if samples is None else container.add_stream(audio, rate=rate, layout="mono")
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if sound is not None:
            for start in range(0, len(samples), 1024):
                piece = np.ascontiguousarray(samples[None, start : start + 1024], dtype=np.float32)
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                frame.rate, frame.pts = rate, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))


def write_sound(path, samples, rate=RATE, codec="aac"):
    """A sound file by FFmpeg, such as m4a."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for start in range(0, len(samples), 1024):
            piece = np.ascontiguousarray(samples[None, start : start + 1024], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            frame.rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_pointer(path):
    """What Git LFS leaves where a file was not fetched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 72862\n")


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
