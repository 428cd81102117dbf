"""`trials.json`: of which protocol a folder's trials, or the faces made for them, are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from v2f_bench.data.protocol import Protocol
from v2f_bench.files import write_whole
from v2f_bench.interfaces import DataError

ORIGIN = "trials.json"


@dataclass(frozen=True)
class Origin:
    protocol: str  # name
    hash: str
    questions: str  # hash of what is learned from and asked (see `Protocol.questions_hash`)
    dataset: dict[str, Any]  # name, version, options


def write_origin(folder: Path, protocol: Protocol) -> None:
    origin = Origin(protocol.name, protocol.hash, protocol.questions_hash, protocol.dataset)
    text = msgspec.json.format(msgspec.json.encode(origin), indent=1)
    write_whole(folder / ORIGIN, lambda path: path.write_bytes(text + b"\n"))


def read_origin(folder: Path) -> Origin | None:
    """What a folder says of its protocol; None where it says nothing. DataError where that is damaged."""
    path = folder / ORIGIN
    try:
        return msgspec.json.decode(path.read_bytes(), type=Origin)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged ({error})") from None
