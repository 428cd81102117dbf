"""Files of pretrained weights: where they lie, whether they are the right ones, how they get there and are opened."""

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
WEIGHTS_VARIABLE = "V2F_BENCH_WEIGHTS"  # a folder of weights that lie elsewhere, of a whole lab say


def places(weights: WeightsFile, folder: Path) -> list[Path]:
    """Where the file is looked for; the first place that has it counts.

    1. `weights.file` itself, where that is a whole path: so is a card's, if the file lies beside the card;
    2. the weights folder, `folder`: <cache>/weights;
    3. the folder that the environment variable V2F_BENCH_WEIGHTS names.
    """
    file = Path(weights.file)
    folders = [folder, *(Path(named).expanduser() for named in [os.environ.get(WEIGHTS_VARIABLE, "")] if named)]
    if file.is_absolute():
        return [file, *(place / file.name for place in folders)]
    return [place / file for place in folders]


def find_weights(weights: WeightsFile, folder: Path, remember: bool = True) -> Path:
    """The file, at the first of its `places` that has it, checked against its hash.

    `remember`: whether a hash that no publisher states is written down, if this is the first use of the file.

    Raises:
        NotAvailable: it is not there, or holds no weights; says where to put it.
        BenchError: the file there is another one than its publisher states, or than was first used here; it is not
            opened.
    """
    path = next((place for place in places(weights, folder) if place.is_file()), None)
    if path is None:
        # No whole path: the reason becomes part of the record, which is the same on every machine.
        fetch = f", or let `--fetch-weights` get it from {weights.url}" if weights.url else ""
        name = Path(weights.file).name
        raise NotAvailable(f"needs weights/{name} in the cache folder ({_terms(weights)}); put it there by hand{fetch}")
    if words := file_problem(path):
        # No whole path: see above.
        raise NotAvailable(f"{path.name}: no weights: {words}; replace it (`weights where JUDGE` prints its place)")
    sha256 = file_sha256(path)
    if not sha256.startswith(weights.sha256.lower()):
        raise BenchError(f"{path}: sha256 is {sha256}, not {weights.sha256}…; not opened. Remove or replace it.")
    if len(weights.sha256) < SHA256_DIGITS:
        _check_as_before(sha256, path, folder, remember)
    return path


def _check_as_before(sha256: str, path: Path, folder: Path, remember: bool = True) -> None:
    """Of a file whose publisher states no whole hash, the one seen first is written down beside the weights."""
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
    """What a file is that cannot hold weights, by its first bytes, as a server answers that has none; "" otherwise."""
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
    """The file, downloaded to `folder` unless it is there already; it takes its name only when it is whole and right.

    Raises:
        NotAvailable: it cannot be fetched, or what came holds no weights; says where to put it by hand.
        BenchError: what came has another hash; it is thrown away.
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
            raise NotAvailable(f"{weights.url}: no weights came: {words}; put the file at {path} by hand")
        sha256 = file_sha256(unfinished)
        if not sha256.startswith(weights.sha256.lower()):
            raise BenchError(f"{weights.url}: sha256 is {sha256}, not {weights.sha256}…; the download was thrown away")
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
    """The tensors of a file that torch saved, by name; no code in it is run.

    Raises:
        NotAvailable: it is no such file, is damaged, or holds more than tensors. What torch says of it is not passed
            on, since it advises to run the file's code.
    """
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # whatever it stumbles over
        raise NotAvailable(
            f"{file.name}: not readable as tensors (damaged, or not as torch saves them); {owner} needs them there"
        ) from None
    if not (isinstance(tensors, dict) and all(isinstance(value, torch.Tensor) for value in tensors.values())):
        raise NotAvailable(f"{file.name}: not a dict of tensors by name, which {owner} needs there")
    return tensors


def fill(network: Any, tensors: dict[str, torch.Tensor], file: Path, owner: str) -> None:
    """Put the tensors of `file` into a network; BenchError where they are not its own."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise BenchError(f"{file}: not the weights of {owner} ({first[0].strip()[:200]})") from None


def _terms(weights: WeightsFile) -> str:
    return (f"{weights.megabytes:.0f} MB, " if weights.megabytes else "") + weights.licence
