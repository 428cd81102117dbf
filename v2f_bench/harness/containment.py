"""Errors of plugins: which of them end the whole command, and what a plugin may not change in the process."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A disk that is full, over its quota, read-only or broken fails everything that comes after, whoever met it first.
_DISK = {errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT}
# What a plugin's mistake may raise; Ctrl-C and a kill are the user's.
PLUGIN_EXCEPTIONS = (Exception, SystemExit)


def reraise_disk_error(error: BaseException) -> None:
    """Raise an error again that is no plugin's mistake, but one of the disk."""
    if isinstance(error, OSError) and error.errno in _DISK:
        raise error


def in_words(error: BaseException) -> str:
    """As in `KeyError: 'no such key'`, in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Undo, after a block of a plugin's work, what it changed for the whole process: torch's defaults, numpy's handling
    of errors, and the working directory."""
    import numpy as np
    import torch

    dtype, device, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    gradients, deterministic = torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()
    errors, folder = np.geterr(), Path.cwd()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(gradients)
        torch.use_deterministic_algorithms(deterministic)
        np.seterr(**errors)
        os.chdir(folder)
