"""`v2f-bench list`: every plugin, and every broken one with its reason."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer


class Kind(StrEnum):
    METHODS = "methods"
    DATASETS = "datasets"
    METRICS = "metrics"
    JUDGES = "judges"


def list_plugins(
    kind: Annotated[Kind | None, typer.Argument(help="Only these.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List methods, data sets, metrics and judges; plugins that could not be loaded come last, with the reason.

    \b
    Examples:
      v2f-bench list
      v2f-bench list methods --json
    """
    from tabulate import tabulate

    from v2f_bench.plugins import KINDS, registry

    plugins = registry()
    wanted = [name for name in KINDS if kind is None or kind == f"{name}s"]
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in wanted:
        rows[f"{name}s"] = [
            {
                "name": plugin.name,
                "summary": plugin.summary,
                "from": f"{plugin.distribution} {plugin.version}",
                "problem": plugins.clash(name, plugin.name),
            }
            for plugin in sorted(plugins.plugins, key=lambda plugin: plugin.name)
            if plugin.kind == name
        ]
    broken = [{"plugin": b.entry_point, "from": b.distribution, "reason": b.reason} for b in plugins.broken]
    if as_json:
        typer.echo(json.dumps({**rows, "broken": broken}, indent=1))
        return
    for title, entries in rows.items():
        if not any(row["problem"] for row in entries):
            entries = [{key: row[key] for key in row if key != "problem"} for row in entries]
        typer.echo(f"{title}\n{tabulate(entries, headers='keys', tablefmt='simple')}\n")
    if broken:
        typer.echo(f"broken plugins\n{tabulate(broken, headers='keys', tablefmt='simple')}\n")
