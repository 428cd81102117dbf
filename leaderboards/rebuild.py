"""Make the pages of this folder from its records: a Markdown table for each data set, and one HTML page of all.

    python leaderboards/rebuild.py            the pages, from the records that lie here
    python leaderboards/rebuild.py --check    exits 1 where a page is not what the records say
    python leaderboards/rebuild.py --run      first the records: every bundled method on synthetic-speakers, both
                                              tracks, three seeds, quick presets: hours on a laptop
    python leaderboards/rebuild.py --run --track emotion --method cyclegan,mean-face

After a break the same command goes on: what is finished in `--runs` is not done again. The records of a method take the
place of its older ones when all of its seeds are done; where a seed fails, the older ones stay. Records of the same
track and another protocol go. Code that changes while this runs would get into some of the records: let it run in a
checkout of its own, and once more at the end, when all of it is there already.

Plots and versions do not count in the check: other fonts and libraries draw other curves of the same numbers.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from v2f_bench.cli.display import progress_display
from v2f_bench.contracts import TRACKS
from v2f_bench.harness.command import BenchRequest, RunRequest, place
from v2f_bench.harness.execute import execute
from v2f_bench.harness.run import Outcome
from v2f_bench.interfaces import BenchError, UsageError
from v2f_bench.leaderboard import Choice, leaderboard
from v2f_bench.plugins import OWN, registry
from v2f_bench.record import Record, find_records, read_records
from v2f_bench.render import Format, render
from v2f_bench.validation import submit

HERE = Path(__file__).parent
RECORDS = HERE / "records"
DATASET, SEEDS = "synthetic-speakers", [0, 1, 2]
THREADS = 1  # of torch: the last digits of a training hang on how many there are
OF_METHOD = {"cgan": "cgan.conditions=none,both"}  # the paper's own comparison


def pages(records: dict[Path, Record]) -> dict[Path, str]:
    """The text of each page, by its file."""
    found = {HERE / "index.html": render(leaderboard(records, Choice(every_column=True)), Format.HTML)}
    for name in sorted({record.dataset.name for record in records.values()}):
        own = {folder: record for folder, record in records.items() if record.dataset.name == name}
        found[HERE / f"{name}.md"] = render(leaderboard(own), Format.MARKDOWN)
    return found


def read_all(root: Path = RECORDS) -> dict[Path, Record]:
    return read_records(find_records(root), print)


def comparable(text: str) -> str:
    """A page without its plots and the version that made it."""
    text = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]*", "", text)
    return re.sub(r"v2f-bench \d[\w.+]*", "v2f-bench", text)


def different(wanted: dict[Path, str]) -> list[Path]:
    """The pages that are not what the records say."""
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or comparable(path.read_text(encoding="utf-8")) != comparable(text)
    ]


def bundled(track: str, methods: Sequence[str] = ()) -> list[str]:
    """Our own methods of a track, the baselines first, since they take seconds; `methods`: of these alone.

    UsageError for one that there is not.
    """
    wanted = [registry().find("method", name).name for name in methods]
    own = [plugin for plugin in registry().all("method") if plugin.distribution == OWN and track in plugin.cls.tracks]
    own.sort(key=lambda plugin: not plugin.cls.baseline)
    return [plugin.name for plugin in own if not wanted or plugin.name in wanted]


def run_all(output: Path, tracks: Sequence[str], methods: Sequence[str]) -> list[str]:
    """Run the methods, one after the other, and take their records; what failed, and why."""
    work = [(track, name) for track in tracks for name in bundled(track, methods)]
    if idle := sorted(set(methods) - {name for _, name in work}):
        raise UsageError(f"{', '.join(idle)}: not on the track {' and '.join(tracks)}")
    start, failed = time.monotonic(), []
    for number, (track, name) in enumerate(work, start=1):
        so_far = timedelta(seconds=round(time.monotonic() - start))
        print(f"[{number}/{len(work)}] {track}: {name}, after {so_far}", flush=True)
        outcomes = run_seeds(name, track, output)
        if problems := [f"{name}: {one.problem}" for one in outcomes if one.problem]:
            unsuited = all(one.unsuited for one in outcomes)
            print(f"    {'does not apply' if unsuited else 'failed, older records stay'}: {problems[0]}", flush=True)
            failed += [] if unsuited else [f"{track}: {problem}" for problem in problems]
        else:
            take(outcomes)
    return failed


def run_seeds(name: str, track: str, output: Path) -> list[Outcome]:
    request = RunRequest(
        BenchRequest(DATASET, track=track),
        place(output, threads=THREADS),
        methods=[name],
        voices=("whole",),
        seeds=SEEDS,
        preset="quick",
        settings=[OF_METHOD[name]] if name in OF_METHOD else [],
        baselines=False,
    )
    return execute(request.specs(), progress_display())


def take(outcomes: Sequence[Outcome], root: Path = RECORDS) -> None:
    """The records of all runs of one method on one track, in place of its older ones."""
    new = {one.folder: one.record for one in outcomes if one.record}
    first = next(iter(new.values()))
    with tempfile.TemporaryDirectory(dir=root.parent) as made:  # all of them, before any of the older ones goes
        for folder in new:
            submit(folder, Path(made), with_faces=False)
        _replace(root, Path(made), first)


def _replace(root: Path, made: Path, first: Record) -> None:
    """Put the records below `made` among those below `root`, in place of the older ones of the method of `first`."""
    for folder, old in read_all(root / DATASET).items():
        of_method = (old.method.name, old.method.distribution) == (first.method.name, first.method.distribution)
        if old.protocol.track == first.protocol.track and (of_method or old.protocol.hash != first.protocol.hash):
            shutil.rmtree(folder)
    for folder in find_records(made):
        shutil.copytree(folder, root / folder.relative_to(made), dirs_exist_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say which page is not what the records say")
    parser.add_argument("--run", action="store_true", help="first make the records anew")
    parser.add_argument("--track", choices=TRACKS, help="with --run: only this one")
    parser.add_argument("--method", default="", help="with --run: only these, by comma; the records of others stay")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="with --run: where its runs are kept")
    given = parser.parse_args()
    if (given.track or given.method) and not given.run:
        parser.error("--track and --method say what is run: add --run")
    failed = []
    if given.run:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # put away what is under way, as after Ctrl-C
        try:
            methods = [name.strip() for name in given.method.split(",") if name.strip()]
            failed = run_all(given.runs, [given.track] if given.track else TRACKS, methods)
        except KeyboardInterrupt:
            print("interrupted; the same command goes on", file=sys.stderr)
            return 130
        except BenchError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    wanted = pages(read_all())
    if given.check:
        wrong = different(wanted)
        for path in wrong:
            print(f"{path} is not what the records say; python leaderboards/rebuild.py makes it anew")
        return 1 if wrong else 0
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")
    for problem in failed:
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
