"""The gated layers of cae: the batch at once against one sample at a time, as its source trains.

    python benchmarks/gated_convolution.py

For each decoder layer: seconds for a forward and a backward pass, by torch's own transposed convolution on one sample
after another (the peer), by grouped convolution, and by matrix products. The three are timed in turn, several times
over, so that a busy machine slows all of them; the median ratio to the peer is what counts.
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from tabulate import tabulate

from v2f_cae.gating import PADDINGS, STRIDE, by_grouped_convolution, by_matrix_product

KERNEL = 3

Way = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def one_by_one(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    ways = zip(x, filters, strict=True)
    return torch.cat([F.conv_transpose2d(one[None], own, None, STRIDE, *PADDINGS[KERNEL]) for one, own in ways])


def seconds(way: Way, x: torch.Tensor, filters: torch.Tensor) -> float:
    start = time.perf_counter()
    way(x, filters).sum().backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16, 64])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    rows = []
    for width in arguments.widths:
        channels = [8 * width, 8 * width, 4 * width, 2 * width, width]
        for side, (channels_in, channels_out) in zip((4, 8, 16, 32), pairwise(channels), strict=True):
            x = torch.randn(arguments.batch, channels_in, side, side, requires_grad=True)
            filters = torch.randn(arguments.batch, channels_in, channels_out, KERNEL, KERNEL, requires_grad=True)
            ways: tuple[Way, ...] = (one_by_one, by_grouped_convolution, by_matrix_product)
            for way in ways:
                seconds(way, x, filters)
            times = np.array([[seconds(way, x, filters) for way in ways] for _ in range(arguments.repeats)])
            peer, grouped, products = np.median(times, axis=0)
            ratios = np.median(times[:, :1] / times[:, 1:], axis=0)
            rows.append([width, f"{channels_in}→{channels_out}@{side}", peer, grouped, products, *ratios])
    headers = ["width", "layer", "one by one, s", "grouped, s", "products, s", "grouped ×", "products ×"]
    print(f"batch {arguments.batch}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".3g"))


if __name__ == "__main__":
    main()
