"""Upgrade records of older schemas to the present one, as JSON values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """From schema 1. It kept a judge's facts with every result, and lacked code hashes and the face check's name."""
    protocol, judges = old["protocol"], old["judges"]
    face_check = next((f"{judge['name']} {judge['version']}" for judge in judges if judge["name"] == "mtcnn"), "none")
    numbers = [result for result in old["results"] if not result.get("unavailable")]
    speakers = max((result["speakers"] for result in numbers), default=protocol["splits"]["test"]["speakers"])
    independence = {
        result["judge"]: {key: result[key] for key in ("independent", "not_independent_because")} for result in numbers
    }
    unknown = {"independent": None, "not_independent_because": "not recorded"}
    packages: dict[str, str] = next(
        (stage["packages"] for stage in old["circumstances"].values() if "packages" in stage), {}
    )
    return {
        **{key: value for key, value in old.items() if key not in ("posed", "results")},
        "schema": 2,
        "core": {"version": packages.get("v2f-bench", ""), "learning": "", "scoring": ""},
        "dataset": {"clips": 0, "left_out": 0, **old["dataset"]},
        "protocol": {**protocol, "face_check": face_check, "speakers": speakers},
        "applicable": old["posed"],
        "judges": [{"licence": "", **judge, **independence.get(judge["name"], unknown)} for judge in judges],
        "results": numbers,
        "unavailable": [
            {**{key: result[key] for key in ("metric", "measure", "judge")}, "reason": result["unavailable"]}
            for result in old["results"]
            if result.get("unavailable")
        ],
    }


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
