"""`submission.json`: what a run that is handed in consists of, by hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from v2f_bench.files import write_whole
from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces import DataError

MANIFEST = "submission.json"
SCHEMA = 1


@dataclass(frozen=True)
class Manifest:
    """`files` and `faces` are sha256 by the name of a file and of a trial; faces need not lie beside it."""

    schema: int
    version: str  # of v2f-bench that wrote it
    run: str  # id
    files: dict[str, str]
    faces: dict[str, str]
    failures: dict[str, str] = field(default_factory=dict)  # why trials have no face, by trial


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_whole(folder / MANIFEST, lambda path: path.write_bytes(text + b"\n"))


def read_manifest(folder: Path) -> Manifest | None:
    """None where there is none: a run that nobody made ready. DataError where it is damaged."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged ({error})") from None
    if manifest.schema != SCHEMA:
        raise DataError(f"{path}: schema {manifest.schema}; this version reads {SCHEMA}")
    return manifest


def hashes_of(paths: dict[str, Path]) -> dict[str, str]:
    return {name: file_sha256(path) for name, path in sorted(paths.items())}
