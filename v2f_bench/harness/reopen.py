"""Open the bench of a finished run again, with its voices and photographs, under the protocol of the run."""

from __future__ import annotations

from pathlib import Path

from v2f_bench.data.protocol import Protocol
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.make_bench import open_dataset
from v2f_bench.harness.prepare import face_size, prepare
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.harness.run import SPEC
from v2f_bench.harness.spec import RunSpec
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, Progress
from v2f_bench.interfaces.options import options_from
from v2f_bench.plugins import registry
from v2f_bench.record import Record


def reopen(folder: Path, record: Record, data_root: Path | None, progress: Progress) -> Bench:
    """The bench of the run in `folder`. The data set is prepared, unless that is done already.

    Args:
        data_root: folder of the data set; None: the folder that the run used, if it still exists, or else the one that
            the data set's environment variable names.

    Raises:
        UsageError: the data set is not installed, or it needs a folder and none is named.
        DataError: the data are not those that the run was made on.
    """
    protocol = Protocol.read(folder / PROTOCOL)  # fails before the data set is prepared, which may take hours
    facts = record.dataset
    cls = registry().find("dataset", facts.name).cls
    dataset = open_dataset(cls, options_from(cls.options, facts.options), data_root or _former_data_root(folder))
    store = prepare(dataset, Workplace(progress=progress), face_size(protocol.resolution))
    if store.meta["content"] != facts.content:
        raise DataError(
            f"{facts.name} as prepared here ({store.meta['content'][:8]}) is not what the runs were made on "
            f"({facts.content[:8]}): other files, or another version of v2f-bench; run the methods again"
        )
    return Bench(dataset, store, protocol)


def _former_data_root(folder: Path) -> Path | None:
    """The data set's folder in the run's spec; None where there is no such spec or folder."""
    try:
        spec = RunSpec.from_json((folder / SPEC).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DataError):  # a scored folder has no spec; the path is only a hint
        return None
    root = Path(spec.bench.data_root) if spec.bench.data_root else None
    return root if root is not None and root.is_dir() else None
