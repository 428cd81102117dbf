"""Files in: what can be read is read, and what cannot is named with its reason."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.media.picture import picture_format, read_picture, resize, square, to_pixels, to_tensor, write_picture
from v2f_bench.media.sound import read_sound, resample

TONE = (0.3 * np.sin(np.arange(24_000) * 0.05)).astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_sound_files_by_libsndfile(tmp_path, suffix):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack([TONE, TONE], axis=1), 24_000)
    samples, rate = read_sound(path)
    assert rate == 24_000
    assert len(samples) == pytest.approx(24_000, rel=0.1)
    middle = samples[5_000:20_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("mp4", "aac")])
def test_sound_files_by_ffmpeg(tmp_path, suffix, codec):
    path = tmp_path / f"tone.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24_000, layout="mono")
        for start in range(0, len(TONE), 1024):
            frame = av.AudioFrame.from_ndarray(TONE[None, start : start + 1024], format="fltp", layout="mono")
            frame.rate, frame.pts = 24_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples, rate = read_sound(path)
    assert rate == 24_000
    assert len(samples) == pytest.approx(24_000, rel=0.1)
    assert np.sqrt(np.mean(samples[5_000:20_000] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def broken_sounds(folder):
    whole = folder / "whole.wav"
    soundfile.write(whole, TONE, 16_000)
    data = whole.read_bytes()
    infinite = TONE.copy()
    infinite[100] = np.inf
    soundfile.write(folder / "infinite.wav", infinite, 16_000, subtype="FLOAT")
    soundfile.write(folder / "empty.wav", TONE[:0], 16_000)
    (folder / "truncated.wav").write_bytes(data[: len(data) // 2])
    (folder / "text.wav").write_text("not sound " * 50)
    (folder / "nothing.wav").write_bytes(b"")
    (folder / "nothing.mp4").write_bytes(b"")
    (folder / "pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated.wav", "truncated: 11[0-9]+ of 24000"),
        ("empty.wav", "holds no sound"),
        ("infinite.wav", "not finite"),
        ("text.wav", "not readable as sound"),
        ("nothing.wav", "not readable as sound"),
        ("nothing.mp4", "not readable as sound"),
        ("pointer.wav", "Git-LFS pointer"),
        ("absent.wav", "no such file"),
    ],
)
def test_a_bad_recording_is_named_with_its_reason(tmp_path, name, reason):
    broken_sounds(tmp_path)
    with pytest.raises(DataError, match=f"{name}: .*{reason}"):
        read_sound(tmp_path / name)


def test_resampling_keeps_length_and_pitch():
    out = resample(TONE, 24_000, 16_000)
    assert len(out) == pytest.approx(16_000, abs=2)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert spectrum.argmax() * 16_000 / len(out) == pytest.approx(0.05 * 24_000 / (2 * np.pi), abs=2)


def test_a_bad_picture_is_named_with_its_reason(tmp_path):
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    (tmp_path / "truncated.jpg").write_bytes(whole.read_bytes()[:500])
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("truncated.jpg", "text.jpg", "absent.jpg"):
        with pytest.raises(DataError, match=name):
            read_picture(tmp_path / name)
    assert read_picture(whole).shape == (64, 64, 3)


@pytest.mark.parametrize(("name", "form"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG")])
def test_a_picture_is_what_its_ending_says(tmp_path, name, form):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    write_picture(tmp_path / name, pixels, picture_format(tmp_path / name))
    with Image.open(tmp_path / name) as picture:
        assert picture.format == form
    off = np.abs(read_picture(tmp_path / name).astype(int) - pixels).max()
    assert off == 0 if form == "PNG" else off < 32


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt", ".png"])
def test_another_ending_is_refused(name):
    with pytest.raises(UsageError, match=r"ends in \.png or \.jpg"):
        picture_format(Path(name))


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([16, 32, 64]))
def test_any_picture_becomes_a_square_of_the_wanted_size(height, width, size):
    pixels = np.random.default_rng(height).integers(0, 255, (height, width, 3)).astype(np.uint8)
    assert square(pixels, size).shape == (size, size, 3)


def test_pixels_survive_the_way_to_tensors_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    assert np.array_equal(to_pixels(to_tensor(pixels, 64)), pixels)
    halved = to_tensor(pixels, 32)
    assert halved.shape == (3, 3, 32, 32)
    assert halved[0, 0, 0, 0].item() == pytest.approx(pixels[0, :2, :2, 0].mean() / 255, abs=1e-6)


@given(st.integers(1, 17), st.sampled_from([1, 5, 8]))
def test_a_whole_number_of_times_smaller_is_what_resize_gives(times, side):
    side_before = times * side
    pixels = np.random.default_rng(times).integers(0, 256, (2, side_before, side_before, 3)).astype(np.uint8)
    slowly = resize(torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), side, highest=255.0) / 255
    assert torch.equal(to_tensor(pixels, side), slowly)
