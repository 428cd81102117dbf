"""The files of a record: `record.json`, `trials.parquet` with a row a trial, `influence.parquet` with a row a speaker.

`read_record` reads a record of this or an older schema. `read_records` reads many; it leaves out those that cannot be
read, and says why.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from v2f_bench.files import write_whole
from v2f_bench.interfaces import BenchError
from v2f_bench.record.schema import SCHEMA, Record, Result
from v2f_bench.record.upgrade import UPGRADES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

RECORD = "record.json"
# One row a trial: `trial`, `speaker`, labels, `applicable`, `failure` ("" for none) and the values of each measure.
TRIALS = "trials.parquet"
# One row a speaker of the trials: `speaker`, and the speaker's influence on every number that is a statistic of all
# trials (see `stats/influence.py`); 0 where the number does not depend on the speaker.
INFLUENCE = "influence.parquet"
FIRST_COLUMN = {TRIALS: "trial", INFLUENCE: "speaker"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors write it at the start of a file


class _Header(msgspec.Struct):
    schema: int


def _lacking(cls: Any, *lacking: str, **other: Any) -> type:
    """The dataclass without some of its fields, which are then skipped when JSON is decoded."""
    types = get_type_hints(cls) | other
    kept = [
        (each.name, types[each.name], dataclasses.field(default=each.default, default_factory=each.default_factory))
        for each in dataclasses.fields(cls)
        if each.name not in lacking
    ]
    return dataclasses.make_dataclass(f"Lean{cls.__name__}", kept)


@cache
def _lean() -> type:
    return _lacking(Record, results=list[_lacking(Result, "slices", "details")])  # type: ignore[misc]


def column_name(measure: str, judge: str) -> str:
    """The column of `trials.parquet` and `influence.parquet` for a measure by a judge."""
    return f"{measure} @ {judge}"


def write_record(folder: Path, record: Record) -> None:
    """Write `folder`/record.json, completely or not at all."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    write_whole(folder / RECORD, lambda path: path.write_bytes(text + b"\n"))


def read_record(folder: Path, with_slices: bool = True) -> Record:
    """The record of the run in `folder`. BenchError where there is none, or it is damaged or of a later schema.

    `with_slices`: False is much faster, and leaves `slices` and `details` of all results empty.
    """
    path = folder / RECORD
    try:
        text = path.read_bytes().removeprefix(_BYTE_ORDER_MARK)
        return _decoded(text, with_slices) or _upgraded(text, path)
    except FileNotFoundError:
        raise BenchError(f"{folder}: no finished run here (no {RECORD})") from None
    except OSError as error:
        raise BenchError(f"{path}: not readable ({error})") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{path}: damaged, or no record ({error})") from None


def _decoded(text: bytes, with_slices: bool) -> Record | None:
    """The record in a JSON text; None where it has another schema."""
    try:
        if with_slices:
            record = msgspec.json.decode(text, type=Record)
        else:
            lean: Any = msgspec.json.decode(text, type=_lean())
            results = [Result(**vars(result), slices=[], details=None) for result in lean.results]
            record = Record(**{**vars(lean), "results": results})
    except msgspec.ValidationError:
        if msgspec.json.decode(text, type=_Header).schema == SCHEMA:
            raise
        return None
    return record if record.schema == SCHEMA else None


def _upgraded(text: bytes, path: Path) -> Record:
    schema = msgspec.json.decode(text, type=_Header).schema
    if schema not in UPGRADES:
        raise BenchError(f"{path}: schema {schema}; this version reads {', '.join(map(str, (*UPGRADES, SCHEMA)))}")
    return msgspec.convert(UPGRADES[schema](json.loads(text)), Record)


def read_records(
    folders: Iterable[Path], left_out: Callable[[str], object], with_slices: bool = True
) -> dict[Path, Record]:
    """The records of those folders whose record can be read; `left_out` is called with the reason for each other one.

    `with_slices` is as for `read_record`.
    """
    records = {}
    for folder in folders:
        try:
            records[folder] = read_record(folder, with_slices)
        except BenchError as error:
            left_out(f"left out: {error}")
    return records


def find_records(root: Path) -> list[Path]:
    """The folders of the finished runs below `root`, sorted."""
    return sorted(path.parent for path in root.rglob(RECORD))


def read_trials(folder: Path) -> pd.DataFrame:
    """`trials.parquet` of the run in `folder`, by trial. BenchError where it is missing or damaged."""
    return read_columns(folder / TRIALS).to_pandas().set_index("trial")


def read_columns(table: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Those of `columns` that a table has; None: all. BenchError where the file is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = FIRST_COLUMN[table.name]
    try:
        with pq.ParquetFile(table) as file:
            content = file.read(None if columns is None else [first, *columns], use_threads=False)
    except (OSError, pa.ArrowException) as error:
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        raise BenchError(f"{table}: not readable ({problem})") from None
    if first not in content.column_names:
        raise BenchError(f"{table}: not readable (no column {first!r})")
    return content
