"""The Controlled AutoEncoder learns: on speakers it never met it beats what does not listen, on a smaller main job."""

import pytest
from made_records import difference_of, records_in

from v2f_bench.leaderboard import gather
from v2f_bench.record import read_trials

JUDGE = "in-domain-identity"


@pytest.mark.slow
def test_cae_beats_the_floors_on_unseen_speakers(cli, tmp_path):
    cli(
        *("run", "--method", "cae", "--dataset", "synthetic-speakers", "--dataset-set", "speakers=480"),
        *("--dataset-set", "clips=3", "--set", "steps=350", "--output", tmp_path),
    )
    (entries,) = gather(records_in(tmp_path), print).values()
    by_name = {entry.name: entry for entry in entries}
    assert read_trials(by_name["cae"].folders[0])["speaker"].nunique() > 70

    def gap(rival, measure):
        return difference_of(by_name["cae"], by_name[rival], measure, JUDGE)

    # By rank: so short a training leaves some faces that the detector does not take for one, and these, last of all in
    # rank, have a cosine of -1.
    for rival in ("same-sex-face", "random-face", "copy-proposal", "mean-face"):
        assert gap(rival, "retrieval/normalised-mean-rank").high < 0, f"rank, against {rival}"
    # No grid lies over its faces: no more energy in a pattern of two pixels than real photographs have, within 1 dB.
    grid = by_name["cae"].records[0].result("grid-energy", "grid")
    assert grid.value < grid.ceiling + 1
    for ceiling in ("oracle", "real-photo"):
        assert gap(ceiling, "identity-cosine/target").high < 0, f"{ceiling} must stand above"
