"""Recordings as people have them: how long, how loud and how like their original they are when they have come in."""

import numpy as np
import pytest
import soundfile
from made_media import RATE, Pictures, Sound, likeness, mux, speech, write_media
from PIL import Image

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import noted
from v2f_bench.media.clips import usable_recording
from v2f_bench.media.mono import mono
from v2f_bench.media.sound import read_sound, resample

SECONDS = 3.0


@pytest.fixture(scope="module")
def voice():
    return speech(SECONDS)


@pytest.fixture(scope="module")
def other():
    return speech(SECONDS, number=1)


def heard(path, original, seconds=SECONDS, level=1.0, alike=0.99, longer=0.15):
    """What was changed in a file that holds the original, checked in length, level and likeness."""
    with noted() as changes:
        samples, rate = read_sound(path)
    at_rate = resample(samples, rate, RATE)
    assert seconds - 0.05 <= len(at_rate) / RATE <= seconds + longer
    assert samples.std() * np.sqrt(len(samples) / rate / seconds) == pytest.approx(level * original.std(), rel=0.06)
    assert likeness(at_rate, original) >= alike
    assert np.abs(samples).max() <= 1
    assert abs(float(samples.mean())) < 0.002
    return [change for _, change in changes]


# Which bytes are sound, and how many.

RAW = {  # name: codec, rate, container
    "cbr44.mp3": ("libmp3lame", 44_100, "mp3"),
    "cbr22.mp3": ("libmp3lame", 22_050, "mp3"),
    "cbr8.mp3": ("libmp3lame", 8_000, "mp3"),
}


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("variable", [False, True])
def test_an_mp3_without_a_header_is_decoded_to_its_end(tmp_path, voice, name, variable):
    codec, rate, form = RAW[name]
    quiet = np.concatenate([voice[: RATE // 2] * 0, voice])  # a rate of bits that changes, which misleads estimates
    track = Sound(resample(quiet, RATE, rate), rate, codec)
    path = mux(tmp_path / name, track, form=form, options={"write_xing": "0", "id3v2_version": "0"})
    assert not {b"Xing", b"Info"} & {path.read_bytes()[place : place + 4] for place in range(200)}
    if variable:
        data = path.read_bytes()
        fine = write_media(tmp_path / "fine.mp3", sound=resample(voice, RATE, rate), rate=rate).read_bytes()
        path.write_bytes(data + fine[fine.index(b"\xff", 200) :])  # other frames after these
        samples, at = read_sound(path)
        assert len(samples) / at >= 2 * SECONDS
        return
    assert heard(path, quiet, SECONDS + 0.5, alike=0.93 if rate == 8000 else 0.98, longer=0.25) == []


def test_an_mp3_that_is_cut_is_told_by_its_header_and_by_nothing_else(tmp_path, voice):
    whole = write_media(tmp_path / "whole.mp3", sound=voice)
    assert heard(whole, voice, longer=0.2) == []
    (tmp_path / "cut.mp3").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cut\.mp3: truncated: 1\.[0-9]+ of 3\.[0-9]+ s"):
        read_sound(tmp_path / "cut.mp3")


def wav_with(path, voice, promised):
    """A wav whose header says that it has so many bytes of samples; those of `voice` are there."""
    soundfile.write(path, voice, RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = promised.to_bytes(4, "little")
    path.write_bytes(data)
    return path


FROM_FILE = ["the length was taken from the file, not from its header"]


@pytest.mark.parametrize(
    ("promised", "changes"),
    [
        (0, FROM_FILE),  # a recorder that was killed
        (4096, FROM_FILE),  # one that wrote the length after its first second
        (0xFFFFFFFF, []),  # one that wrote to a pipe
        (2 * int(SECONDS * RATE) + 16, []),  # one that rounds to blocks
    ],
)
def test_a_wav_header_that_is_wrong_costs_no_sound(tmp_path, voice, promised, changes):
    assert heard(wav_with(tmp_path / "a.wav", voice, promised), voice, alike=0.9999, longer=0) == changes


@pytest.mark.parametrize(("missing", "whole"), [(0.049, True), (0.06, False), (1.0, False)])
def test_under_fifty_milliseconds_are_no_truncation(tmp_path, voice, missing, whole):
    path = wav_with(tmp_path / "a.wav", voice, 2 * int((SECONDS + missing) * RATE))
    if whole:
        assert heard(path, voice, alike=0.9999, longer=0) == []
    else:
        with pytest.raises(DataError, match=rf"truncated: 48000 of {int((SECONDS + missing) * RATE)} samples"):
            read_sound(path)


@pytest.mark.parametrize("after", [b"LIST\4\0\0\0INFO" + bytes(5000), b"ID3\4" + b"\1" * 9000, bytes(9000)])
def test_what_stands_behind_the_samples_of_a_wav_is_no_sound(tmp_path, voice, after):
    soundfile.write(tmp_path / "a.wav", voice, RATE)
    with (tmp_path / "a.wav").open("ab") as file:
        file.write(after)
    if after.startswith(b"LIST"):
        data = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "a.wav").write_bytes(data.replace(b"LIST\4\0", b"LIST\x8c\x13"))  # 5,004 bytes of it
    assert heard(tmp_path / "a.wav", voice, alike=0.9999, longer=0) == []


@pytest.mark.parametrize("form", ["RF64", "AIFF", "CAF", "AU", "W64", "FLAC", "OGG"])
def test_each_container_keeps_all_and_tells_when_it_is_cut(tmp_path, voice, form):
    path = tmp_path / "a.bin"
    soundfile.write(path, voice, RATE, format=form)
    assert heard(path, voice, longer=0.01) == []
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(DataError, match=r"a\.bin: truncated: "):
        read_sound(path)


def test_an_ogg_file_whose_end_is_not_marked_is_read_and_said(tmp_path, voice):
    soundfile.write(tmp_path / "a.ogg", np.tile(voice, 6), RATE)
    data = (tmp_path / "a.ogg").read_bytes()
    (tmp_path / "a.ogg").write_bytes(data[: data.rindex(b"OggS")])
    with noted() as changes:
        samples, _ = read_sound(tmp_path / "a.ogg")
    assert changes == [("", "an Ogg file's end is not marked: it may have been longer")]
    assert 10 < len(samples) / RATE < 18


def test_ogg_files_one_after_another_are_one_recording(tmp_path, voice, other):
    for name, samples in (("a", voice), ("b", other)):
        soundfile.write(tmp_path / f"{name}.ogg", samples, RATE)
    both = (tmp_path / "a.ogg").read_bytes() + (tmp_path / "b.ogg").read_bytes()
    (tmp_path / "both.ogg").write_bytes(both)
    assert heard(tmp_path / "both.ogg", np.concatenate([voice, other]), 2 * SECONDS, alike=0) == []
    samples, _ = read_sound(tmp_path / "both.ogg")
    assert likeness(samples[: 3 * RATE], voice) > 0.98
    assert likeness(samples[3 * RATE :], other) > 0.98
    soundfile.write(tmp_path / "c.ogg", np.stack([resample(other, RATE, 24_000)] * 2, axis=1), 24_000)
    (tmp_path / "both.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() + (tmp_path / "c.ogg").read_bytes())
    changes = heard(tmp_path / "both.ogg", np.concatenate([voice, other]), 2 * SECONDS, alike=0.9)
    assert changes == ["the rate or the channels change within the recording: brought to one"]


@pytest.mark.parametrize(
    ("called", "codec", "form"),
    [
        ("a.wav", "aac", "mp4"),
        ("a.mp3", "aac", "adts"),
        ("a.m4a", "libmp3lame", "mp3"),
        ("a.flac", "libopus", "ogg"),
        ("a", "pcm_s16le", "wav"),
        ("a.jpg", "flac", "matroska"),
        ("a.mp4", "ac3", "ac3"),
        ("a.ogg", "pcm_s16be", "aiff"),
        ("a.dat", "alac", "mov"),
    ],
)
def test_sound_is_known_by_its_content(tmp_path, voice, called, codec, form):
    samples = resample(voice, RATE, 48_000)
    assert heard(mux(tmp_path / called, Sound(samples, 48_000, codec), form=form), voice, alike=0.97) == []


def test_a_rate_that_changes_within_a_recording_is_brought_to_one(tmp_path, voice, other):
    parts = [
        mux(tmp_path / "a.aac", Sound(voice), form="adts").read_bytes(),
        mux(tmp_path / "b.aac", Sound(resample(other, RATE, 44_100), 44_100), form="adts").read_bytes(),
    ]
    (tmp_path / "both.aac").write_bytes(b"".join(parts))
    both = np.concatenate([voice, other])
    # A frame more shifts the second part, so that only one of the two fits at a time; each is compared below.
    changes = heard(tmp_path / "both.aac", both, 2 * SECONDS, alike=0.4, longer=0.3)
    assert changes[-1] == "the rate or the channels change within the recording: brought to one"
    samples, rate = read_sound(tmp_path / "both.aac")
    at_rate = resample(samples, rate, RATE)
    assert likeness(at_rate[: int(SECONDS * RATE)], voice) > 0.95
    assert likeness(at_rate[int(2.9 * RATE) :], other) > 0.95, "and keeps its pitch"


def test_a_stream_is_compared_with_its_own_length(tmp_path, voice):
    frames = Pictures([np.full((64, 64, 3), 99, np.uint8)] * 250, codec="mpeg4")
    for form in ("mp4", "matroska", "avi", "asf", "mpegts", "webm", "nut"):
        pictures = Pictures(frames.frames, codec="libvpx") if form == "webm" else frames
        rate, codec = (48_000, "libopus") if form == "webm" else (RATE, "aac")
        path = tmp_path / f"film.{form}"
        mux(path, pictures, Sound(resample(voice, RATE, rate), rate, codec), form=form)
        assert heard(path, voice) == [], form
    path = mux(tmp_path / "a.flv", Pictures(frames.frames, codec="flv1"), Sound(voice), form="flv")
    assert heard(path, voice) == []


@pytest.mark.parametrize("form", ["mp4", "matroska", "avi", "asf", "flv", "mov"])
def test_a_file_that_is_cut_is_cut_in_every_container(tmp_path, voice, form):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(75)]
    codec = "flv1" if form == "flv" else "mpeg4"
    options = {"movflags": "+faststart"} if form in ("mp4", "mov") else {}
    path = mux(tmp_path / "a.film", Pictures(noise, codec=codec), Sound(voice), form=form, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"a\.film: truncated: "):
        read_sound(path)


def test_a_length_that_was_left_from_another_file_is_none(tmp_path, voice):
    """FFmpeg passes such tags on when it cuts a clip from a film."""
    pictures = Pictures([np.full((64, 64, 3), 99, np.uint8)] * 200, codec="mpeg4")
    path = mux(tmp_path / "clip.mkv", pictures, Sound(voice, tags={"DURATION-eng": "01:30:00.000000000"}))
    assert heard(path, voice) == []


def test_sound_that_begins_late_is_whole(tmp_path, voice):
    frames = [np.full((64, 64, 3), number, np.uint8) for number in range(150)]
    for form, codec in (("mp4", "libx264"), ("matroska", "libx264"), ("flv", "flv1"), ("avi", "mpeg4")):
        path = mux(tmp_path / f"late.{form}", Pictures(frames, codec=codec), Sound(voice, begin=2.5), form=form)
        assert heard(path, voice) == []


# Whose track it is.


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_the_default_track_is_used_and_said(tmp_path, voice, other, form):
    path = mux(tmp_path / "two", Sound(other, default=False), Sound(voice, default=True), form=form)
    assert heard(path, voice) == ["of 2 sound tracks number 2 was used, the default one"]
    path = mux(tmp_path / "first", Sound(voice, default=True), Sound(other, default=False), form=form)
    assert heard(path, voice) == ["of 2 sound tracks number 1 was used, the default one"]


@pytest.mark.parametrize("default", [True, False])
def test_where_the_first_track_is_silent_the_next_is_used(tmp_path, voice, default):
    quiet = np.random.default_rng(0).normal(0, 1e-5, len(voice)).astype(np.float32)
    path = mux(tmp_path / "two.mkv", Sound(quiet, default=default), Sound(voice, default=False))
    assert heard(path, voice) == ["of 2 sound tracks number 2 was used, the first that is not silent"]


def test_a_film_all_of_whose_tracks_are_silent_is_silent(tmp_path, voice):
    path = mux(tmp_path / "two.mkv", Sound(voice * 0), Sound(voice * 0, default=False))
    samples, rate = read_sound(path)
    with pytest.raises(DataError, match=r"two\.mkv: silent"):
        usable_recording(samples, rate, "two.mkv", RATE)


def test_a_cover_picture_is_no_film_and_costs_no_sound(tmp_path, voice):
    path = write_media(tmp_path / "a.mp3", sound=voice)
    cover = tmp_path / "cover.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)).save(cover)
    content = b"\0image/jpeg\0\3\0" + cover.read_bytes()
    frame = b"APIC" + len(content).to_bytes(4, "big") + b"\0\0" + content
    size = len(frame)
    tag = b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + frame
    path.write_bytes(tag + path.read_bytes())
    assert heard(path, voice, longer=0.2) == []


# How channels become one, at a known level.

ONE = "one channel was used: the channels cancel each other"
QUIET = "quiet channels were left out"
OFFSET = "a constant offset was taken out"
INTEGERS = "integers written as floats were scaled to full scale"
PEAKS = "peaks beyond full scale: the recording was made quieter"


def channels_of(voice, other, case):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, voice.std(), len(voice)).astype(np.float32)
    hum = (0.2 * np.sin(2 * np.pi * 50 * np.arange(len(voice)) / RATE)).astype(np.float32)
    nothing = 0 * voice
    return {
        "the same on both": (voice, voice),
        "left alone": (voice, nothing),
        "right alone": (nothing, voice),
        "noise on the right": (voice, noise * 0.3),
        "panned to the left": (voice, voice * 0.3),
        "each other's negative": (voice, -voice),
        "negative and quieter": (voice, -0.7 * voice),
        "negative and noise": (voice + noise * 0.1, -voice + noise * 0.1),
        "offset on one": (voice + 0.3, voice),
        "centre of six": (nothing, nothing, voice, nothing, nothing, nothing),
        "negative under a hum": (voice + hum, -voice + hum),
    }[case]


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("the same on both", []),
        ("left alone", [QUIET]),
        ("right alone", [QUIET]),
        ("noise on the right", [QUIET]),
        ("panned to the left", [QUIET]),
        ("each other's negative", [ONE]),
        ("negative and quieter", [ONE]),
        ("negative and noise", [ONE]),
        ("offset on one", [OFFSET]),
        ("centre of six", [QUIET]),
    ],
)
@pytest.mark.parametrize("suffix", ["wav", "mka"])
def test_the_voice_keeps_its_level_whatever_the_channels(tmp_path, voice, other, case, changes, suffix):
    channels = np.stack(channels_of(voice, other, case))
    path = tmp_path / f"a.{suffix}"
    if suffix == "wav":
        soundfile.write(path, channels.T, RATE, subtype="FLOAT")
    else:
        mux(path, Sound(channels, codec="flac", rate=RATE))
    assert heard(path, voice, alike=0.97) == changes


def test_a_hum_on_both_hides_no_voice_that_cancels(voice, other):
    with noted() as changes:
        samples = mono(np.stack(channels_of(voice, other, "negative under a hum"), axis=1))
    assert [change for _, change in changes] == [ONE]
    without_hum = np.diff(samples)
    assert likeness(without_hum, np.diff(voice)) > 0.9


def test_two_people_on_two_channels_are_mixed(voice, other):
    with noted() as changes:
        samples = mono(np.stack([voice, other], axis=1))
    assert changes == []
    np.testing.assert_allclose(samples, (voice + other) / 2, atol=1e-7)


@pytest.mark.parametrize("offset", [-0.4, -0.02, 0.05, 0.4])
def test_an_offset_is_taken_out(tmp_path, voice, offset):
    soundfile.write(tmp_path / "a.wav", voice + offset, RATE)
    assert heard(tmp_path / "a.wav", voice, alike=0.999, longer=0) == [OFFSET]


@pytest.mark.parametrize("offset", [0.02, 0.1, 0.4])
def test_pauses_are_found_as_without_an_offset(voice, offset):
    # One step of noise in the pause, as in any recording.
    pause = np.random.default_rng(0).normal(0, 3e-4, 2 * RATE).astype(np.float32)
    recording = np.concatenate([voice[:RATE], pause, voice[:RATE]])
    plain = usable_recording(recording, RATE, "plain", RATE, silence=1.0)
    shifted = usable_recording(recording + np.float32(offset), RATE, "shifted", RATE, silence=1.0)
    assert len(plain) / RATE == pytest.approx(2.2, abs=0.4)
    assert len(shifted) == pytest.approx(len(plain), abs=0.1 * RATE)


def test_a_little_mean_is_left_as_it_is(voice):
    with noted() as changes:
        assert np.array_equal(mono(voice + np.float32(0.02 * voice.std())), voice + np.float32(0.02 * voice.std()))
    assert changes == []


@pytest.mark.parametrize(
    ("scale", "subtype"), [(2.0**15, "FLOAT"), (2.0**15, "DOUBLE"), (2.0**23, "FLOAT"), (2.0**31, "DOUBLE")]
)
def test_integers_written_as_floats_are_scaled(tmp_path, voice, scale, subtype):
    soundfile.write(tmp_path / "a.wav", voice.astype(float) * scale, RATE, subtype=subtype)
    assert heard(tmp_path / "a.wav", voice, alike=0.9999, longer=0) == [INTEGERS]


@pytest.mark.parametrize("peak", [1.001, 1.5, 4.0])
def test_peaks_above_full_scale_are_brought_to_it_and_not_clipped(tmp_path, voice, peak):
    loud = voice / np.abs(voice).max() * peak
    soundfile.write(tmp_path / "a.wav", loud, RATE, subtype="FLOAT")
    level = 1 / np.abs(voice).max()
    assert heard(tmp_path / "a.wav", voice, level=level, alike=0.99999, longer=0) == [PEAKS]
    kept = usable_recording(*read_sound(tmp_path / "a.wav"), "a", RATE)
    assert (np.abs(kept.astype(int)) >= 32767).sum() <= 2, "the peak alone"


@pytest.mark.parametrize("wrong", ["forty times too loud", "a single sample", "beyond 32 bits"])
def test_what_is_at_no_known_level_is_set_aside(tmp_path, voice, wrong):
    samples = voice.astype(float).copy()
    if wrong == "a single sample":
        samples[1000] = 20_000
    else:
        samples *= {"forty times too loud": 40 / np.abs(voice).max(), "beyond 32 bits": 1e12}[wrong]
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="DOUBLE")
    with pytest.raises(DataError, match=r"a\.wav: samples of up to .* are neither floats around 1 nor integers"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
def test_every_kind_of_sample_has_one_level(tmp_path, voice, subtype):
    soundfile.write(tmp_path / "a.wav", voice, RATE, subtype=subtype)
    changes = heard(tmp_path / "a.wav", voice, alike=0.98, longer=0)
    assert changes == ([OFFSET] if subtype == "PCM_U8" else []), "8 bits round down: half a step of offset"


def test_a_plugins_channels_become_one_by_the_same_rule(voice):
    with noted() as changes:
        kept = usable_recording(np.stack([voice * 32768, -voice * 32768], axis=1), RATE, "entry", RATE)
    assert [change for _, change in changes] == [ONE, INTEGERS]
    assert likeness(kept / 32768, voice) > 0.9999
    assert (kept / 32768).std() == pytest.approx(voice.std(), rel=0.01)
