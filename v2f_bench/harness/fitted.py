"""The method of a finished run, and a voice from any file in the form in which it takes voices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.store import pad
from v2f_bench.data.voices import length_of
from v2f_bench.harness.fit import CHECKPOINT, MODEL
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.harness.tensors import read_tensors
from v2f_bench.harness.trial_voices import loudest_stretch
from v2f_bench.interfaces import BenchError, Method, UsageError, Voices
from v2f_bench.interfaces.options import options_from
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.clips import usable_recording
from v2f_bench.media.sound import read_sound
from v2f_bench.plugins import registry
from v2f_bench.record import read_record
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class FittedMethod:
    """The method of the finished run in folder `run`, ready to draw after `restore`.

    `side`: pixels a side of the faces that it is given; `needs`: what it needs of a trial under its options.
    """

    run: Path
    method: Method
    protocol: Protocol
    side: int
    needs: frozenset[str]

    @classmethod
    def of(cls, run: Path) -> FittedMethod:
        """BenchError where there is no finished run, or one of another version of the method."""
        record = read_record(run)
        plugin: type[Method] = registry().find("method", record.method.name).cls
        if source_key(plugin) != record.method.source_hash:
            raise BenchError(
                f"{run}: made by another version of {plugin.name} ({record.method.version}); run it again with this one"
            )
        options: Any = options_from(plugin.options, record.options)
        protocol = Protocol.read(run / PROTOCOL)
        side = plugin.resolution(options, protocol.resolution)
        return cls(run, plugin(options), protocol, side, plugin.needs_with(options))

    def restore(self, device: str) -> None:
        self.method.restore(read_tensors(self.run / CHECKPOINT / MODEL), device)


def check_needs(method: type[Method], needs: frozenset[str]) -> None:
    """UsageError where a method needs more than a voice and a proposal, which is all that files can give."""
    beyond = needs - {"voice", "proposal"}
    if beyond:
        raise UsageError(
            f"{method.name} needs {', '.join(sorted(beyond))} of a test speaker; it cannot draw from a file"
        )


def read_voice(path: Path, protocol: Protocol) -> tuple[Voices, list[Change]]:
    """The recording in a file as the trials of a protocol have theirs, and what was changed in it."""
    silence = protocol.dataset["options"].get("silence", 0.0)
    with noted() as noted_changes:
        recording = usable_recording(*read_sound(path), str(path), protocol.sample_rate, silence)
    changes = [(str(path), change) for _, change in noted_changes]
    if seconds := length_of(protocol.voices):
        recording = loudest_stretch(recording, round(seconds * protocol.sample_rate))
        changes.append((str(path), f"cut to its loudest {protocol.voices}, as the voices of the run's protocol are"))
    return pad([recording], protocol.sample_rate), changes
