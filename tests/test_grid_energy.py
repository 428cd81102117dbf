"""The energy of patterns of two and of four pixels: its value for pictures of which it is known."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from v2f_bench.interfaces import Evidence
from v2f_bench.judges.grid import Grid
from v2f_bench.metrics.grid import GridEnergy
from v2f_bench.nn import Blur
from v2f_cgan import networks as cgan
from v2f_voice2face_gan import networks as voice2face_gan


def values_of(energies):
    """Decibels of the pattern of two pixels, and of the stripes of four."""
    trials = pd.DataFrame({"trial": [f"t{n}" for n in range(len(energies))], "speaker": "s"})
    seen = {"generated": energies, "target": energies}
    measures = GridEnergy().measure(Evidence(trials, trials, trials, seen, kind="grid"))
    assert [measure.name for measure in measures] == ["grid-energy/two-pixels", "grid-energy/four-pixels"]
    return [measure.values for measure in measures]


def decibels(pictures):
    return values_of(Grid().predict(pictures).numpy())


def sign_of(pattern):
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    return {"checks": (-1.0) ** (row + column), "rows": (-1.0) ** row, "columns": (-1.0) ** column}[pattern]


def white_noise(side, count=64):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("side", [32, 63, 64, 128])
def test_white_noise_has_as_much_energy_in_every_pattern(side):
    two, four = decibels(white_noise(side))
    assert abs(np.mean(two)) < 0.5
    assert abs(np.mean(four)) < 0.5


@pytest.mark.parametrize("pattern", ["checks", "rows", "columns"])
def test_a_faint_grid_is_measured(pattern):
    noise, step = 0.1 * white_noise(64), 0.01
    # The grid's energy lies in one frequency of 127 that count, that of the grey noise, 0.1²/12/3 a pixel, in all.
    expected = 10 * np.log10(1 + (64**2 * step**2) / (127 * 0.1**2 / 36))
    two, four = decibels(0.5 + noise + step * sign_of(pattern))
    assert np.mean(two) == pytest.approx(expected, abs=0.5)
    assert abs(np.mean(four)) < 0.5


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shift", [0, 1])
def test_faint_stripes_of_four_pixels_are_measured(axis, shift):
    """By the sums of a Hann window: a wave of height a gives (a/2)²·(64/2)⁴ in its frequency and, since the window
    spreads it, a quarter of that in each of the two beside it along its length. Noise of variance v gives v·(64·3/8)²
    in every frequency, and so in each of the two means that are added."""
    noise, height = 0.1 * white_noise(64), 0.01
    wave = height * torch.cos(torch.pi / 2 * (torch.arange(64) + shift))
    wave = wave[:, None] if axis == 0 else wave[None]
    of_wave = 2 * 1.5 * (height / 2) ** 2 * 32**4 / 20  # of the 20 frequencies of the mean, it is in 2 times 3
    of_noise = 0.1**2 / 12 / 3 * (64 * 3 / 8) ** 2
    two, four = decibels(0.5 + noise + wave)
    assert np.mean(four) == pytest.approx(10 * np.log10(1 + of_wave / (2 * of_noise)), abs=0.5)
    assert abs(np.mean(two)) < 0.5


@pytest.mark.parametrize("shift", [0, 1])
def test_faint_checks_of_four_pixels_are_measured(shift):
    """A product of two waves has half of a wave's height in each of four frequencies, which are the mean of checks."""
    noise, height = 0.1 * white_noise(64), 0.02
    wave = torch.cos(torch.pi / 2 * (torch.arange(64) + shift))
    of_checks, of_noise = (height / 4) ** 2 * 32**4, 0.1**2 / 12 / 3 * (64 * 3 / 8) ** 2
    two, four = decibels(0.5 + noise + height * wave[:, None] * wave)
    assert np.mean(four) == pytest.approx(10 * np.log10(1 + of_checks / (2 * of_noise)), abs=0.5)
    assert abs(np.mean(two)) < 0.5


@pytest.mark.parametrize("pattern", ["checks", "rows", "columns"])
def test_the_blur_of_the_methods_lets_nothing_of_it_through(pattern):
    blurred = Blur()(0.5 + 0.1 * sign_of(pattern).expand(1, 3, 64, 64))
    torch.testing.assert_close(blurred[..., 1:-1, 1:-1], torch.full((1, 3, 62, 62), 0.5))
    assert (blurred - 0.5).abs().max() <= 0.05 + 1e-6  # at the border, where the outermost pixel counts twice


def codes(*sizes):
    draws = torch.Generator().manual_seed(0)
    return [torch.randn(32, size, generator=draws) for size in sizes]


def drawn_by_cgan(smooth):
    return cgan.Generator(conditions=2, noise=16, width=12, smooth=smooth)(*codes(64, 16, 2))


def drawn_by_voice2face_gan(smooth):
    return voice2face_gan.Generator(width=12, smooth=smooth)(F.normalize(*codes(64), dim=1))


@pytest.mark.parametrize("drawn", [drawn_by_cgan, drawn_by_voice2face_gan])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_smooth_generators_start_without_a_grid_of_two_or_four_pixels(drawn, seed):
    for smooth in (False, True):
        torch.manual_seed(seed)
        with torch.inference_mode():
            of_each = [np.mean(pattern) for pattern in decibels(drawn(smooth))]
        assert max(of_each) < 1 if smooth else min(of_each) > 6, of_each


def test_what_is_enlarged_has_little_of_it():
    smooth = F.interpolate(white_noise(16), (64, 64), mode="bicubic")
    nearest = F.interpolate(white_noise(32), (64, 64), mode="nearest")
    assert (decibels(smooth)[0] < 0).all()
    assert (decibels(nearest)[0] < -20).all()  # pairs of equal pixels hold no pattern of two


def test_a_flat_picture_has_a_value_and_a_missing_one_none():
    assert np.isfinite(decibels(torch.full((2, 3, 64, 64), 0.5))).all()
    for missing, tenfold in values_of(np.array([[np.nan] * 4, [10.0, 1.0, 10.0, 1.0]], np.float32)):
        assert np.isnan(missing)
        assert tenfold == pytest.approx(10)
