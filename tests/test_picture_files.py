"""Pictures as people have them: upright, in sRGB, on white, as bright as their file says; or set aside with why."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import noted
from v2f_bench.media.picture import holds_picture, pictures_by_stem, read_picture

RNG = np.random.default_rng(0)
WHITE = ["transparent parts were laid on white"]
TURNED = ["turned or mirrored as its camera was held"]
SRGB = ["colours were converted to sRGB"]
SCALED = ["its brightness was scaled to 8 bits by what the file says of it"]


def drawing(height=48, width=64):
    """A smooth picture without symmetry: uint8 [H, W, 3]."""
    down, across = np.mgrid[0:height, 0:width]
    return (
        np.stack([2 * down + across, 255 - 3 * across, 60 + down + 2 * across], axis=2).clip(20, 235).astype(np.uint8)
    )


def read(path):
    with noted() as changes:
        pixels = read_picture(path)
    return pixels.astype(int), [change for _, change in changes]


def png(samples, *chunks):
    """A PNG of 16 bits: samples uint16 [H, W] or [H, W, C], with further chunks before them."""
    samples = samples[:, :, None] if samples.ndim == 2 else samples
    height, width, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    coded = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(coded)


# The ground under what is transparent.


def see_through(form):
    """A picture of one colour below and of transparent black above, half transparent between."""
    alpha = np.repeat(np.array([0, 128, 255], np.uint8), 16)[:, None].repeat(48, 1)
    colour = np.full((48, 48, 3), (200, 100, 40), np.uint8)
    colour[:16] = 0
    whole = Image.fromarray(np.dstack([colour, alpha]))
    if form in ("RGBA", "PA"):
        return whole if form == "RGBA" else whole.quantize(16, Image.Quantize.FASTOCTREE)
    if form == "LA":
        return whole.convert("LA")
    hard = Image.fromarray(colour)  # black is the colour that is transparent, and nothing is half so
    return {"RGB": hard, "L": hard.convert("L"), "P": hard.quantize(4)}[form]


@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        *(("RGBA", suffix) for suffix in ("png", "webp", "tif", "avif")),
        *(("LA", "png"), ("PA", "png"), ("P", "png"), ("P", "gif"), ("RGB", "png"), ("L", "png")),
    ],
)
def test_what_is_transparent_is_white_in_every_form(tmp_path, form, suffix):
    path, picture = tmp_path / f"a.{suffix}", see_through(form)
    key = {"RGB": (0, 0, 0), "L": 0, "P": picture.getpixel((0, 0))}.get(form)
    more = {"lossless": True} if suffix == "webp" else {}
    picture.save(path, **more, **({} if key is None else {"transparency": key}))
    pixels, changes = read(path)
    colour = np.full(3, 123.0) if form in ("LA", "L") else np.array([200, 100, 40])
    assert changes == WHITE
    assert (pixels[2:14] == 255).all()
    assert np.abs(pixels[36:44] - colour).max() <= 3
    if key is None:
        assert np.abs(pixels[20:28, 4:-4] - (colour + 255) / 2).max() <= 4


def test_sixteen_bits_and_transparency(tmp_path):
    alpha = np.zeros((20, 20), np.uint16)
    alpha[10:] = 65535
    (tmp_path / "a.png").write_bytes(png(np.dstack([np.full((20, 20, 3), 30_000, np.uint16), alpha])))
    pixels, changes = read(tmp_path / "a.png")
    assert changes == WHITE
    assert (pixels[:10] == 255).all()
    assert np.abs(pixels[10:] - 30_000 / 257).max() <= 1


def test_alpha_that_hides_nothing_changes_nothing(tmp_path):
    Image.fromarray(np.dstack([drawing(), np.full((48, 64), 255, np.uint8)])).save(tmp_path / "a.png")
    pixels, changes = read(tmp_path / "a.png")
    assert changes == []
    assert np.array_equal(pixels, drawing())


# Which side is up.

TURNS = {  # how the upright picture lies in a file of each orientation
    **{1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1]},
    **{5: lambda a: a.swapaxes(0, 1), 6: np.rot90, 7: lambda a: np.rot90(a, 2).swapaxes(0, 1)},
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "grey16.png", "grey16.tif"])
def test_every_orientation_is_turned_upright(tmp_path, orientation, kind):
    upright = drawing()
    if kind.startswith("grey16"):
        upright = upright[:, :, 0].astype(np.uint16) * 257
    picture = Image.fromarray(np.ascontiguousarray(TURNS[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{kind}"
    if path.suffix == ".tif":
        picture.save(path, tiffinfo={0x0112: orientation})
    else:
        picture.save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {"lossless": True}))
    pixels, changes = read(path)
    assert changes == (TURNED if orientation > 1 else [])
    expected = upright if upright.ndim == 3 else (upright // 257)[:, :, None]
    assert pixels.shape[:2] == (48, 64)
    assert np.abs(pixels - expected).mean() < 2


def test_facts_about_a_picture_that_are_damaged_cost_nothing(tmp_path):
    Image.fromarray(drawing()).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\5\1\x12")
    assert np.array_equal(read(tmp_path / "a.png")[0], drawing())


# How bright it is.


def grey(bits):
    return (drawing()[:, :, 0].astype(np.float64) / 255 * (2**bits - 1)).round()


@pytest.mark.parametrize(
    ("name", "save", "changes"),
    [
        ("a.png", lambda p: Image.fromarray(grey(16).astype(np.uint16)).save(p), []),
        ("a.tif", lambda p: Image.fromarray(grey(16).astype(np.uint16)).save(p), []),
        ("a.jp2", lambda p: Image.fromarray(grey(16).astype(np.uint16)).save(p, irreversible=False), []),
        ("sbit.png", lambda p: p.write_bytes(png(grey(12).astype(np.uint16), (b"sBIT", b"\x0c"))), SCALED),
        ("stated.tif", lambda p: Image.fromarray(grey(12).astype(np.uint16)).save(p, tiffinfo={281: 4095}), SCALED),
        ("a.pgm", lambda p: p.write_bytes(b"P5 64 48 4095\n" + grey(12).astype(">u2").tobytes()), []),
        ("unit.tif", lambda p: Image.fromarray(grey(8).astype(np.float32) / 255).save(p), SCALED),
        ("byte.tif", lambda p: Image.fromarray(grey(8).astype(np.float32)).save(p), SCALED),
        ("whole.tif", lambda p: Image.fromarray(grey(31).astype(np.int32)).save(p), SCALED),
        ("colour.png", lambda p: p.write_bytes(png(np.dstack([grey(16).astype(np.uint16)] * 3))), []),
        ("dark.png", lambda p: Image.fromarray((grey(8) // 5).astype(np.uint16) * 257).save(p), []),
    ],
)
def test_more_than_eight_bits_are_scaled_by_what_the_file_says(tmp_path, name, save, changes):
    save(tmp_path / name)
    pixels, noticed = read(tmp_path / name)
    expected = grey(8) // 5 if name == "dark.png" else grey(8)
    assert noticed == changes
    assert np.abs(pixels - expected[:, :, None]).max() <= 1


def test_where_white_is_zero_light_is_not_dark(tmp_path):
    Image.fromarray((65535 - grey(16)).astype(np.uint16)).save(tmp_path / "a.tif", tiffinfo={262: 0})
    assert np.abs(read(tmp_path / "a.tif")[0] - grey(8)[:, :, None]).max() <= 1


@pytest.mark.parametrize(
    ("name", "save", "reason"),
    [
        ("a.png", lambda p: p.write_bytes(png(grey(12).astype(np.uint16))), "uses 12 of its 16 bits"),
        ("a.png", lambda p: p.write_bytes(png(grey(8).astype(np.uint16))), "uses 8 of its 16 bits"),
        ("a.tif", lambda p: Image.fromarray(grey(10).astype(np.uint16)).save(p), "uses 10 of its 16 bits"),
        (
            "a.png",
            lambda p: p.write_bytes(png(np.dstack([grey(12).astype(np.uint16)] * 3))),
            "a quarter of its 16 bits",
        ),
        ("a.tif", lambda p: Image.fromarray(grey(8).astype(np.float32) / 5).save(p), "floats of up to 31"),
        (
            "a.tif",
            lambda p: Image.fromarray(grey(8).astype(np.float32) * 99).save(p),
            "the file does not say which is white",
        ),
        ("a.tif", lambda p: Image.fromarray(grey(8).astype(np.float32) / 255 - 0.5).save(p), "values below 0"),
        ("a.tif", lambda p: Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(p), "not finite"),
    ],
)
def test_where_nothing_tells_which_value_is_white_it_is_set_aside(tmp_path, name, save, reason):
    save(tmp_path / name)
    with pytest.raises(DataError, match=rf"{name}: .*{reason}"):
        read_picture(tmp_path / name)


# What its colours are.


def colour_profile(primaries, gamma):
    """An ICC profile of a display with these primaries (x, y of red, green and blue), white at D65."""

    def numbers(values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    columns *= np.linalg.solve(columns, [0.9505, 1, 1.089])
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1, 0.8249])
    to_d50 = np.linalg.inv(cones) @ np.diag(cones @ d50 / (cones @ [0.9505, 1, 1.089])) @ cones  # Bradford's
    columns = to_d50 @ columns
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"mine\0" + bytes(79),
        b"wtpt": b"XYZ \0\0\0\0" + numbers(d50),
        **{name + b"XYZ": b"XYZ \0\0\0\0" + numbers(columns[:, n]) for n, name in enumerate((b"r", b"g", b"b"))},
        **{name + b"TRC": curve for name in (b"r", b"g", b"b")},
    }
    start, table, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = bytearray(128)
    head[8:24] = b"\2\x10\0\0mntrRGB XYZ "
    head[36:40], head[68:80] = b"acsp", numbers(d50)
    body = struct.pack(">I", len(tags)) + table + data
    head[:4] = struct.pack(">I", 128 + len(body))
    return bytes(head) + body


P3 = colour_profile([(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], 2.2)
AS_SRGB = colour_profile([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)], 2.2)


def in_srgb(colours, primaries, gamma):
    """The same by the formulas (IEC 61966-2-1): float [..., 3] in [0, 255] of a display to sRGB."""

    def to_xyz(of):
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in of]).T
        return columns * np.linalg.solve(columns, [0.9505, 1, 1.089])

    srgb = to_xyz([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])
    linear = (np.asarray(colours) / 255) ** gamma @ (np.linalg.inv(srgb) @ to_xyz(primaries)).T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("alpha", [False, True])
def test_display_p3_becomes_srgb_by_its_profile(tmp_path, suffix, alpha):
    if alpha and suffix == "jpg":
        pytest.skip("a JPEG has no alpha")
    colours = np.array([[(200, 120, 90), (90, 140, 110), (128, 128, 128)]], np.uint8).repeat(24, 0).repeat(24, 1)
    pixels = np.dstack([colours, np.full(colours.shape[:2], 255, np.uint8)]) if alpha else colours
    more = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", icc_profile=P3, **more)
    found, changes = read(tmp_path / f"a.{suffix}")
    expected = in_srgb(colours, [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], 2.2)
    assert changes == SRGB
    assert np.abs(expected - colours).max() > 9, "there is something to convert"
    assert np.abs(found - expected).max() <= 3


@pytest.mark.parametrize(
    ("profile", "changes"),
    [
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), []),
        (b"no profile at all" * 30, ["a colour profile that cannot be used: taken as sRGB"]),
    ],
)
def test_a_profile_of_srgb_or_of_nothing_changes_no_pixel(tmp_path, profile, changes):
    Image.fromarray(drawing()).save(tmp_path / "a.png", icc_profile=profile)
    pixels, noticed = read(tmp_path / "a.png")
    assert noticed == changes
    assert np.array_equal(pixels, drawing())


def test_cmyk_becomes_rgb(tmp_path):
    Image.fromarray(drawing()).convert("CMYK").save(tmp_path / "a.jpg", quality=98)
    assert np.abs(read(tmp_path / "a.jpg")[0] - drawing()).mean() < 3


# Whether it is all there.


def jpeg(**more):
    noisy = (drawing(160, 160).astype(int) + RNG.integers(-9, 9, (160, 160, 3))).clip(0, 255).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(noisy).save(data, "JPEG", quality=90, **more)
    return data.getvalue(), noisy.astype(int)


@pytest.mark.parametrize("more", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=["", "scans", "restarts"])
@pytest.mark.parametrize("damage", ["cut", "cut and closed", "a hole", "zeros"])
def test_a_jpeg_with_a_part_that_is_not_there_is_set_aside(tmp_path, more, damage):
    data, _ = jpeg(**more)
    half, tail = len(data) // 2, len(data) * 3 // 4
    broken = {
        "cut": data[:half],
        "cut and closed": data[:half] + b"\xff\xd9",
        "a hole": data[:half] + data[tail:],
        "zeros": data[:half] + bytes(tail - half) + data[tail:],
    }[damage]
    if damage == "zeros" and "progressive" in more:
        pytest.skip("zeros are lawful numbers of a later scan: the picture is blurred, and nothing tells")
    (tmp_path / "a.jpg").write_bytes(broken)
    with pytest.raises(DataError, match=r"a\.jpg: not readable as a picture"):
        read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_progressive_jpeg_that_ends_before_its_last_scan_is_set_aside(tmp_path, subsampling):
    data, _ = jpeg(progressive=True, subsampling=subsampling)
    scans = [place for place in range(len(data)) if data[place : place + 2] == b"\xff\xda"]
    tables = [place for place in range(scans[0], len(data)) if data[place : place + 2] == b"\xff\xc4"]
    assert len(scans) == 10
    for place in [*scans[1:], *tables]:  # each is where a scan is over: so nothing breaks off
        (tmp_path / "a.jpg").write_bytes(data[:place] + b"\xff\xd9")
        with pytest.raises(DataError, match="a part of it is not there"):
            read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_is_cut_anywhere_is_no_picture(tmp_path, progressive):
    data, _ = jpeg(progressive=progressive)
    first_scan = data.find(b"\xff\xda")
    for place in [*range(2, first_scan + 20), *range(first_scan + 20, len(data) - len(data) // 100, 97)]:
        (tmp_path / "a.jpg").write_bytes(data[:place])
        with pytest.raises(DataError, match="not readable as a picture"):
            read_picture(tmp_path / "a.jpg")


def test_another_picture_behind_a_jpeg_completes_nothing(tmp_path):
    data, pixels = jpeg(progressive=True)
    whole, _ = jpeg()
    (tmp_path / "a.jpg").write_bytes(data + whole[: len(whole) // 2])
    assert np.abs(read(tmp_path / "a.jpg")[0] - pixels).mean() < 5
    (tmp_path / "a.jpg").write_bytes(data[: data.rfind(b"\xff\xda")] + b"\xff\xd9" + data)
    with pytest.raises(DataError, match="a part of it is not there"):
        read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize("more", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
@pytest.mark.parametrize("ending", ["", "none", "zeros", "another"])
def test_a_whole_jpeg_is_read_however_it_ends(tmp_path, more, ending):
    data, pixels = jpeg(**more)
    data = {"": data, "none": data[:-2], "zeros": data + bytes(999), "another": data + data}[ending]
    (tmp_path / "a.jpg").write_bytes(data)
    found, changes = read(tmp_path / "a.jpg")
    assert changes == []
    assert np.abs(found - pixels).mean() < 5


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif", "webp", "jp2", "ppm", "avif"])
def test_other_pictures_that_are_cut_are_set_aside(tmp_path, suffix):
    noisy = RNG.integers(0, 255, (64, 64, 3), np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noisy).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(DataError, match=rf"a\.{suffix}: not readable as a picture"):
        read_picture(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page, not a picture"),
        (b"\xef\xbb\xbf \n<HTML lang=en>", "a web page, not a picture"),
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(500), "HEIC; convert it to JPEG or PNG"),
        (b"GIF89a", "not readable as a picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "not readable as a picture"),
        (b"\xff\xd8\xff", "not readable as a picture"),
        (b"no picture", "its content is that of no known format"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(tmp_path, content, words):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_picture(tmp_path / "a.jpg")


def test_a_picture_is_known_by_its_content(tmp_path):
    for name, form in (("a.jpg", "PNG"), ("a.png", "JPEG"), ("a.mp4", "WEBP"), ("a", "BMP"), ("a.txt", "TIFF")):
        Image.fromarray(drawing()).save(tmp_path / name, form)
        assert np.abs(read(tmp_path / name)[0] - drawing()).mean() < 8
        assert holds_picture(tmp_path / name)
    (tmp_path / "text.png").write_text("no picture")
    assert not holds_picture(tmp_path / "text.png")


def test_of_a_moving_picture_the_first_frame_is_taken(tmp_path):
    for name in ("a.gif", "a.webp", "a.png"):
        frames = [Image.fromarray(np.full((20, 20, 3), shade, np.uint8)) for shade in (60, 200)]
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(read(tmp_path / name)[0] - 60).max() <= 1


# The pictures of a folder.


def test_the_pictures_of_a_folder_by_stem(tmp_path):
    for name in ("t0.png", "t1.JPG", "t2.jpeg", "t3.WebP", "t4.tiff", "t5.bmp", "notes.txt", ".t6.png", "t7.npy"):
        (tmp_path / name).touch()
    (tmp_path / "inner.png").mkdir()
    found = pictures_by_stem(tmp_path)
    assert {stem: path.name for stem, path in found.items()} == {
        **{"t0": "t0.png", "t1": "t1.JPG", "t2": "t2.jpeg", "t3": "t3.WebP", "t4": "t4.tiff", "t5": "t5.bmp"}
    }
    assert list(found) == sorted(found)


def test_two_pictures_of_one_stem_are_an_error_that_names_them(tmp_path):
    for number in range(6):
        (tmp_path / f"t{number}.png").touch()
        (tmp_path / f"t{number}.JPEG").touch()
    with pytest.raises(DataError, match=r"t0\.JPEG and t0\.png, .*t2\.png, and 3 more; remove one of each"):
        pictures_by_stem(tmp_path)
