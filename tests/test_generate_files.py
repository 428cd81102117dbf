"""`generate`: a voice and a proposal from outside come in as those of a data set do, and what was changed is said."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_media import RATE, Sound, likeness, mux, speech
from PIL import Image

from v2f_bench.harness.generate_one import _given
from v2f_bench.interfaces import DataError

PROTOCOL = SimpleNamespace(dataset={"options": {}}, sample_rate=RATE, voices="whole")
SIDE = 32
METHOD = SimpleNamespace(name="mine")
NEEDS = frozenset({"voice", "proposal"})


def test_voice_and_proposal_are_read_by_the_rules_of_data_sets(tmp_path):
    voice = speech(2)
    called = mux(tmp_path / "me.wav", Sound(voice + 0, default=False), Sound(0 * voice), form="mp4")
    pixels = np.zeros((48, 64, 4), np.uint8)
    pixels[24:] = (200, 100, 40, 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels))).save(tmp_path / "me.png", exif=exif)
    given, changes = _given(METHOD, NEEDS, PROTOCOL, SIDE, called, tmp_path / "me.png")
    assert likeness(given["voice"].samples[0].numpy(), voice) > 0.99
    assert given["voice"].samples.std() == pytest.approx(voice.std(), rel=0.05)
    proposal = given["proposal"][0]
    assert proposal.shape == (3, 32, 32)
    assert (proposal[:, :14] > 0.99).all(), "upright, on white"
    assert np.abs(proposal[:, 18:].mean(dim=(1, 2)).numpy() * 255 - (200, 100, 40)).max() < 2
    assert changes == [
        (str(called), "of 2 sound tracks number 1 was used, the first that is not silent"),
        (str(tmp_path / "me.png"), "turned or mirrored as its camera was held"),
        (str(tmp_path / "me.png"), "transparent parts were laid on white"),
    ]


def test_what_cannot_be_used_is_named(tmp_path):
    (tmp_path / "me.wav").write_text("<html>gone</html>")
    with pytest.raises(DataError, match=r"me\.wav: a web page, not sound"):
        _given(METHOD, frozenset({"voice"}), PROTOCOL, SIDE, tmp_path / "me.wav", None)
