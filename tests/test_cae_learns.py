"""The Controlled AutoEncoder learns: on speakers it never met it beats what does not listen, on a smaller main job."""

from made_records import records_in

from v2f_bench.leaderboard import gather
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.differences import compared
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.record import read_trials

JUDGE = "in-domain-identity"


def test_cae_beats_the_floors_on_unseen_speakers(cli, tmp_path):
    cli(
        *("run", "--method", "cae", "--dataset", "synthetic-speakers", "--dataset-set", "speakers=480"),
        *("--dataset-set", "clips=3", "--set", "steps=500", "--output", tmp_path),
    )
    (entries,) = gather(records_in(tmp_path), print).values()
    by_name = {entry.name: entry for entry in entries}
    assert read_trials(by_name["cae"].folders[0])["speaker"].nunique() > 70

    def gap(rival, measure):
        column, pair = Column(measure, JUDGE, "neither"), (by_name["cae"], by_name[rival])
        (found,) = compared([pair], column, Samples(pair, [column]))
        return found.difference

    # By rank: so short a training leaves some faces that the detector does not take for one, and these, last of all in
    # rank, have a cosine of -1.
    for rival in ("same-sex-face", "random-face", "copy-proposal", "mean-face"):
        assert gap(rival, "retrieval/normalised-mean-rank").high < 0, f"rank, against {rival}"
    for ceiling in ("oracle", "real-photo"):
        assert gap(ceiling, "identity-cosine/target").high < 0, f"{ceiling} must stand above"
