"""The emotion judge that chooses the frame of a video: found by its name or card, opened in worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256, key_of
from v2f_bench.interfaces import Judge, UsageError
from v2f_bench.judges.opening import judge_of, open_judge
from v2f_bench.judges.weights import find_weights
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class FrameJudge:
    """What a worker process needs to open the judge; `key` is a hash of all that its answers depend on."""

    name: str  # or the path of a card
    file: Path | None  # its weights
    key: str

    def open(self) -> Judge:
        """The judge, ready to use, on the CPU."""
        judge = judge_of(self.name)
        open_judge(judge, self.file, "cpu")
        return judge


def named_frame_judge(name: str, workplace: Workplace) -> FrameJudge | None:
    """The judge that a data set's option `frame_judge` names; None for "none".

    Raises:
        UsageError: there is no such judge, or it is not a pretrained emotion judge.
        NotAvailable: its weights are missing; says where to put them.
    """
    if name == "none":
        return None
    judge = judge_of(name)
    if judge.kind != "emotion" or judge.trained_here:
        what = "is trained on prepared data" if judge.trained_here else f"is of kind {judge.kind}"
        raise UsageError(f"frame_judge={name}: {judge.name} {what}; a pretrained emotion judge can choose frames")
    file = find_weights(judge.weights, workplace.weights) if judge.weights else None
    sha256 = file_sha256(file) if file else ""
    return FrameJudge(name, file, key_of(judge.name, judge.version, source_key(type(judge)), sha256))


def frame_judge_name(name: str) -> str:
    """The judge's own name, from its name or the path of its card. UsageError where there is none."""
    return judge_of(name).name
