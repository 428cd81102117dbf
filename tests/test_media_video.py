"""Frames and sound of videos made by real encoders; and what is said of those that are broken."""

import numpy as np
import pytest
from made_media import tone, write_media
from PIL import Image

from v2f_bench.interfaces import DataError
from v2f_bench.media import video
from v2f_bench.media.picture import read_picture
from v2f_bench.media.sound import read_sound
from v2f_bench.media.video import read_frames

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def counting(count, shape=(120, 160), step=2):
    """Frames whose grey is `step` times their number, with a white top left corner."""
    frames = [np.full((*shape, 3), step * number, np.uint8) for number in range(count)]
    for frame in frames:
        frame[: shape[0] // 2, : shape[1] // 2] = 255
    return frames


@pytest.mark.parametrize("suffix", ["mp4", "flv", "mkv", "mov", "avi"])
def test_frames_lie_in_the_middle_of_equal_stretches(tmp_path, suffix):
    path = write_media(tmp_path / f"count.{suffix}", counting(100))
    frames = read_frames(path, 5, 360)
    assert [time for time, _ in frames] == pytest.approx([0.4, 1.2, 2.0, 2.8, 3.6], abs=0.13)
    for time, pixels in frames:
        assert pixels.shape == (120, 160, 3)
        assert pixels[100, 140].mean() == pytest.approx(2 * 25 * time, abs=6), "the picture is that of its time"
        assert pixels[20, 20].mean() > 245


def test_frames_are_made_smaller_in_their_shape_and_never_larger(tmp_path):
    path = write_media(tmp_path / "large.mp4", counting(5, (240, 426)))
    assert read_frames(path, 1, 120)[0][1].shape == (120, 213, 3)
    assert read_frames(path, 1, 500)[0][1].shape == (240, 426, 3)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_video_of_few_frames_gives_those(tmp_path, count):
    times = [time for time, _ in read_frames(write_media(tmp_path / "few.mp4", counting(count)), 8, 360)]
    assert 1 <= len(times) <= count
    assert times == sorted(set(times))


def test_in_a_long_video_what_lies_between_is_not_decoded(tmp_path, monkeypatch):
    """Two minutes; a keyframe every ten seconds."""
    path = write_media(tmp_path / "long.mp4", counting(1200, (64, 64), 0), fps=10)
    decoded = []
    whole = video.decoded
    monkeypatch.setattr(video, "decoded", lambda *given: (decoded.append(f) or f for f in whole(*given)))
    times = [time for time, _ in read_frames(path, 4, 64)]
    assert times == pytest.approx([15, 45, 75, 105], abs=0.5)
    assert len(decoded) < 4 * 100, "less than the ten seconds before each wanted frame"


def test_a_video_lying_on_its_side_is_turned_upright(tmp_path):
    """Phones write how they were held; the frame brings it as counter-clockwise degrees."""
    path = write_media(tmp_path / "turned.mp4", counting(3, (120, 160)))
    data = path.read_bytes()
    matrix = b"".join(n.to_bytes(4, "big", signed=True) for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    place = data.rindex(matrix)  # the track's own; that of the whole film comes before it
    turned = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30))
    path.write_bytes(data[:place] + turned + data[place + len(turned) :])
    ((_, pixels),) = read_frames(path, 1, 360)
    assert pixels.shape == (160, 120, 3)
    bright = [
        pixels[rows, columns].mean() > 200
        for rows in (slice(70), slice(90, 160))
        for columns in (slice(50), slice(70, 120))
    ]
    assert bright == [False, True, False, False], "held a quarter clockwise: the corner goes to the top right"


def broken(folder):
    film = write_media(folder / "film.mp4", counting(75), tone(3))
    fast = write_media(folder / "fast.mp4", counting(75), tone(3), options={"movflags": "+faststart"})
    flash = write_media(folder / "flash.flv", counting(75), tone(3, 44_100), 44_100)
    for whole in (film, fast, flash):
        data = whole.read_bytes()
        whole.with_stem("half-" + whole.stem).write_bytes(data[: len(data) // 2])
    write_media(folder / "sound.mp4", (), tone(1))
    write_media(folder / "silent-film.mp4", counting(10))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no video " * 50)
    (folder / "pointer.flv").write_text(POINTER)


@pytest.mark.parametrize(
    ("name", "picture", "sound"),
    [
        ("half-film.mp4", "not readable as video", "not readable as sound"),  # its table of contents is at its end
        ("half-fast.mp4", "truncated: 1.* of 3.0", "truncated|not readable as sound"),
        ("half-flash.flv", "truncated: 1.* of 3.0", "truncated: 1.* of 3.0"),
        ("sound.mp4", "has no video track", None),
        ("silent-film.mp4", None, "has no sound track"),
        ("empty.mp4", "the file is empty", "the file is empty"),
        ("text.mp4", "not readable as video", "not readable as sound"),
        ("pointer.flv", "Git-LFS pointer", "Git-LFS pointer"),
        ("absent.mp4", "no such file", "no such file"),
    ],
)
def test_a_broken_video_is_named_with_its_reason(tmp_path, name, picture, sound):
    broken(tmp_path)
    path = tmp_path / name
    for read, reason in ((lambda: read_frames(path, 8, 360), picture), (lambda: read_sound(path), sound)):
        if reason is None:
            assert len(read())
        else:
            with pytest.raises(DataError, match=f"{name}: .*({reason})"):
                read()


def test_a_picture_that_is_a_pointer_is_told_too(tmp_path):
    (tmp_path / "face.jpg").write_text(POINTER)
    with pytest.raises(DataError, match=r"face\.jpg: a Git-LFS pointer"):
        read_picture(tmp_path / "face.jpg")
    Image.new("RGB", (4, 4)).save(tmp_path / "small.png")
    assert read_picture(tmp_path / "small.png").shape == (4, 4, 3), "a small file is no pointer"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lying_on_its_side_is_turned_upright(tmp_path, orientation):
    """Phones write how they were held; 1 is upright."""
    upright = np.zeros((40, 80, 3), np.uint8)
    upright[:16, :16] = 255
    turned = {
        **{1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]},
        **{5: upright.swapaxes(0, 1), 6: np.rot90(upright), 7: np.rot90(upright, 2).swapaxes(0, 1)},
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = read_picture(tmp_path / "a.jpg")
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 2
