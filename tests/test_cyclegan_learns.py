"""The speech-guided CycleGAN learns: the emotion that it hears in the voices of strangers shows in their faces.

Its preset is `quick`, with half of the steps of the voice network, for time.
"""

import pytest
from made_records import difference_of, records_in

from v2f_bench.leaderboard import gather

EMOTION, SHAPE, IDENTITY = "in-domain-emotion", "in-domain-emotion-shape", "in-domain-identity"


@pytest.mark.slow
def test_quick_beats_copying_and_the_mean_shift_and_keeps_the_person(cli, tmp_path):
    cli(
        *("run", "--method", "cyclegan,copy-proposal,random-face,emotion-mean-shift", "--no-baselines"),
        *("--track", "emotion", "--dataset", "synthetic-speakers", "--set", "cyclegan.voice_steps=1200"),
        *("--judges", f"{EMOTION},{SHAPE},{IDENTITY}", "--output", tmp_path),
    )
    records = records_in(tmp_path)
    (entries,) = gather(records, print).values()
    by_name = {entry.name: entry for entry in entries}

    def gap(rival, measure, judge):
        return difference_of(by_name["cyclegan"], by_name[rival], measure, judge)

    agreement = "emotion-agreement/accuracy"
    for rival in ("copy-proposal", "random-face", "emotion-mean-shift"):
        for judge in (EMOTION, SHAPE):
            assert gap(rival, agreement, judge).low > 0, f"agreement by {judge}, against {rival}"
    assert gap("random-face", "identity-preservation", IDENTITY).low > 0
    (folder,) = (folder for folder, record in records.items() if record.method.name == "cyclegan")
    facts = {fact.name: fact for fact in records[folder].facts}
    assert facts["emotion accuracy of the voice network"].value > 0.55, "chance is 0.125"
    assert facts["emotion accuracy of the face network"].value > 0.8
    assert (folder / f"confusion-emotion-agreement-accuracy-{EMOTION}.png").is_file()
