"""Make the pages of this folder from its records: a Markdown table for each data set, and one HTML page of all.

    python leaderboards/rebuild.py            the pages, from the records that lie here
    python leaderboards/rebuild.py --check    exits 1 where a page is not what the records say
    python leaderboards/rebuild.py --run      first the records: every bundled method on synthetic-speakers, both
                                              tracks, three seeds, quick presets: hours on a laptop; after a break
                                              the same command goes on

Plots and versions do not count in the check: other fonts and libraries draw other curves of the same numbers.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from v2f_bench.contracts import TRACKS
from v2f_bench.leaderboard import Choice, leaderboard
from v2f_bench.plugins import OWN, registry
from v2f_bench.record import Record, find_records, read_records
from v2f_bench.render import Format, render
from v2f_bench.validation import submit

HERE = Path(__file__).parent
RECORDS = HERE / "records"
DATASET, SEEDS = "synthetic-speakers", "0-2"
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


def run_all(output: Path) -> None:
    """Run every bundled method, and take the records of what came of it in place of those that lie here.

    Baselines run beside them.
    """
    for track in TRACKS:
        own = [plugin for plugin in registry().all("method") if plugin.distribution == OWN]
        methods = [plugin.name for plugin in own if track in plugin.cls.tracks and not plugin.cls.baseline]
        settings = [word for name in methods if name in OF_METHOD for word in ("--set", OF_METHOD[name])]
        command = [
            "run",
            "--method",
            ",".join(methods),
            "--dataset",
            DATASET,
            "--track",
            track,
            "--seed",
            SEEDS,
            *settings,
        ]
        subprocess.run([sys.executable, "-m", "v2f_bench", *command, "--output", output], check=True)
    shutil.rmtree(RECORDS / DATASET, ignore_errors=True)
    for run in find_records(output / DATASET):
        submit(run, RECORDS, with_faces=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where --run keeps its runs")
    given = parser.parse_args()
    if given.run:
        run_all(given.runs)
    wanted = pages(read_all())
    if given.check:
        wrong = different(wanted)
        for path in wrong:
            print(f"{path} is not what the records say; python leaderboards/rebuild.py makes it anew")
        return 1 if wrong else 0
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
