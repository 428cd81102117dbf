"""Methods that draw a person learn: on speakers they never met they beat what does not listen, on a small main job."""

import pytest
from made_records import difference_of, records_in

from v2f_bench.leaderboard import gather
from v2f_bench.record import read_trials

JUDGE = "in-domain-identity"
FLOORS = ("same-sex-face", "random-face", "copy-proposal", "mean-face")
CEILINGS = ("oracle", "real-photo")
SHORT = ("cae.steps=350", "voice2face-gan.steps=150", "voice2face-gan.voice_steps=200")


@pytest.mark.slow
def test_cae_and_voice2face_gan_beat_the_floors_on_unseen_speakers(cli, tmp_path):
    cli(
        *("run", "--method", ",".join(("cae", "voice2face-gan", *FLOORS, *CEILINGS)), "--no-baselines"),
        *("--metrics", "retrieval,identity-cosine,grid-energy", "--dataset", "synthetic-speakers"),
        *("--dataset-set", "speakers=480", "--dataset-set", "clips=3"),
        *(word for setting in SHORT for word in ("--set", setting)),
        *("--output", tmp_path),
    )
    (entries,) = gather(records_in(tmp_path), print).values()
    by_name = {entry.name: entry for entry in entries}
    assert read_trials(by_name["cae"].folders[0])["speaker"].nunique() > 70

    def gap(method, rival, measure):
        return difference_of(by_name[method], by_name[rival], measure, JUDGE)

    # By rank: so short a training leaves some faces that the detector does not take for one, and these, last of all in
    # rank, have a cosine of -1.
    for method in ("cae", "voice2face-gan"):
        for rival in FLOORS:
            assert gap(method, rival, "retrieval/normalised-mean-rank").high < 0, f"{method}'s rank, against {rival}"
        # No grid lies over its faces: a pattern of two pixels has no more energy than in real photographs, within 1 dB;
        # one of four has no more than what is beside it, within 1 dB. Stripes that are seen have from 3 dB on.
        two, four = (by_name[method].records[0].result(f"grid-energy/{n}-pixels", "grid") for n in ("two", "four"))
        assert two.value < two.ceiling + 1, method
        assert four.value < 1, method
        for ceiling in CEILINGS:
            assert gap(method, ceiling, "identity-cosine/target").high < 0, f"{ceiling} must stand above {method}"
