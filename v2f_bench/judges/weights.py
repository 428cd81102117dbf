"""Files of pretrained weights: find them, check their hashes, download them, and read them."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.files import write_text_whole
from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces import BenchError, NotAvailable, Progress, WeightsFile
from v2f_bench.media.file import HEAD, POINTER, is_web_page

if TYPE_CHECKING:
    import torch

SHA256_DIGITS = 64  # hexadecimal; some publishers state the first few alone
WEIGHTS_VARIABLE = "V2F_BENCH_WEIGHTS"  # names another folder of weights, for example one that a lab shares


def places(weights: WeightsFile, folder: Path) -> list[Path]:
    """The paths at which the file may be, in this order; the first that exists is used.

    1. `weights.file` itself, if it is an absolute path (for a judge card, if the file is beside the card);
    2. in the weights folder, `folder`: <cache>/weights;
    3. in the folder that the environment variable V2F_BENCH_WEIGHTS names.
    """
    file = Path(weights.file)
    folders = [folder, *(Path(named).expanduser() for named in [os.environ.get(WEIGHTS_VARIABLE, "")] if named)]
    if file.is_absolute():
        return [file, *(place / file.name for place in folders)]
    return [place / file for place in folders]


def find_weights(weights: WeightsFile, folder: Path, remember: bool = True) -> Path:
    """The path of the file, at the first of its `places` that exists, after a check of its hash.

    Args:
        remember: whether to write down the hash at the first use of a file whose publisher states none.

    Raises:
        NotAvailable: the file is missing, or holds no weights; says where to put it.
        BenchError: its hash is not the publisher's, or not that of the first use. Such a file is not opened.
    """
    path = next((place for place in places(weights, folder) if place.is_file()), None)
    if path is None:
        # The reason becomes part of the record, which is the same on every machine: so it has no absolute path.
        fetch = f", or let it be downloaded from {weights.url} (`v2f-bench weights get`)" if weights.url else ""
        name = Path(weights.file).name
        raise NotAvailable(f"needs weights/{name} in the cache folder ({_terms(weights)}); put it there by hand{fetch}")
    if words := file_problem(path):
        # No absolute path here either.
        raise NotAvailable(f"{path.name}: no weights: {words}; replace it (`weights where JUDGE` prints its place)")
    sha256 = file_sha256(path)
    if not sha256.startswith(weights.sha256.lower()):
        raise BenchError(f"{path}: sha256 is {sha256}, not {weights.sha256}…; not opened. Remove or replace it.")
    if len(weights.sha256) < SHA256_DIGITS:
        _check_as_before(sha256, path, folder, remember)
    return path


def _check_as_before(sha256: str, path: Path, folder: Path, remember: bool = True) -> None:
    """For a file whose publisher states no complete hash: BenchError where its hash is not that of the first use."""
    first = folder / f"{path.name}.sha256"
    if first.is_file():
        if (before := first.read_text().strip()) != sha256:
            raise BenchError(
                f"{path}: sha256 is {sha256}, but was {before} when it was first used; not opened. Put the former file "
                f"back, or remove {first} if you trust the new one."
            )
    elif remember:
        folder.mkdir(parents=True, exist_ok=True)
        write_text_whole(first, sha256 + "\n")


def file_problem(path: Path) -> str:
    """Why a file cannot hold weights, by its first bytes (servers often send a page instead); "" where it may."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:6].lower()
    if not start:
        return "it is empty"
    if is_web_page(head):
        return "looks like a web page"
    if head.startswith(POINTER):
        return "a Git-LFS pointer"
    if start.startswith((b"<?xml", b'{"', b"{\n", b"{ ")):
        return "looks like an answer in XML or JSON"
    return ""


def state_of(weights: WeightsFile, folder: Path) -> str:
    """ "present", "absent", "wrong hash", or "no weights: ..." and what the file is instead."""
    try:
        find_weights(weights, folder, remember=False)
    except NotAvailable:
        path = next((place for place in places(weights, folder) if place.is_file()), None)
        return f"no weights: {file_problem(path)}" if path else "absent"
    except BenchError:
        return "wrong hash"
    return "present"


def fetch_weights(weights: WeightsFile, folder: Path, progress: Progress) -> Path:
    """The path of the file, downloaded to `folder` unless it exists. It gets its name when it is complete and checked.

    Raises:
        NotAvailable: it cannot be downloaded, or what was downloaded holds no weights; says where to put the file.
        BenchError: what was downloaded has another hash; it is deleted.
    """
    if not weights.url or any(place.is_file() for place in places(weights, folder)):
        return find_weights(weights, folder)
    path = folder / Path(weights.file).name
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    progress.line(f"fetching {weights.url} ({_terms(weights)}) to {path}")
    try:
        _download(weights, unfinished, progress)
        if words := file_problem(unfinished):
            raise NotAvailable(f"{weights.url}: not a file of weights: {words}; put the file at {path} by hand")
        sha256 = file_sha256(unfinished)
        if not sha256.startswith(weights.sha256.lower()):
            raise BenchError(f"{weights.url}: sha256 is {sha256}, not {weights.sha256}…; the download was deleted")
        if len(weights.sha256) < SHA256_DIGITS:
            _check_as_before(sha256, path, folder)
        unfinished.rename(path)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise NotAvailable(f"{weights.url} could not be fetched ({error}); put the file at {path} by hand") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _download(weights: WeightsFile, target: Path, progress: Progress) -> None:
    name = Path(weights.file).name
    with urllib.request.urlopen(weights.url, timeout=30) as answer, target.open("wb") as file:
        promised = int(answer.headers.get("Content-Length") or 0)
        with progress.bar(f"fetch {name}", promised or int(weights.megabytes * 1e6)) as bar:
            while piece := answer.read(1 << 20):
                file.write(piece)
                bar.advance(len(piece))
        if promised and file.tell() != promised:
            raise OSError(f"the connection ended after {file.tell():,} of {promised:,} bytes")


def read_tensors(file: Path, owner: str) -> dict[str, torch.Tensor]:
    """The tensors of a file that torch saved, by name. Code in the file is not run.

    Raises:
        NotAvailable: the file is of another kind, is damaged, or holds more than tensors. Torch's own message is
            withheld, since it advises to run the file's code.
    """
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # torch raises many kinds for a damaged file
        raise NotAvailable(
            f"{file.name}: {owner} cannot read tensors from it (it is damaged, or torch did not save it)"
        ) from None
    if not (isinstance(tensors, dict) and all(isinstance(value, torch.Tensor) for value in tensors.values())):
        raise NotAvailable(f"{file.name}: not a dict of tensors by name, which {owner} needs")
    return tensors


def fill(network: Any, tensors: dict[str, torch.Tensor], file: Path, owner: str) -> None:
    """Load the tensors of `file` into a network. BenchError where names or shapes do not match."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise BenchError(f"{file}: not the weights of {owner} ({first[0].strip()[:200]})") from None


def _terms(weights: WeightsFile) -> str:
    return (f"{weights.megabytes:.0f} MB, " if weights.megabytes else "") + weights.licence
