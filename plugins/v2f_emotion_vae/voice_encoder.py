"""The voice encoder (Table 1 of the source): DeepTalk's, after Chowdhury, Ross & David, ICASSP 2021."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_emotion_vae.face_vae import FEATURES

BANDS = 40  # filters of the first stage
FRAME = 160  # samples
FRAMES = 200
# Kernel, dilation and output channels along the samples of a frame: 160 -> 152 -> 144 -> 126 -> 94 -> 44, (51) -> 1
FILTERS = ((5, 2, 2), (5, 2, 4), (7, 3, 8), (9, 4, 16), (11, 5, 32), (11, 5, BANDS))
PADDED = (3, 4)  # zeros before and after the 44 samples that the last filter meets; how 7 are shared out is silent
MAP = (32, 32, 64, 64, 128, 128)
GRU = 200
TOKENS, HEADS = 10, 8  # DeepTalk's, as Wang et al. 2018 (Style Tokens) have them


class FilterBank(nn.Sequential):
    """Raw frames to learned filter outputs: [N, 1, 160, T] -> [N, 40, 1, T]; each frame by itself."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        before = 1
        for kernel, dilation, after in FILTERS:
            if after == BANDS:
                layers.append(nn.ZeroPad2d((0, 0, *PADDED)))
            layers += [nn.Conv2d(before, after, (kernel, 1), dilation=(dilation, 1)), nn.SELU()]
            before = after
        super().__init__(*layers)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return super().forward(frames.contiguous(memory_format=torch.channels_last))  # twice as fast on a CPU


class VoiceEncoder(nn.Module):
    """A voice to the features that the face VAE's encoder would find in the speaker's face, and its emotion.

    Filter bank; the map of 200 frames × 40 filters through six convolutions 3×3 of stride 2 with batch norm: 32, 32,
    64, 64, 128, 128 channels at 100×20, 50×10, 25×5, 13×3, 7×2, 4×1; a GRU over the four rows that are left: 4×200;
    attention of eight heads: 256.

    Where the source is silent: batch norm is followed by ReLU, as in the style tokens' reference encoder, for without
    it the six convolutions would be one linear map; the attention asks by the GRU's last row, as the style tokens'
    does; its output is not normalised in length, since the VAE's features are not. The emotion is read off the GRU's
    last row by a linear layer, which is ours: the source takes the emotion from the label.

    Args:
        emotions: how many the head tells apart; 0 for an encoder without one.
        filters: "learned", the filter bank; or "mel", where a log-mel spectrogram comes in its place.
        attention: to "tokens", the ten learned ones of DeepTalk; or to the GRU's four "rows" (the source does not say).
    """

    def __init__(self, emotions: int, filters: str = "learned", attention: str = "tokens") -> None:
        super().__init__()
        self.bank = FilterBank() if filters == "learned" else nn.Identity()
        layers: list[nn.Module] = []
        for before, after in pairwise((1, *MAP)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.map = nn.Sequential(*layers)
        self.gru = nn.GRU(MAP[-1], GRU, batch_first=True)
        self.attention = Attention(attention)
        self.emotion = nn.Linear(GRU, emotions) if emotions else None

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Raw frames [N, 1, 160, 200] (or a spectrogram [N, 40, 1, 200]) -> [N, 1, 256], emotion logits [N, K]."""
        picture = self.bank(frames).transpose(1, 3)  # [N, 200, 1, 40]
        picture = picture.transpose(1, 2).contiguous(memory_format=torch.channels_last)  # [N, 1, 200, 40]
        rows = self.map(picture).flatten(2).transpose(1, 2)  # [N, 4, 128]
        rows = self.gru(rows)[0]  # [N, 4, 200]
        last = rows[:, -1:]
        logits = last[:, 0, :0] if self.emotion is None else self.emotion(last[:, 0])
        return self.attention(last, rows), logits


class Attention(nn.Module):
    """What a query [N, 1, 200] finds in a memory, in eight heads of 32: [N, 1, 256].

    Args:
        to: "tokens", ten that are learned and the same for every voice; or "rows", all rows of the GRU, [N, 4, 200].
    """

    def __init__(self, to: str) -> None:
        super().__init__()
        size = FEATURES // HEADS
        self.tokens = nn.Parameter(0.5 * torch.randn(TOKENS, size)) if to == "tokens" else None
        memory = size if to == "tokens" else GRU
        self.query = nn.Linear(GRU, FEATURES, bias=False)
        self.key = nn.Linear(memory, FEATURES, bias=False)
        self.value = nn.Linear(memory, FEATURES, bias=False)

    def forward(self, query: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        memory = rows if self.tokens is None else torch.tanh(self.tokens)

        def heads(x: torch.Tensor) -> torch.Tensor:  # [..., rows, 256] -> [..., heads, rows, 32]
            return x.unflatten(-1, (HEADS, -1)).transpose(-2, -3)

        asked, keys, values = heads(self.query(query)), heads(self.key(memory)), heads(self.value(memory))
        weights = (asked @ keys.mT / keys.shape[-1] ** 0.5).softmax(dim=-1)  # [N, heads, 1, rows or tokens]
        return (weights @ values).transpose(1, 2).flatten(2)
