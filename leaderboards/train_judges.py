"""Train the in-domain judges of the default world of synthetic-speakers, which its package delivers.

    python leaderboards/train_judges.py

Trained on another machine, or with another number of threads, a judge has other last digits, and rows could not be
compared; hence all use these. They are kept in numbers of 16 bits, some 900 kB each. To be run again when the version
of a judge or of the data set changes; `tests/test_delivered_judges.py` fails where a judge is missing.
"""

from __future__ import annotations

import torch

from v2f_bench.cli.display import PlainProgress
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.files import write_whole
from v2f_bench.harness.judges import delivered_judge
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.tensors import write_state
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Context, Judge
from v2f_bench.judges.in_domain import InDomainEmotion, InDomainEmotionShape, InDomainIdentity

JUDGES: tuple[type[Judge], ...] = (InDomainIdentity, InDomainEmotion, InDomainEmotionShape)


def main() -> None:
    progress = PlainProgress()
    bench = make_bench(SyntheticSpeakers(SyntheticOptions(), None), Workplace(progress=progress), track="emotion")
    assert SyntheticSpeakers.judges is not None
    SyntheticSpeakers.judges.mkdir(exist_ok=True)
    for each in JUDGES:
        judge = each()
        file = delivered_judge(judge, bench)
        assert file is not None
        judge.fit(bench.split("train"), bench.split("validation"), Context(0, "cpu", progress))
        state = {name: short(tensor) for name, tensor in judge.state().items()}
        for older in file.parent.glob(f"{judge.name}-{'[0-9a-f]' * 16}.safetensors"):
            older.unlink()
        write_whole(file, lambda path, state=state, name=judge.name: write_state(path, state, name))
        progress.line(f"written: {file.name}, {file.stat().st_size / 1000:.0f} kB")


def short(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


if __name__ == "__main__":
    main()
