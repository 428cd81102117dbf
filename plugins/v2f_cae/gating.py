"""The gating controller (section 2.2 of the source): a voice code gates every filter parameter of a decoder layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

STRIDE = 2
PADDINGS = {2: (0, 0), 3: (1, 1)}  # kernel: padding and output padding that double height and width
# Above this many input channels times output channels, matrix products beat a grouped convolution (by measurement:
# `benchmarks/gated_convolution.py`).
MATRIX_PRODUCT_FROM = 128 * 128


class GatedConvTranspose2d(nn.Module):
    """Transposed convolution of stride 2 whose filter is multiplied, for each sample, by sigmoid(linear(code)).

    The whole batch runs at once: as one grouped convolution, or for many channels as batched matrix products.
    """

    def __init__(self, channels_in: int, channels_out: int, code: int, kernel: int = 3) -> None:
        super().__init__()
        convolution = nn.ConvTranspose2d(channels_in, channels_out, kernel, STRIDE, *PADDINGS[kernel])
        self.weight = convolution.weight
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.controller = nn.Linear(code, self.weight.numel())

    def filters(self, code: torch.Tensor) -> torch.Tensor:
        """The filters of each sample: [N, code] -> [N, in, out, k, k]."""
        # Contiguous even if the network is in channels-last order; otherwise the functions below copy each filter.
        weight = self.weight.contiguous()
        return weight * torch.sigmoid(self.controller(code)).view(-1, *self.weight.shape)

    def forward(self, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """[N, in, H, W] and [N, code] -> [N, out, 2H, 2W]."""
        wide = self.weight.shape[0] * self.weight.shape[1] >= MATRIX_PRODUCT_FROM
        convolve = by_matrix_product if wide else by_grouped_convolution
        return convolve(x, self.filters(code)) + self.bias[:, None, None]


def by_grouped_convolution(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Each sample is a group: [N, in, H, W] and [N, in, out, k, k] -> [N, out, 2H, 2W]."""
    n, channels_in, height, width = x.shape
    kernel = filters.shape[-1]
    padding, output_padding = PADDINGS[kernel]
    y = F.conv_transpose2d(
        x.reshape(1, n * channels_in, height, width),
        filters.reshape(n * channels_in, -1, kernel, kernel),
        stride=STRIDE,
        padding=padding,
        output_padding=output_padding,
        groups=n,
    )
    return y.view(n, -1, STRIDE * height, STRIDE * width)


def by_matrix_product(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """One batched product gives the columns of all output patches; overlapping patches are added. Shapes as above."""
    n, channels_in, height, width = x.shape
    kernel = filters.shape[-1]
    columns = torch.bmm(filters.reshape(n, channels_in, -1).transpose(1, 2), x.reshape(n, channels_in, -1))
    return F.fold(columns, (STRIDE * height, STRIDE * width), kernel, padding=PADDINGS[kernel][0], stride=STRIDE)
