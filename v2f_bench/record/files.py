"""The files of a record: `record.json`, `trials.parquet` with a row a trial, `influence.parquet` with a row a speaker.

A record is read by `read_record`, of this version or an older one. Verbs that read many use `read_records`, which
leaves out what cannot be read and says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from v2f_bench.files import write_whole
from v2f_bench.interfaces import BenchError
from v2f_bench.record.schema import SCHEMA, Record
from v2f_bench.record.upgrade import UPGRADES

if TYPE_CHECKING:
    import pandas as pd

RECORD = "record.json"
# One row a trial: `trial`, `speaker`, labels, `applicable`, `failure` ("" for none) and the values of each measure.
TRIALS = "trials.parquet"
# One row a speaker of the trials: `speaker`, and the influence of each on every number that is a statistic of the whole
# (see `stats/influence.py`; 0 for a speaker that the number does not rest on).
INFLUENCE = "influence.parquet"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors put it before a text that they save


class _Header(msgspec.Struct):
    schema: int


def column_name(measure: str, judge: str) -> str:
    """The column of `trials.parquet` and `influence.parquet` for a measure by a judge."""
    return f"{measure} @ {judge}"


def write_record(folder: Path, record: Record) -> None:
    """Write `folder`/record.json, whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    write_whole(folder / RECORD, lambda path: path.write_bytes(text + b"\n"))


def read_record(folder: Path) -> Record:
    """The record of the run in `folder`. BenchError where there is none, or it is damaged or of a later schema."""
    path = folder / RECORD
    try:
        text = path.read_bytes().removeprefix(_BYTE_ORDER_MARK)
        schema = msgspec.json.decode(text, type=_Header).schema
        if schema == SCHEMA:
            return msgspec.json.decode(text, type=Record)
        if schema not in UPGRADES:
            raise BenchError(f"{path}: schema {schema}; this version reads {', '.join(map(str, (*UPGRADES, SCHEMA)))}")
        return msgspec.convert(UPGRADES[schema](json.loads(text)), Record)
    except FileNotFoundError:
        raise BenchError(f"{folder}: no finished run here (no {RECORD})") from None
    except OSError as error:
        raise BenchError(f"{path}: not readable ({error})") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{path}: damaged, or no record ({error})") from None


def read_records(folders: Iterable[Path], left_out: Callable[[str], object]) -> dict[Path, Record]:
    """The records of some folders that can be read, in their order; `left_out` is called with why each other cannot."""
    records = {}
    for folder in folders:
        try:
            records[folder] = read_record(folder)
        except BenchError as error:
            left_out(f"left out: {error}")
    return records


def find_records(root: Path) -> list[Path]:
    """The folders of the finished runs below `root`, sorted."""
    return sorted(path.parent for path in root.rglob(RECORD))


def read_trials(folder: Path) -> pd.DataFrame:
    """`trials.parquet` of the run in `folder`, by trial. BenchError where it is missing or damaged."""
    return _read_table(folder / TRIALS, "trial")


def read_influence(folder: Path) -> pd.DataFrame:
    """`influence.parquet` of the run in `folder`, by speaker; empty for a record that has none (schema 1).

    BenchError where it is damaged.
    """
    import pandas as pd

    if not (folder / INFLUENCE).exists():
        return pd.DataFrame()
    return _read_table(folder / INFLUENCE, "speaker")


def readable_tables(records: dict[Path, Record], left_out: Callable[[str], object]) -> dict[Path, Record]:
    """The records whose tables can be read too: without them nothing can be compared. `left_out`: as above."""
    whole = {}
    for folder, record in records.items():
        try:
            read_trials(folder)
            read_influence(folder)
            whole[folder] = record
        except BenchError as error:
            left_out(f"left out: {error}")
    return whole


def _read_table(path: Path, index: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path).set_index(index)
    except FileNotFoundError:
        raise BenchError(f"{path}: not readable (no such file)") from None
    except (OSError, ValueError, KeyError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise BenchError(f"{path}: not readable ({first})") from None
