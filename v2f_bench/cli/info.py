"""`v2f-bench info`: one plugin in full."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import typer


def info(
    name: Annotated[str, typer.Argument(help="Name of a method, data set, metric or judge.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show what a method, data set, metric or judge is: source, needs, options and presets, licence, consent terms.

    \b
    Examples:
      v2f-bench info cae
      v2f-bench info ravdess
    """
    from v2f_bench.interfaces import UsageError
    from v2f_bench.interfaces.options import did_you_mean
    from v2f_bench.plugins import KINDS, registry

    plugins = registry()
    kinds = [kind for kind in KINDS if name in plugins.names(kind)]
    if not kinds:
        known = [known for kind in KINDS for known in plugins.names(kind)]
        raise UsageError(f"there is no plugin {name!r}{did_you_mean(name, known)} There is: {', '.join(known)}.")
    facts = [_facts(kind, plugins.find(kind, name)) for kind in kinds]
    if as_json:
        typer.echo(json.dumps(facts[0] if len(facts) == 1 else facts, indent=1, default=list))
        return
    typer.echo("\n\n".join(_as_text(entry) for entry in facts))


def _facts(kind: str, plugin: Any) -> dict[str, Any]:
    from v2f_bench.interfaces import NEEDS
    from v2f_bench.plugins import registry

    cls = plugin.cls
    facts: dict[str, Any] = {
        "name": plugin.name,
        "kind": kind,
        "from": f"{plugin.distribution} {plugin.version}",
        "summary": cls.summary,
        "description": inspect.getdoc(cls) or "",
    }
    if kind == "method":
        facts |= {
            "source": cls.source,
            "tracks": sorted(cls.tracks),
            "needs": {need: NEEDS[need] for need in sorted(cls.needs)},
            "variations": dict(cls.variations),
            "trained_with": {
                name: "a judge" if name in registry().names("judge") else "no judge of this name here"
                for name in cls.trained_with
            },
            "options": _options({name: cls.presets[name] for name in cls.presets} or {"default": cls.options()}),
        }
    if kind == "dataset":
        facts |= {
            "tracks": sorted(cls.tracks),
            "folder": f"--data-root or {cls.root_variable}" if cls.root_variable else "none needed",
            **vars(cls.card),
            "labels": cls.labels,
            "options": _options({"default": cls.options()}),
        }
    if kind == "metric":
        facts |= {"judged_by": list(cls.judged_by), "tracks": sorted(cls.tracks)}
        facts |= {"floor": cls.floor or "none", "ceiling": cls.ceiling}
    if kind == "judge":
        none = "trained by the harness on the training split" if cls.trained_here else "none"
        weights = vars(cls.weights) if cls.weights else none
        facts |= {"version": cls.version, "judges": cls.kind, "people": cls.people, "licence": cls.licence}
        facts |= {"weights": weights}
    return facts


def _options(presets: dict[str, Any]) -> list[dict[str, Any]]:
    """A row an option: its type in words, and its value in each preset."""
    from v2f_bench.interfaces import describe_options

    rows: dict[str, dict[str, Any]] = {}
    for preset, options in presets.items():
        for name, kind, value in describe_options(options):
            rows.setdefault(name, {"option": name, "takes": kind})[preset] = value
    return list(rows.values())


def _inline(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{name} = {inner if inner != '' else 'not content'}" for name, inner in value.items())


def _as_text(facts: dict[str, Any]) -> str:
    from tabulate import tabulate

    lines = [f"{facts['name']} ({facts['kind']}, from {facts['from']})", facts["summary"], "", facts["description"], ""]
    for key, value in facts.items():
        if key in ("name", "kind", "from", "summary", "description", "options") or not value:
            continue
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {inner}: {_inline(content)}" for inner, content in value.items()]
        else:
            lines.append(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    if facts.get("options"):
        lines += ["", "options, by --set name=value:" if facts["kind"] == "method" else "options, by --dataset-set:"]
        lines.append(tabulate(facts["options"], headers="keys", tablefmt="simple", disable_numparse=True))
    return "\n".join(lines)
