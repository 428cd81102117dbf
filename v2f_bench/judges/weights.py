"""Files of pretrained weights: where they lie, whether they are the right ones, and how they get there."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces import BenchError, NotAvailable, Progress, WeightsFile


def find_weights(weights: WeightsFile, folder: Path) -> Path:
    """The file, checked against its hash.

    Raises:
        NotAvailable: it is not there; says where to put it.
        BenchError: the file there is another one; it is not opened.
    """
    path = folder / weights.file
    if not path.is_file():
        # No whole path: the reason becomes part of the record, which is the same on every machine.
        raise NotAvailable(
            f"needs weights/{weights.file} in the cache folder ({weights.megabytes:.0f} MB, {weights.licence}); "
            f"put it there by hand, or let `--fetch-weights` get it from {weights.url}"
        )
    found = file_sha256(path)
    if not found.startswith(weights.sha256):
        raise BenchError(f"{path}: sha256 is {found}, not {weights.sha256}…; not opened. Remove or replace it.")
    return path


def fetch_weights(weights: WeightsFile, folder: Path, progress: Progress) -> Path:
    """The file, downloaded unless it is there already; it takes its name only after its hash has been checked."""
    path = folder / weights.file
    if path.is_file():
        return find_weights(weights, folder)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    progress.line(f"fetching {weights.url} ({weights.megabytes:.0f} MB) to {path}")
    try:
        with urllib.request.urlopen(weights.url, timeout=30) as answer, unfinished.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or weights.megabytes * 1e6)
            with progress.bar(f"fetch {weights.file}", total) as bar:
                while piece := answer.read(1 << 20):
                    file.write(piece)
                    bar.advance(len(piece))
    except (urllib.error.URLError, OSError) as error:
        raise NotAvailable(f"{weights.url} could not be fetched ({error}); put the file at {path} by hand") from None
    found = file_sha256(unfinished)
    if not found.startswith(weights.sha256):
        unfinished.unlink()
        raise BenchError(f"{weights.url}: sha256 is {found}, not {weights.sha256}…; the download was thrown away")
    unfinished.rename(path)
    return path
