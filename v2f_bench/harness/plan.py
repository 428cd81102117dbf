"""The plan of one run: a method, its options, a protocol and a seed; and the keys that name its stages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from v2f_bench import __version__
from v2f_bench.audio import LogMels
from v2f_bench.hashing import canonical_json, key_of, source_key
from v2f_bench.interfaces import Method
from v2f_bench.nn import VoiceEmbedding
from v2f_bench.plugins import Plugin
from v2f_bench.training import train_learner


@dataclass(frozen=True)
class Plan:
    """Equal plans have equal keys, and so find each other's finished stages."""

    plugin: Plugin
    options: Any
    seed: int
    bench_key: str
    dataset: str
    preset: str  # the name of the preset that the options started from
    devices: tuple[str, ...] = ("cpu",)
    precision: str = "float32"

    @property
    def device(self) -> str:
        return self.devices[0]

    @property
    def method(self) -> type[Method]:
        return self.plugin.cls

    @cached_property
    def needs(self) -> frozenset[str]:
        return self.method.needs_with(self.options)

    @cached_property
    def fit_key(self) -> str:
        # Its own, and that of what methods are built from: front ends, the training loop and shared networks.
        source = [source_key(self.method), source_key(LogMels), source_key(train_learner), source_key(VoiceEmbedding)]
        kind = self.device.partition(":")[0]  # a GPU's numbers are not a CPU's
        number = (len(self.devices),) if len(self.devices) > 1 else ()
        return key_of(
            __version__,
            self.plugin.name,
            self.plugin.version,
            source,
            self.options,
            self.bench_key,
            self.seed,
            kind,
            self.precision,
            *number,
        )

    @property
    def run_id(self) -> str:
        return f"seed{self.seed}-{self.fit_key[:8]}"

    def folder(self, output: Path) -> Path:
        return output / self.dataset / self.plugin.name / self.run_id

    def options_as_json(self) -> Any:
        import json

        return json.loads(canonical_json(self.options))
