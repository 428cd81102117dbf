"""A leaderboard as JSON: boards with their rows, differences and notes, and every cell as one flat row."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from v2f_bench.leaderboard import Leaderboard
from v2f_bench.render.rows import long_rows


def as_json(leaderboard: Leaderboard) -> str:
    """`boards` and `reported` as the dataclasses of `leaderboard/` name their fields; `cells` for pandas."""
    content = {**plain_values(leaderboard), "cells": long_rows(leaderboard)}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain_values(value: Any) -> Any:
    """Dataclasses as objects, without the folders of runs, which mean something on one machine alone; NaN as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name != "folders"]
        return {name: plain_values(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {str(key): plain_values(inner) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain_values(value._asdict())
    if isinstance(value, list | tuple):
        return [plain_values(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
