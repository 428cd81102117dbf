"""The gating controller (section 2.2 of the source): a voice code gates every filter parameter of a decoder layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

KERNEL, STRIDE, PADDING, OUTPUT_PADDING = 3, 2, 1, 1  # doubles height and width
# Above this many input channels times output channels, matrix products beat a grouped convolution (by measurement:
# `benchmarks/gated_convolution.py`).
MATRIX_PRODUCT_FROM = 128 * 128


class GatedConvTranspose2d(nn.Module):
    """Transposed 3×3 convolution of stride 2 whose filter is multiplied, for each sample, by sigmoid(linear(code)).

    The whole batch runs at once: as one grouped convolution, or for many channels as batched matrix products.
    """

    def __init__(self, channels_in: int, channels_out: int, code: int) -> None:
        super().__init__()
        convolution = nn.ConvTranspose2d(channels_in, channels_out, KERNEL, STRIDE, PADDING, OUTPUT_PADDING)
        self.weight = convolution.weight
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.controller = nn.Linear(code, self.weight.numel())

    def filters(self, code: torch.Tensor) -> torch.Tensor:
        """The filters of each sample: [N, code] -> [N, in, out, 3, 3]."""
        # In rows, even where the network is in channels-last order: the ways below would have to copy every filter.
        weight = self.weight.contiguous()
        return weight * torch.sigmoid(self.controller(code)).view(-1, *self.weight.shape)

    def forward(self, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """[N, in, H, W] and [N, code] -> [N, out, 2H, 2W]."""
        wide = self.weight.shape[0] * self.weight.shape[1] >= MATRIX_PRODUCT_FROM
        convolve = by_matrix_product if wide else by_grouped_convolution
        return convolve(x, self.filters(code)) + self.bias[:, None, None]


def by_grouped_convolution(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Each sample is a group: [N, in, H, W] and [N, in, out, 3, 3] -> [N, out, 2H, 2W]."""
    n, channels_in, height, width = x.shape
    y = F.conv_transpose2d(
        x.reshape(1, n * channels_in, height, width),
        filters.reshape(n * channels_in, -1, KERNEL, KERNEL),
        stride=STRIDE,
        padding=PADDING,
        output_padding=OUTPUT_PADDING,
        groups=n,
    )
    return y.view(n, -1, STRIDE * height, STRIDE * width)


def by_matrix_product(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """The columns of every output patch by one batched product, then added up where they overlap; shapes as above."""
    n, channels_in, height, width = x.shape
    columns = torch.bmm(filters.reshape(n, channels_in, -1).transpose(1, 2), x.reshape(n, channels_in, -1))
    return F.fold(columns, (STRIDE * height, STRIDE * width), KERNEL, padding=PADDING, stride=STRIDE)
