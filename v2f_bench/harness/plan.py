"""The plan of one run: its opened method and options, and the keys of its stages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from v2f_bench.harness.spec import RunSpec
from v2f_bench.hashing import canonical_json
from v2f_bench.interfaces import Method
from v2f_bench.keys import Computing, checkpoint_key, faces_key, run_key
from v2f_bench.plugins import Plugin
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class Plan:
    """What is needed to carry out a run. Equal plans have equal keys, so one uses the finished stages of the other."""

    spec: RunSpec
    plugin: Plugin
    options: Any  # of the method
    bench_key: str  # `Bench.key`
    training_key: str  # `Bench.training_key` at `resolution`
    resolution: int  # pixels a side of the faces that the method is given
    computing: Computing
    devices: tuple[str, ...] = ("cpu",)

    @property
    def seed(self) -> int:
        return self.spec.seed

    @property
    def device(self) -> str:
        return self.devices[0]

    @property
    def precision(self) -> str:
        return self.computing.precision

    @property
    def method(self) -> type[Method]:
        return self.plugin.cls

    @cached_property
    def needs(self) -> frozenset[str]:
        return self.method.needs_with(self.options)

    @cached_property
    def source(self) -> str:
        return source_key(self.method)

    @cached_property
    def checkpoint_key(self) -> str:
        made_by = (self.plugin.name, self.plugin.version, self.source)
        return checkpoint_key(*made_by, self.options, self.seed, self.training_key, self.computing)

    @cached_property
    def faces_key(self) -> str:
        return faces_key(self.checkpoint_key, self.bench_key, self.computing)

    @property
    def run_id(self) -> str:
        return f"seed{self.seed}-{run_key(self.checkpoint_key, self.bench_key)[:8]}"

    def folder(self, output: Path) -> Path:
        return output / self.spec.bench.dataset / self.plugin.name / self.run_id

    def options_as_json(self) -> dict[str, Any]:
        return dict(json.loads(canonical_json(self.options)))
