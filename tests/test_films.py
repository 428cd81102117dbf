"""Films as people have them: faces as wide as they are seen, upright, from where the voice is, in any container."""

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from made_media import RATE, MediaFolder, Pictures, Sound, mux, people, scene, speech, write_media
from PIL import Image

from v2f_bench.harness.doctor import examine
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import noted
from v2f_bench.media.sound import read_sound
from v2f_bench.media.video import holds_film, read_frames

SQUARE = "pixels that are not square were made so"
TURNED = "turned or mirrored as its camera was held"


def corners(shape=(120, 160)):
    """A picture whose four quarters are of four shades of grey: 240 and 180 above, 120 and 60 below."""
    shades = np.array([[240, 180], [120, 60]], np.uint8)
    return np.repeat(shades.repeat(shape[0] // 2, 0).repeat(shape[1] // 2, 1)[:, :, None], 3, axis=2)


def quarters(pixels):
    """The shade of each quarter, in hundreds."""
    height, width = pixels.shape[:2]
    middles = pixels[height // 4 :: height // 2, width // 4 :: width // 2].mean(axis=2)
    return np.round(middles[:2, :2] / 60).astype(int).tolist()


def frames(path, count=4, side=360):
    with noted() as changes:
        shown = read_frames(path, count, side)
    return [time for time, _ in shown], [pixels for _, pixels in shown], [change for _, change in changes]


CONTAINERS = {  # suffix: codec of the pictures
    **{"mp4": "libx264", "m4v": "mpeg4", "mov": "mpeg4", "3gp": "mpeg4", "mkv": "libx264", "webm": "libvpx"},
    **{"avi": "mpeg4", "flv": "flv1", "wmv": "wmv2", "ts": "mpeg2video", "m2ts": "mpeg2video", "mpg": "mpeg1video"},
    **{"vob": "mpeg2video", "mxf": "mpeg2video", "nut": "mpeg4"},
}


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_film_in_every_container_is_read_whatever_it_is_called(tmp_path, suffix):
    track = Pictures([corners((128, 160))] * 50, codec=CONTAINERS[suffix])
    path = mux(tmp_path / f"a.{suffix}", track)
    for name in (f"a.{suffix}", "a.jpg", "a.bin", "a"):
        path = path.rename(tmp_path / name)
        times, (pixels, *_), changes = frames(path)
        assert times == pytest.approx([0.25, 0.75, 1.25, 1.75], abs=0.13)
        assert quarters(pixels) == [[4, 3], [2, 1]]
        assert changes == []
        assert holds_film(path)


def test_what_ffmpeg_would_make_a_film_of_is_none(tmp_path):
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "list2.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    (tmp_path / "words.txt").write_text("words " * 500)
    Image.fromarray(corners()).save(tmp_path / "picture.png")
    mux(tmp_path / "other.ts", Pictures([corners()] * 9, codec="mpeg2video"))
    (tmp_path / "other.ts").rename(tmp_path / "other.mp4")
    for name in ("list.mp4", "list2.mp4", "words.txt", "picture.png", "gone.mp4"):
        assert not holds_film(tmp_path / name)
        with pytest.raises(DataError, match=name):
            read_frames(tmp_path / name, 1, 99)


@pytest.mark.parametrize(
    ("pixel", "shape", "suffix"),
    [
        (Fraction(2), (120, 320), "mp4"),
        (Fraction(16, 9), (120, 284), "mkv"),
        (Fraction(1, 2), (240, 160), "mp4"),
        (Fraction(12, 11), (120, 175), "mp4"),
        (Fraction(2), (120, 320), "avi"),
    ],
)
def test_faces_are_as_wide_as_they_are_seen(tmp_path, pixel, shape, suffix):
    path = mux(tmp_path / f"a.{suffix}", Pictures([corners()] * 10, pixel=pixel))
    _, (pixels, *_), changes = frames(path, 1)
    assert pixels.shape == (*shape, 3)
    assert quarters(pixels) == [[4, 3], [2, 1]]
    assert changes == [SQUARE]
    _, (small, *_), _ = frames(path, 1, side=60)
    assert min(small.shape[:2]) == 60
    assert small.shape[1] / small.shape[0] == pytest.approx(shape[1] / shape[0], rel=0.02)


def test_a_pixel_that_no_screen_has_is_a_mistake(tmp_path):
    path = mux(tmp_path / "a.mp4", Pictures([corners()] * 10, pixel=Fraction(9)))
    _, (pixels, *_), changes = frames(path, 1)
    assert (pixels.shape, changes) == ((120, 160, 3), [])


MATRICES = {  # a, b, c, d of the display matrix, and how the quarters lie after it
    **{"as it is": (1, 0, 0, 1, [[4, 3], [2, 1]]), "half a turn": (-1, 0, 0, -1, [[1, 2], [3, 4]])},
    **{"mirrored": (-1, 0, 0, 1, [[3, 4], [1, 2]]), "upside down": (1, 0, 0, -1, [[2, 1], [4, 3]])},
    **{"clockwise": (0, 1, -1, 0, [[2, 4], [1, 3]]), "counter": (0, -1, 1, 0, [[3, 1], [4, 2]])},
    **{"transposed": (0, 1, 1, 0, [[4, 2], [3, 1]]), "and turned": (0, -1, -1, 0, [[1, 3], [2, 4]])},
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("pixel", [1, 2])
def test_a_display_matrix_is_followed(tmp_path, name, pixel):
    *matrix, expected = MATRICES[name]
    path = mux(tmp_path / "a.mp4", Pictures([corners()] * 10, pixel=Fraction(pixel)))

    def coded(a, b, c, d):
        numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        return b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)

    data, plain = path.read_bytes(), coded(1, 0, 0, 1)
    place = data.rindex(plain)  # the track's own; that of the whole film comes before it
    path.write_bytes(data[:place] + coded(*matrix) + data[place + len(plain) :])
    _, (pixels, *_), changes = frames(path, 1)
    assert quarters(pixels) == expected
    wide = (120, 160 * pixel)
    assert pixels.shape[:2] == (wide if matrix[0] else wide[::-1])
    assert changes == [SQUARE] * (pixel == 2) + [TURNED] * (name != "as it is")


def test_a_face_is_found_in_a_film_of_wide_pixels_and_a_mirrored_one(tmp_path):
    """Squeezed to half its width, or turned on its head, a face is found badly or not at all."""
    drawn = scene((people(1)[0], 260, 190, 60))
    root = tmp_path / "data"
    root.mkdir()
    squeezed = np.asarray(Image.fromarray(drawn).resize((320, 360), Image.Resampling.BOX))
    mux(root / "a-x-plain.mp4", Pictures([drawn] * 25), Sound(speech(1)))
    mux(root / "b-x-wide.mkv", Pictures([squeezed] * 25, pixel=Fraction(2)), Sound(speech(1.1)))
    store = prepare(MediaFolder(root), Workplace(cache=tmp_path / "cache", jobs=1))
    assert store.left_out.empty
    plain, wide = store.faces(["a-x-plain", "b-x-wide"]).astype(int)
    assert np.abs(plain - wide).mean() < 6, "the same face in the same place"
    assert store.clips["face_score"].min() > 0.99


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv", "flv"])
def test_a_title_in_any_encoding_is_not_needed(tmp_path, suffix):
    codec = "flv1" if suffix == "flv" else "mpeg4"
    path = mux(tmp_path / f"a.{suffix}", Pictures(counting(30), codec=codec), Sound(speech(1)), title="Cafe noir")
    data = path.read_bytes()
    assert data.count(b"Cafe noir")
    path.write_bytes(data.replace(b"Cafe noir", b"Caf\xe9 noir"))
    assert len(frames(path)[0]) == 4
    assert len(read_sound(path)[0]) >= RATE


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_damaged_in_a_film_it_is_read_or_refused_in_words(data, small_films):
    content = bytearray(data.draw(st.sampled_from(small_films)))
    for _ in range(data.draw(st.integers(1, 20))):
        place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 200))
        content[place] = data.draw(st.integers(0, 255))
    path = Path(tempfile.mkdtemp()) / "a.film"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
    for read in (lambda: read_frames(path, 2, 64), lambda: read_sound(path)):
        try:
            read()
        except DataError as error:
            words = str(error)
        else:
            words = "a.film"
        assert "a.film" in words


@pytest.fixture(scope="module")
def small_films(tmp_path_factory):
    root = tmp_path_factory.mktemp("small")
    codecs = {"mp4": "mpeg4", "mkv": "mpeg4", "avi": "mpeg4", "flv": "flv1", "ts": "mpeg2video"}
    return [
        mux(root / f"a.{form}", Pictures(counting(10), codec=codec), Sound(speech(0.6)), title="Cafe").read_bytes()
        for form, codec in codecs.items()
    ]


# When the frames are taken, and what is whole.


def counting(count):
    return [np.full((64, 64, 3), min(2 * number, 255), np.uint8) for number in range(count)]


@pytest.mark.parametrize(("form", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("flv", "flv1"), ("avi", "mpeg4")])
def test_frames_are_looked_for_where_the_voice_is(tmp_path, form, codec):
    for name, begin, end in (("short", 0.0, 1.5), ("late", 2.0, 4.0)):
        if form == "avi" and begin:
            continue  # in AVI all begins at once
        path = tmp_path / f"{name}.{form}"
        mux(path, Pictures(counting(120), codec=codec), Sound(speech(end - begin), begin=begin))
        times, shown, _ = frames(path)
        steps = begin + (np.arange(4) + 0.5) / 4 * (end - begin)
        assert times == pytest.approx(steps, abs=0.15)
        assert [pixels.mean() for pixels in shown] == pytest.approx(50 * np.array(times), abs=8)


@pytest.mark.parametrize("form", ["mp4", "mkv", "flv", "ts"])
def test_pictures_that_end_before_the_sound_are_whole(tmp_path, form):
    codec = {"flv": "flv1", "ts": "mpeg2video"}.get(form, "libx264")
    path = mux(tmp_path / f"a.{form}", Pictures(counting(50), codec=codec), Sound(speech(8)))
    times, _, _ = frames(path)
    assert times == pytest.approx([0.25, 0.75, 1.25, 1.75], abs=0.15)


def test_a_picture_that_stands_still_is_the_frame_of_all_that_time(tmp_path):
    """Two seconds of frames, of which the last stands for eight more, and then another."""
    numbers = [*range(50), 100]
    times = [number / 25 for number in range(50)] + [10.0]
    path = mux(tmp_path / "a.mkv", Pictures([counting(101)[n] for n in numbers], times), Sound(speech(10)))
    found, shown, _ = frames(path, 8)
    assert found[-1] == pytest.approx(1.96, abs=0.1), "on the screen until the tenth second"
    assert len(found) == len(set(found)) == 3
    assert shown[-1].mean() == pytest.approx(2 * 49, abs=6)


def test_an_empty_packet_says_that_the_frame_before_goes_on(tmp_path):
    """As Theora writes of pictures that do not change; NUT hands such packets on too."""
    path = tmp_path / "a.nut"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt, stream.codec_context.gop_size = "yuv420p", 1
        for number, pixels in enumerate(counting(50)):
            for coded in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                packet = coded
                if number % 2:
                    packet = av.Packet(0)
                    packet.pts, packet.dts, packet.time_base = coded.pts, coded.dts, coded.time_base
                    packet.stream, packet.duration = stream, coded.duration
                container.mux(packet)
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert sum(packet.size == 0 and packet.pts is not None for packet in container.demux()) == 25
    times, shown, changes = frames(path)
    assert times == pytest.approx([0.24, 0.72, 1.2, 1.68], abs=0.01)
    assert [pixels.mean() for pixels in shown] == pytest.approx([12, 36, 60, 84], abs=2)
    assert changes == []


def test_a_last_frame_that_stands_still_is_no_truncation(tmp_path):
    for form in ("mp4", "mkv"):
        path = mux(tmp_path / f"a.{form}", Pictures(counting(50), codec="libx264"), Sound(speech(20)))
        found, _, _ = frames(path, 8)
        assert len(found) == 8
        assert found[-1] < 2


@pytest.mark.parametrize("form", ["mp4", "mkv", "flv", "avi", "wmv", "mov", "webm"])
def test_a_film_that_is_cut_is_told(tmp_path, form):
    codec = {"flv": "flv1", "wmv": "wmv2", "webm": "libvpx"}.get(form, "mpeg4")
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(75)]
    options = {"movflags": "+faststart"} if form in ("mp4", "mov") else {}
    path = mux(tmp_path / f"a.{form}", Pictures(noise, codec=codec), options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"truncated: "):
        read_frames(path, 8, 99)


@pytest.mark.parametrize("form", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("default", [True, False])
def test_a_cover_picture_before_the_film_is_no_film(tmp_path, form, default):
    codec, pixels = ("mjpeg", "yuvj420p") if form == "mkv" else ("png", "rgb24")
    cover = Pictures([np.full((64, 64, 3), 7, np.uint8)], codec=codec, form=pixels, default=default)
    path = mux(tmp_path / f"a.{form}", cover, Pictures(counting(50)), Sound(speech(2)))
    times, shown, changes = frames(path)
    assert len(times) == 4
    assert [pixels.mean() for pixels in shown] == pytest.approx(50 * np.array(times), abs=8)
    assert changes == ["of 2 video tracks number 2 was used"]


def test_a_recording_with_a_cover_has_no_video_track(tmp_path):
    path = write_media(tmp_path / "a.m4a", sound=speech(1))
    with pytest.raises(DataError, match=r"a\.m4a: has no video track"):
        read_frames(path, 4, 99)


def test_what_is_transparent_in_a_film_is_white(tmp_path):
    shown = np.dstack([corners(), np.full((120, 160), 255, np.uint8)])
    shown[:60, :, 3] = 0
    path = mux(tmp_path / "a.mov", Pictures([shown] * 5, codec="png", form="rgba"))
    _, (pixels, *_), changes = frames(path, 1)
    assert changes == ["transparent parts were laid on white"]
    assert (pixels[:58] == 255).all()
    assert quarters(pixels)[1] == [2, 1]


# All of it through `prepare` and the doctor, which must say the same.


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder of odd files, of which the names say what they are; each has a face."""
    root = tmp_path_factory.mktemp("odd") / "data"
    root.mkdir()
    drawn = [scene((face, 220, 200, 70)) for face in people(14)]
    voices = [speech(1.5 + 0.1 * number, number % 3) for number in range(14)]
    mux(root / "a-x-wide.mp4", Pictures([drawn[0]] * 40, pixel=Fraction(5, 4)), Sound(voices[0]))
    mux(root / "b-x-late.mkv", Pictures([drawn[1]] * 99), Sound(voices[1], begin=1.5))
    mux(root / "c-x-two.mp4", Pictures([drawn[2]] * 40), Sound(voices[2] * 0, default=False), Sound(voices[2]))
    mux(root / "d-x-stream.ts", Pictures([drawn[3]] * 40, codec="mpeg2video"), Sound(voices[3], codec="mp2"))
    whole = mux(root / "e-x-cut.mkv", Pictures([drawn[4]] * 40), Sound(voices[4])).read_bytes()
    (root / "e-x-cut.mkv").write_bytes(whole[: len(whole) // 2])
    mux(root / "f-x-mute.mp4", Pictures([drawn[5]] * 40))
    (root / "g-x-page.mp4").write_text("<html>gone</html>")
    mux(root / "h-x-called.wav", Sound(voices[7]), form="mp4")
    soundfile.write(root / "i-x-offset.wav", voices[8] + 0.2, RATE)
    soundfile.write(root / "j-x-negative.wav", np.stack([voices[9], -voices[9]], axis=1), RATE)
    soundfile.write(root / "k-x-loud.wav", voices[10] * 30_000, RATE, subtype="FLOAT")
    (root / "l-x-short.wav").write_bytes((root / "i-x-offset.wav").read_bytes()[:20_000])
    for name, number in (("h-x-called", 7), ("i-x-offset", 8), ("j-x-negative", 9)):
        Image.fromarray(drawn[number]).save(root / f"{name}.png")
    alpha = np.full(drawn[10].shape[:2], 255, np.uint8)
    alpha[:40] = 0
    Image.fromarray(np.dstack([drawn[10], alpha])).save(root / "k-x-loud.png")
    Image.fromarray(drawn[11][:, :, 0].astype(np.uint16) * 16).save(root / "l-x-short.png")
    jpeg = root / "m-x-half.jpg"
    Image.fromarray(drawn[12]).save(jpeg)
    jpeg.write_bytes(jpeg.read_bytes()[: jpeg.stat().st_size // 2] + b"\xff\xd9")
    Image.fromarray(drawn[13]).save(root / "n-x-copy.png")
    Image.fromarray(drawn[13]).save(root / "o-x-copy.png")
    return root


def test_the_doctor_says_what_prepare_does(odd, tmp_path):
    workplace = Workplace(cache=tmp_path / "cache", jobs=1)
    found, store = examine(MediaFolder(odd), workplace), prepare(MediaFolder(odd), workplace)
    assert sorted(each["reason"] for each in found.left_out) == sorted(store.left_out["reason"])
    assert found.changes == store.changes[["file", "change"]].to_dict("records")
    assert (found.clips, found.voices, found.faces) == tuple(store.meta[n] for n in ("clips", "voices", "faces"))
    assert found.seconds == pytest.approx(store.clips["voice_samples"].sum() / RATE)
    assert found.scenes == found.faces
    reasons = {each["file"]: each["reason"] for each in found.left_out}
    for file, reason in {
        **{"e-x-cut.mkv": "truncated", "f-x-mute.mp4": "no sound track", "g-x-page.mp4": "a web page"},
        **{"l-x-short.wav": "truncated", "l-x-short.png": "uses 12 of its 16 bits", "m-x-half.jpg": "damaged"},
        **{"n-x-copy.png": "under two labels", "o-x-copy.png": "under two labels"},
    }.items():
        assert reason in reasons.pop(file)
    assert reasons == {}


def test_what_was_changed_is_counted_in_the_store(odd, tmp_path):
    store = prepare(MediaFolder(odd), Workplace(cache=tmp_path / "cache", jobs=1))
    assert dict(store.changes[["file", "change"]].itertuples(index=False)) == {
        "a-x-wide.mp4": SQUARE,
        "c-x-two.mp4": "of 2 sound tracks number 2 was used, the default one",
        "i-x-offset.wav": "a constant offset was taken out",
        "j-x-negative.wav": "one channel was used: the channels cancel each other",
        "k-x-loud.wav": "integers written as floats were scaled to full scale",
        "k-x-loud.png": "transparent parts were laid on white",
    }
    assert store.meta["changes"] == 6
    assert 1.5 <= store.clips.loc["b-x-late", "frame_time"] <= 3.1, "where the voice is"


@pytest.mark.slow
def test_the_commands_show_it(cli, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    lines = ["speaker,voice,face"]
    for number in range(3):
        soundfile.write(root / f"{number}.wav", speech(1 + 0.1 * number) + 0.1, RATE)
        alpha = np.where(np.arange(64)[:, None] < 9 + number, 0, np.full((64, 64), 255)).astype(np.uint8)
        Image.fromarray(np.dstack([corners((64, 64)), alpha])).save(root / f"{number}.png")
        lines.append(f"p{number},{number}.wav,{number}.png")
    (root / "clips.csv").write_text("\n".join(lines))
    own = {"V2F_BENCH_CACHE": str(tmp_path / "cache")}
    given = ("--data-root", root, "--dataset-set", "cropped=true")
    for done in (cli("prepare", "-d", "folder", *given, env=own), cli("doctor", "folder", *given, ok=False, env=own)):
        rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
        assert "3 a constant offset was taken out 0.wav, 1.wav, 2.wav" in rows
        assert "3 transparent parts were laid on white 0.png, 1.png, 2.png" in rows
    assert "every file can be read" in done.stdout
