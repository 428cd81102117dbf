"""The bundled plugins by name, so that they can be listed without importing what they need (torch, pandas, scipy).

`catalogue.json` is made from the plugins themselves; a test says when that is due:

    python -c "from v2f_bench import catalogue, plugins; catalogue.write_catalogue(plugins.made_catalogue())"
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class Listed:
    """A class that a bundled entry point registers."""

    kind: str
    name: str
    summary: str
    where: str  # module:Class


def read_catalogue() -> dict[str, list[Listed]]:
    """What each bundled entry point registers, by the entry point's name."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return {entry_point: [Listed(**each) for each in listed] for entry_point, listed in content.items()}


def write_catalogue(listed: Mapping[str, list[Listed]]) -> None:
    """Write `catalogue.json` anew, from `plugins.made_catalogue()`."""
    plain = {name: [asdict(each) for each in of_one] for name, of_one in listed.items()}
    FILE.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
