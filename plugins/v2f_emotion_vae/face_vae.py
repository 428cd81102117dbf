"""The face VAE (section 3.2 of the source): a grey face to features, with the emotion code to a latent, and back."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_emotion_vae.code import BITS

FEATURES = 256  # as many as the voice encoder gives (Table 1)


class FaceVae(nn.Module):
    """Grey face 1×64×64 -> 256 features -> with the emotion code: mean and variance -> latent -> face.

    The source shows no layers. Here, with width 32: convolutions 4×4 of stride 2 to 32@32, 64@16, 128@8, 256@4, each
    with batch norm and ReLU, then one of 4×4 to 256@1. These features are brought to mean 0 and deviation 1, so that
    the voice encoder's distance to them counts each alike. The decoder mirrors it, with transposed convolutions; it
    does not see the code, which acts through the latent alone.

    Args:
        emotions: how many the code tells apart; 0 for a VAE without a code.
        width: channels of the first layer.
        latent: dimensions.
        code_size: what a set bit is multiplied by.
    """

    def __init__(self, emotions: int, width: int = 32, latent: int = 64, code_size: float = 1.0) -> None:
        super().__init__()
        self.emotions, self.latent, self.code_size = emotions, latent, code_size
        channels = [width, 2 * width, 4 * width, 8 * width]
        down: list[nn.Module] = []
        for before, after in pairwise([1, *channels]):
            down += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False), *_norm_and_relu(after)]
        down += [nn.Conv2d(channels[-1], FEATURES, 4), nn.Flatten(), nn.BatchNorm1d(FEATURES, affine=False)]
        self.encoder = nn.Sequential(*down)
        self.to_mean = nn.Linear(FEATURES + BITS * emotions, latent)
        self.to_log_variance = nn.Linear(FEATURES + BITS * emotions, latent)
        up: list[nn.Module] = [nn.ConvTranspose2d(latent, channels[-1], 4, bias=False), *_norm_and_relu(channels[-1])]
        for before, after in pairwise(channels[::-1]):
            up += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False), *_norm_and_relu(after)]
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1), nn.Sigmoid())

    def features(self, faces: torch.Tensor) -> torch.Tensor:
        """Grey faces float [N, 1, 64, 64] in [0, 1] -> [N, 256]."""
        return self.encoder((faces * 2 - 1).contiguous(memory_format=torch.channels_last))

    def posterior(self, features: torch.Tensor, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[N, 256] and emotion codes [N, 2 * emotions] -> mean and deviation of the latent, [N, latent] both."""
        joined = torch.cat([features, self.code_size * codes], dim=1)
        return self.to_mean(joined), (self.to_log_variance(joined) / 2).exp()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """[N, latent] -> grey faces [N, 1, 64, 64] in [0, 1]."""
        return self.decoder(latents[:, :, None, None].contiguous(memory_format=torch.channels_last))

    def reconstruct(self, faces: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Each face as its posterior's mean shows it, with whatever code is given."""
        return self.decode(self.posterior(self.features(faces), codes)[0])


def grey(faces: torch.Tensor) -> torch.Tensor:
    """RGB faces [N, 3, H, W] to grey ones [N, 1, H, W], by the luma of ITU-R BT.601, as Pillow and OpenCV have it."""
    return (faces * torch.tensor([0.299, 0.587, 0.114], device=faces.device)[:, None, None]).sum(dim=1, keepdim=True)


def _norm_and_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
