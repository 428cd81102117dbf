"""Named tensors in safetensors files."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from v2f_bench.interfaces import BenchError, PluginError


def write_state(path: Path, tensors: dict[str, torch.Tensor], owner: str) -> None:
    """Write what a plugin's `state()` gave as safetensors. PluginError where it is no state, or is not finite."""
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise PluginError(f"{owner}: state() must give tensors by name")
    bad = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        raise PluginError(f"{owner}: training gave numbers that are not finite in {', '.join(bad[:4])}")
    write_tensors(path, tensors)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write named tensors as safetensors. OSError where they cannot be written."""
    try:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from None


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors from a safetensors file. BenchError where it is damaged; says what to do."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BenchError(f"{path}: damaged ({error}); delete the folder {path.parent} to have it made again") from None
