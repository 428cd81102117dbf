"""Imports run one way: from the command line down to the contracts, in no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A module imports from its own room, that is package or single file, and from the rooms of the lines above its own.
LAYERS = (
    {"hashing"},
    {"files", "interfaces", "sources", "stats"},
    {"catalogue", "contracts", "media"},
    {"film", "plugins"},
    {"v2f_bench"},  # what plugins of other people import
    {"audio", "data", "judges", "metrics", "record", "training", "keys"},
    {"artefacts", "datasets", "nn"},
    {"harness"},
    {"leaderboard"},
    {"render", "study"},
    {"report"},
    {"validation"},
    {"cli"},
    {"__main__"},
)
# A method's package is written as anybody's would be, and is used by nothing but its own modules.
FOR_METHODS = {"v2f_bench", "interfaces", "audio", "nn", "training"}


def read_modules() -> dict[str, str]:
    """The source of every module of v2f-bench and of the bundled methods, by its name."""
    modules = {}
    for folder, base in ((ROOT / "v2f_bench", ROOT), (ROOT / "plugins", ROOT / "plugins")):
        for path in folder.rglob("*.py"):
            name = ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = path.read_text(encoding="utf-8")
    return modules


def imported(name: str, modules: dict[str, str]) -> Iterator[str]:
    """The other modules that one imports anywhere in its source, also within functions and for type checkers."""
    for node in ast.walk(ast.parse(modules[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            assert node.level == 0, f"{name}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules else node.module


def room_of(module: str) -> str:
    package, *inside = module.split(".")
    return inside[0] if package == "v2f_bench" and inside else package


def problems(modules: dict[str, str]) -> list[str]:
    graph = {name: {other for other in imported(name, modules) if other != name} for name in modules}
    found = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(reversed(error.args[1]))}")
    level = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
    for name, others in graph.items():
        for other in sorted(others):
            room, to = room_of(name), room_of(other)
            if room == to:
                continue
            own, below = level.get(room), level.get(to)
            allowed = to in FOR_METHODS if own is None else below is not None and below < own
            if not allowed:
                found.append(f"{name} imports {other}")
    return found


def test_imports_run_down_and_in_no_circle():
    modules = read_modules()
    assert len(modules) > 200
    assert problems(modules) == []


def test_every_room_has_its_place():
    rooms = {room_of(name) for name in read_modules() if name.split(".")[0] == "v2f_bench"}
    assert rooms <= set().union(*LAYERS)


@pytest.mark.parametrize(
    ("module", "line", "problem"),
    [
        (
            "v2f_bench.media.sound",
            "import v2f_bench.harness.run",
            "v2f_bench.media.sound imports v2f_bench.harness.run",
        ),
        (
            "v2f_bench.interfaces.dataset",
            "def f():\n    from v2f_bench.media import sound",
            "interfaces.dataset imports",
        ),
        ("v2f_bench.judges.card", "from v2f_bench.judges.onnx import read_card", "a circle: .*card.*onnx"),
        ("v2f_cae.options", "from v2f_bench.harness import run", "v2f_cae.options imports v2f_bench.harness.run"),
        ("v2f_bench.harness.run", "import v2f_cae", "v2f_bench.harness.run imports v2f_cae"),
    ],
)
def test_a_wrong_import_is_seen(module, line, problem):
    modules = read_modules()
    modules[module] += f"\n{line}\n"
    with pytest.raises(AssertionError, match=problem):
        assert problems(modules) == [], "\n".join(problems(modules))
