"""What a method may ask for under its options, and the sheets of what it can vary."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from heard import Heard
from PIL import Image
from small_bench import plan_of, small_bench, small_workplace

from v2f_bench import Context, Method, Variation
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.run import attempt
from v2f_bench.harness.sheet import SHOWN, write_variations
from v2f_bench.harness.trials import applicable, offer, trials_for
from v2f_bench.interfaces import PluginError
from v2f_bench.media.picture import CAPTION
from v2f_cae.method import CAE
from v2f_cae.options import CaeOptions

GREYS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Options:
    label_given: bool = False


class Greys(Method):
    name = "greys"
    options = Options
    variations: ClassVar = {"grey": "each grey"}

    @classmethod
    def needs_with(cls, options):
        return cls.needs | {"emotion"} if options.label_given else cls.needs

    def fit(self, train, validation, context):
        pass

    def generate(self, trials, context):
        return torch.full((len(trials), 3, 64, 64), 0.5)

    def vary(self, name, trials, context):
        faces = torch.tensor(GREYS)[None, :, None, None, None].expand(len(trials), 3, 3, 64, 64)
        return Variation(faces, ("black", "grey", "white"))


@pytest.fixture(scope="module")
def bench(cache):
    return small_bench(small_workplace(cache))


def test_a_label_is_handed_over_only_where_an_option_asks_for_it(bench):
    rows = np.arange(4)
    without = trials_for(bench, Greys.needs, rows)
    with pytest.raises(PluginError, match="'emotion'"):
        without.emotions  # noqa: B018 - reading it is what fails
    told = trials_for(bench, Greys.needs_with(Options(label_given=True)), rows)
    voices = bench.store.clips.loc[bench.trials["voice"].iloc[:4], "emotion"]
    assert told.emotions == tuple(voices)


def test_a_data_set_without_emotions_cannot_serve_a_method_that_asks_for_them(bench):
    assert Greys.unsuited(Options(label_given=True), offer(bench)) == ""
    bench.__dict__["trials"] = bench.trials.drop(columns="emotion")
    try:
        assert "no emotion labels" in Greys.unsuited(Options(label_given=True), offer(bench))
        assert Greys.unsuited(Options(label_given=False), offer(bench)) == ""
    finally:
        del bench.__dict__["trials"]


def test_trials_without_sex_or_age_do_not_apply_to_a_method_that_asks_for_them(bench):
    needs = frozenset({"voice", "attributes"})
    assert applicable(bench, needs).all()
    labelled = bench.trials
    try:
        bench.__dict__["trials"] = labelled.assign(
            sex=labelled["sex"].where(labelled.index != 0, ""), age=labelled["age"].where(labelled.index != 2)
        )
        assert np.flatnonzero(~applicable(bench, needs)).tolist() == [0, 2]
        assert applicable(bench, frozenset({"voice"})).all()
        assert "attributes" not in offer(bench).lacking
        bench.__dict__["trials"] = labelled.assign(age=np.nan)
        assert "both sex and age" in offer(bench).lacking["attributes"]
    finally:
        bench.__dict__["trials"] = labelled


def test_a_sheet_has_a_row_a_trial_and_a_column_a_step(bench, tmp_path):
    write_variations(tmp_path, Greys(Options()), plan_of(Greys, Options(), bench), bench)
    with Image.open(tmp_path / "variation-grey.png") as picture:
        sheet = np.array(picture)
    assert sheet.shape == (CAPTION + 6 * SHOWN, 3 * SHOWN, 3)
    for column, grey in enumerate(GREYS):
        middle = sheet[CAPTION + SHOWN // 2 :: SHOWN, column * SHOWN + SHOWN // 2]
        assert (abs(middle / 255 - grey) < 0.01).all()
    assert (sheet[:CAPTION] < 128).any(), "captions are written"


def test_a_variation_of_another_shape_is_refused_by_name(bench, tmp_path):
    class Wrong(Greys):
        def vary(self, name, trials, context):
            return Variation(torch.zeros(len(trials), 3, 3, 64, 64), ("one", "two"))

    with pytest.raises(PluginError, match=r"greys: vary\('grey'\)"):
        write_variations(tmp_path, Wrong(Options()), plan_of(Wrong, Options(), bench), bench)
    assert not list(tmp_path.iterdir())


def test_a_variation_that_crashes_costs_no_more_than_its_sheet(bench, tmp_path):
    class Crashing(Greys):
        def vary(self, name, trials, context):
            raise ZeroDivisionError("by hand")

    heard = Heard()
    workplace = small_workplace(tmp_path, tmp_path, heard)
    outcome = attempt(plan_of(Crashing, Options(), bench), bench, Judges([], [], []), workplace)
    assert outcome.record.applicable == len(bench.trials)
    assert (outcome.folder / "record.json").is_file()
    assert heard.lines == ["greys: no sheet of variations: ZeroDivisionError: by hand"]


def test_cae_crosses_proposals_with_voices(bench):
    method = CAE(
        CaeOptions(
            width=2, voice_width=0.1, critic_width=2, batch=2, steps=1, voice_steps=1, voice_batch=4, voice_faces=4
        )
    )
    torch.manual_seed(0)
    method.fit(bench.split("train"), bench.split("validation"), Context())
    trials = trials_for(bench, CAE.needs, np.arange(3))
    varied = method.vary("voice", trials, Context())
    assert varied.faces.shape == (3, 3, 3, 64, 64)
    own = torch.stack([varied.faces[n, n] for n in range(3)])  # each proposal under its own trial's voice
    torch.testing.assert_close(own, method.generate(trials, Context()), rtol=1e-4, atol=1e-5)
