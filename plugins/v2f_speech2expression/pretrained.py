"""A StyleGAN2 generator that somebody else has trained: its file, and its faces as the search takes them."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.utils.checkpoint import checkpoint

from v2f_bench import OptionFile, UsageError
from v2f_speech2expression.still import EncodedGenerator, Still
from v2f_speech2expression.stylegan2 import Architecture, StyleGan2

LAYOUT = "the g_ema of rosinality/stylegan2-pytorch"
NAMED = 3  # tensors in a message
PIXELS_AT_ONCE = 2 * 1024 * 1024  # whose layers are in memory for a gradient: 6 GB


def read_stylegan2(file: OptionFile) -> StyleGan2:
    """The generator in a file of safetensors, or in one that torch saved. Code in the file is not run.

    Raises:
        UsageError: the file is gone or has changed, is damaged or of another kind, or holds other tensors; names it.
    """
    path = file.path()
    tensors = _tensors_in(path)
    if unusual := [name for name, tensor in tensors.items() if not _plain(tensor)]:
        raise _other(path, f"has no plain tensor of real numbers in {_some(unusual)}")
    tensors = {name: tensor.float() for name, tensor in tensors.items()}
    try:
        network = StyleGan2(Architecture.of(tensors))
    except KeyError as error:
        raise _other(path, f"lacks {error.args[0]}") from None
    except (IndexError, ValueError, RuntimeError):
        raise _other(path, "has another shape in what tells its size") from None
    expected = network.state_dict()
    if not any(name.startswith("noises.") for name in tensors):
        # Early files hold no noise, and the search needs the same face for the same w: the new network's is zero.
        tensors |= {name: noise for name, noise in expected.items() if name.startswith("noises.")}
    if words := _misfit(tensors, expected):
        raise _other(path, words)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


class PretrainedGenerator(EncodedGenerator):
    """w [N, latent] -> face [N, 3, side, side] in [0, 1], whatever the size at which StyleGAN2 draws; a face's w by
    `guess`.

    One w for all layers: W, not W+. A large picture is drawn in parts of a batch, which gradients draw once more, so
    that memory does not grow with the batch.
    """

    def __init__(self, seen: int, side: int, stylegan2: StyleGan2) -> None:
        super().__init__(seen, stylegan2.latent)
        self.side, self.stylegan2 = side, stylegan2
        self.at_once = max(1, PIXELS_AT_ONCE // stylegan2.side**2)

    def map(self, noise: torch.Tensor) -> torch.Tensor:
        return self.stylegan2.map(noise)

    def forward(self, latents: torch.Tensor, still: Still | None = None) -> torch.Tensor:
        parts = latents.split(self.at_once)
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([self._drawn(part) for part in parts])
        return torch.cat([checkpoint(self._drawn, part, use_reentrant=False) for part in parts])

    def _drawn(self, latents: torch.Tensor) -> torch.Tensor:
        picture = self.stylegan2(latents)
        if picture.shape[-1] != self.side:
            picture = F.interpolate(picture, (self.side, self.side), mode="bilinear", antialias=True)
        return (picture / 2 + 0.5).clamp(0, 1)


def _tensors_in(path: Path) -> dict[str, torch.Tensor]:
    with path.open("rb") as stream:
        head = stream.read(9)
    if head[8:] == b"{":  # after the length of safetensors' header, which may be any eight bytes
        try:
            return load_file(path)
        except SafetensorError as error:
            raise UsageError(f"{path}: damaged ({error})") from None
    if head.startswith((b"PK", b"\x80")):  # as torch saves, or saved once
        return _saved_by_torch(path)
    raise UsageError(f"{path}: neither safetensors nor a file that torch saved; was something else downloaded?")


def _saved_by_torch(path: Path) -> dict[str, torch.Tensor]:
    try:
        # A namespace holds a training's settings, beside its networks. Torch warns of pickles that it then refuses.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises many kinds; its words advise to run the file's code
        raise UsageError(
            f"{path}: damaged, or it holds code, which is not run; NVIDIA's .pkl does: convert it to {LAYOUT} by the "
            "convert_weight.py of that project"
        ) from None
    tensors = content.get("g_ema", content) if isinstance(content, dict) else {}
    named = all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in tensors.items())
    if not (tensors and named):
        raise UsageError(f"{path}: holds no tensors by name under g_ema")
    return dict(tensors)


def _plain(tensor: torch.Tensor) -> bool:
    """Whether the tensor's numbers are in the file, each in its place, and real: no sparse, complex or meta tensor."""
    return tensor.layout == torch.strided and not tensor.is_meta and tensor.is_floating_point()


def _other(path: Path, words: str) -> UsageError:
    return UsageError(f"{path}: not StyleGAN2's generator as in {LAYOUT}: {words}")


def _misfit(tensors: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> str:
    """What keeps tensors from being the expected ones; "" where nothing does."""
    shared = [name for name in expected if name in tensors]
    problems = {
        "lacks": [name for name in expected if name not in tensors],
        "has besides": [name for name in tensors if name not in expected],
        "has another shape in": [name for name in shared if tensors[name].shape != expected[name].shape],
        "has numbers that are not finite in": [name for name in shared if not tensors[name].isfinite().all()],
    }
    for words, names in problems.items():
        if names:
            return f"{words} {_some(names)}"
    return ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
