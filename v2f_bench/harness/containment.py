"""Contain the mistakes of plugins: their exceptions, and what they change for the whole process."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from v2f_bench.interfaces import BenchError

# A disk that is full, over its quota, read-only or broken makes all later work fail too, so it ends the whole command.
_DISK = {errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT}
# What a mistake in a plugin may raise. KeyboardInterrupt is not among them: it comes from the user.
PLUGIN_EXCEPTIONS = (Exception, SystemExit)


def reraise_disk_error(error: BaseException) -> None:
    """Raise the error again if it comes from the disk, and so is not the plugin's mistake."""
    if isinstance(error, OSError) and error.errno in _DISK:
        raise error


def in_words(error: BaseException) -> str:
    """As in `KeyError: 'no such key'`, in one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def failure_reason(error: BaseException) -> str:
    """Why a plugin gave no result, in one line; "crashed: ..." for an error whose message is not written for users.

    An error of the disk is raised again.
    """
    reraise_disk_error(error)
    return str(error) if isinstance(error, BenchError) else f"crashed: {in_words(error)}"


@contextmanager
def process_state_kept() -> Iterator[None]:
    """After a block in which a plugin works, undo what it changed for the whole process: torch's defaults, numpy's
    handling of floating-point errors, and the working directory."""
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
