"""The reference voice-to-face GAN learns: its faces of speakers it never met are nearer than what does not listen."""

import pytest
from made_records import difference_of, records_in

from v2f_bench.leaderboard import gather

JUDGE = "in-domain-identity"


@pytest.mark.slow
def test_voice2face_gan_beats_the_floors_on_unseen_speakers(cli, tmp_path):
    cli(
        *("run", "--method", "voice2face-gan", "--dataset", "synthetic-speakers", "--dataset-set", "speakers=480"),
        *("--dataset-set", "clips=3", "--set", "steps=200", "--set", "voice_steps=250", "--output", tmp_path),
    )
    (entries,) = gather(records_in(tmp_path), print).values()
    by_name = {entry.name: entry for entry in entries}
    for rival in ("same-sex-face", "random-face", "copy-proposal", "mean-face"):
        gap = difference_of(by_name["voice2face-gan"], by_name[rival], "retrieval/normalised-mean-rank", JUDGE)
        assert gap.high < 0, f"rank, against {rival}"
