"""The record of a run, put together from what it rests on."""

from __future__ import annotations

from typing import Any

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judging import Jury
from v2f_bench.leaderboard.record import SCHEMA


def record_of(bench: Bench, jury: Jury, scores: dict[str, Any], **run: Any) -> dict[str, Any]:
    """The record (keys: see `leaderboard/record.py`): `run` brings what belongs to the method and this run of it."""
    protocol, clips, card = bench.protocol, bench.store.clips, bench.dataset.card
    return {
        "schema": SCHEMA,
        **run,
        "dataset": {
            **protocol.dataset,
            "licence": card.licence,
            "consent": card.consent,
            **({"human": card.human, "human_source": card.human_source} if card.human else {}),
            "clips": len(clips),
            "left_out": len(bench.store.left_out),
            "content": bench.store.meta["content"],
        },
        "protocol": {
            "name": protocol.name,
            "track": protocol.track,
            "hash": protocol.hash,
            "sample_rate": protocol.sample_rate,
            "resolution": protocol.resolution,
            "gallery": len(protocol.gallery),
            "trials": len(protocol.trials),
            "splits": {
                split: {"clips": len(names), "speakers": int(clips.loc[names, "speaker"].nunique())}
                for split, names in protocol.splits.items()
            },
        },
        "judges": [
            {
                "name": ready.judge.name,
                "version": ready.judge.version,
                "kind": ready.judge.kind,
                "sha256": ready.sha256,
                "people": ready.judge.people,
                "licence": ready.judge.licence,
                "quality": ready.quality,
            }
            for ready in jury.judges
        ],
        "judges_missing": [vars(judge) for judge in jury.missing],
        "failures": scores["failures"],
        "results": scores["results"],
    }
