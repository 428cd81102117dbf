"""The generators: CycleGAN's with a condition (section 3.2 of the paper), or one that changes the given face."""

from __future__ import annotations

from v2f_cyclegan.options import CycleGanOptions
from v2f_cyclegan.residual import ResidualGenerator
from v2f_cyclegan.warping import WarpingGenerator

Generator = ResidualGenerator | WarpingGenerator


def generator_of(conditions: int, opt: CycleGanOptions) -> Generator:
    """The generator that the options name, for so many numbers in a condition; 0 for the way back, which has none."""
    if opt.head == "warp":
        return WarpingGenerator(conditions, opt.width)
    return ResidualGenerator(conditions, opt.width, opt.blocks)
