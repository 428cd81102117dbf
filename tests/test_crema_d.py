"""CREMA-D: names, tables, the files that are known to be bad, and what people heard."""

from collections import Counter
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
from small_media import touch, write_noise, write_pointer, write_tone

from v2f_bench.datasets.crema_d import CLIPS, DEFECTIVE, DEMOGRAPHICS, VOTES, CremaD, CremaOptions
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.independence import IndependenceFacts, independence
from v2f_bench.harness.make_bench import make_bench, make_protocol
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError
from v2f_bench.judges.in_domain import InDomainIdentity

OF_LETTER = {"A": "ANG", "D": "DIS", "F": "FEA", "H": "HAP", "N": "NEU", "S": "SAD"}
SENTENCES = ("TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")


def write_tables(root, actors=("1001", "1002"), votes=()):
    people = [
        f'{actor},{20 + int(actor) % 50},"{("Male", "Female")[int(actor) % 2]}","Asian","Not Hispanic"'
        for actor in actors
    ]
    (root / DEMOGRAPHICS).write_text('"ActorID","Age","Sex","Race","Ethnicity"\n' + "\n".join(people) + "\n")
    (root / VOTES).parent.mkdir(exist_ok=True)
    rows = [f'"{number}","{clip}","{vote}","60","N","60","N","60"' for number, (clip, vote) in enumerate(votes, 1)]
    heading = '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"'
    (root / VOTES).write_text("\n".join([heading, *rows]) + "\n")


def index_of(root, **options):
    return CremaD(CremaOptions(**options), root).index()


def usable(index):
    index = index[index["fault"] == ""]
    return index.assign(voice=index["voice"] != "", face=index["face"] != "").set_index("clip", drop=False)


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """Empty files with the names of a like number of clips: 91 actors, 11 sentences in 6 emotions, one with levels."""
    root = tmp_path_factory.mktemp("crema-d")
    for actor, emotion in product(range(1001, 1092), OF_LETTER.values()):
        levels = ("XX",) if emotion == "NEU" else ("LO", "MD", "HI")
        clips = [f"{actor}_IEO_{emotion}_{level}" for level in levels]
        for clip in clips + [f"{actor}_{sentence}_{emotion}_XX" for sentence in SENTENCES]:
            touch(root / f"AudioWAV/{clip}.wav")
            touch(root / f"VideoFlash/{clip}.flv")
    return root


def test_labels_of_a_clip(tmp_path):
    touch(tmp_path / "AudioWAV/1001_IEO_FEA_HI.wav")
    touch(tmp_path / "VideoFlash/1001_IEO_FEA_HI.flv")
    touch(tmp_path / "AudioWAV/1002_DFA_NEU_XX.wav")
    touch(tmp_path / "AudioWAV/1003_DFA_NEU_XX.wav")
    write_tables(tmp_path, votes=[("1001_IEO_FEA_HI", "A"), ("1002_DFA_NEU_XX", "A:D")])
    first, second, third = index_of(tmp_path).to_dict("records")
    assert first == {
        **{"clip": "1001_IEO_FEA_HI", "speaker": "1001", "sex": "female", "age": 21.0, "fault": ""},
        **{"voice": "AudioWAV/1001_IEO_FEA_HI.wav", "face": "VideoFlash/1001_IEO_FEA_HI.flv"},
        **{"emotion": "fearful", "intensity": "high", "sentence": "IEO", "heard": "angry"},
        "ethnicity": "Asian, Not Hispanic",
    }
    assert (second["heard"], second["intensity"], second["sex"], second["face"]) == ("", "", "male", "")
    assert (third["sex"], third["heard"], third["ethnicity"]) == ("", "", ""), "an actor who is not in the tables"
    assert pd.isna(third["age"])


def test_without_its_tables_the_labels_in_the_names_are_left(tmp_path):
    touch(tmp_path / "AudioWAV/1001_IEO_FEA_HI.wav")
    assert set(index_of(tmp_path)) == {
        *("clip", "speaker", "voice", "face", "emotion", "intensity", "sentence", "fault")
    }


def test_any_form_of_sound_will_do(tmp_path):
    touch(tmp_path / "VideoFlash/1001_IEO_FEA_HI.flv")
    assert list(index_of(tmp_path)["voice"]) == ["VideoFlash/1001_IEO_FEA_HI.flv"]
    touch(tmp_path / "AudioMP3/1001_IEO_FEA_HI.mp3")
    assert list(index_of(tmp_path)["voice"]) == ["AudioMP3/1001_IEO_FEA_HI.mp3"]
    touch(tmp_path / "AudioWAV/1001_IEO_FEA_HI.wav")
    assert list(index_of(tmp_path)["voice"]) == ["AudioWAV/1001_IEO_FEA_HI.wav"]
    touch(tmp_path / "AudioMP3/1001_IEO_SAD_HI.mp3")
    assert len(index_of(tmp_path)) == 2


def test_the_old_name_of_a_clip_is_read(tmp_path):
    touch(tmp_path / "AudioWAV/1040_ITH_SAD_X.wav")
    (row,) = index_of(tmp_path).to_dict("records")
    assert (row["clip"], row["voice"]) == ("1040_ITH_SAD_XX", "AudioWAV/1040_ITH_SAD_X.wav")
    touch(tmp_path / "AudioWAV/1040_ITH_SAD_XX.wav")
    (row,) = index_of(tmp_path).to_dict("records")
    assert row["voice"] == "AudioWAV/1040_ITH_SAD_XX.wav", "both names are one clip"


def test_what_is_not_named_rightly_is_told(tmp_path):
    touch(tmp_path / "AudioWAV/1001_IEO_FEA_HI.wav")
    for stray, reason in [
        ("AudioWAV/1001_IEO_FEA.wav", "its name is not actor_sentence_emotion_level"),
        ("AudioWAV/1001_XYZ_FEA_HI.wav", "its name is not actor_sentence_emotion_level"),
        ("AudioWAV/1001_IEO_JOY_HI.wav", "its name is not actor_sentence_emotion_level"),
        ("VideoFlash/1092_IEO_FEA_HI.flv", "there is no actor 1092"),
    ]:
        touch(tmp_path / stray)
        told = index_of(tmp_path).set_index("clip")["fault"]
        assert reason in told[stray]
    assert (index_of(tmp_path)["fault"] == "").sum() == 1


def test_known_defects_are_left_out_by_name(complete):
    index = index_of(complete).set_index("clip")
    assert set(index.index[index["fault"] != ""]) == set(DEFECTIVE)
    assert "silent" in index.at["1076_MTI_SAD_XX", "fault"]


def test_media_that_are_none_are_named(tmp_path):
    """A good one, a pointer, an empty file, a picture called wav, and a silent one."""
    clips = [f"1001_DFA_{emotion}_XX" for emotion in ("ANG", "DIS", "FEA", "HAP", "SAD")]
    good, pointer, empty, misnamed, silent = (tmp_path / f"data/AudioWAV/{clip}.wav" for clip in clips)
    write_tone(good)
    write_pointer(pointer)
    touch(empty)
    write_noise(misnamed.with_suffix(".png"))
    misnamed.with_suffix(".png").rename(misnamed)
    soundfile.write(silent, np.zeros(16_000), 16_000)
    store = prepare(CremaD(CremaOptions(), tmp_path / "data"), Workplace(cache=tmp_path / "cache", jobs=1))
    assert list(store.clips["clip"]) == clips[:1]
    reasons = store.left_out.set_index("clip")["reason"]
    for clip, reason in zip(clips[1:], ("Git-LFS pointer", "empty", "not readable as sound", "silent"), strict=True):
        assert reason in reasons[clip]


def test_another_split_needs_no_other_store(tmp_path):
    write_tone(tmp_path / "data/AudioWAV/1001_DFA_ANG_XX.wav")
    plain, shared, quiet = (
        prepare(CremaD(CremaOptions(**options), tmp_path / "data"), Workplace(cache=tmp_path / "cache", jobs=1)).folder
        for options in ({}, {"split": "clip-8-2"}, {"silence": 1.0})
    )
    assert plain == shared != quiet


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"MISSING  AudioWAV") as caught:
        index_of(tmp_path)
    assert "V2F_BENCH_CREMA_D" in str(caught.value)
    assert "without  VideoDemographics.csv (no sex, age" in str(caught.value)


def test_protocols(complete):
    dataset = CremaD(CremaOptions(), complete)
    clips = usable(dataset.index())
    protocol = make_protocol(dataset, clips, "emotion")
    people = {split: {clip[:4] for clip in names} for split, names in protocol.splits.items()}
    assert {split: len(names) for split, names in people.items()} == {"train": 55, "validation": 9, "test": 27}
    assert not people["train"] & people["test"]
    assert not people["validation"] & (people["train"] | people["test"])
    assert len(protocol.gallery) == 27
    split_of = dataset.split(sorted(clips["speaker"].unique()))
    without = clips[clips["speaker"] != "1005"]
    assert dataset.split(sorted(without["speaker"].unique())) == {a: s for a, s in split_of.items() if a != "1005"}
    assert make_protocol(dataset, without, "emotion").name == "emotion-v2-no-face-check@90-of-91-speakers"
    shared = make_protocol(CremaD(CremaOptions(split="clip-8-2"), complete), clips, "identity")
    assert shared.name.startswith("identity-clip-8-2-v2-no-face-check")
    assert len({clip[:4] for clip in shared.splits["test"]}) == 91
    assert not set(shared.splits["test"]) & set(shared.splits["train"])


def test_a_judge_that_met_the_test_speakers_is_marked(complete):
    """Where a split of clips shares its speakers, whoever learned from the training split knows the test's people."""
    told = {}
    for split in ("speakers", "clip-8-2"):
        dataset = CremaD(CremaOptions(split=split), complete)
        clips = usable(dataset.index())
        bench = Bench(dataset, SimpleNamespace(clips=clips), make_protocol(dataset, clips, "identity"))
        told[split] = independence(InDomainIdentity(), IndependenceFacts(people=bench.people))
    assert told["speakers"] == (True, "")
    assert told["clip-8-2"][0] is False
    assert "who are among the test speakers" in told["clip-8-2"][1]


@pytest.fixture
def real(shared_data):
    root = shared_data / "crema-d"
    if not root.is_dir():
        pytest.skip(f"not at {root}")
    return root


def test_the_real_tables_with_every_file_they_name(real, tmp_path):
    for table in (DEMOGRAPHICS, VOTES):
        (tmp_path / table).parent.mkdir(exist_ok=True)
        (tmp_path / table).write_bytes((real / table).read_bytes())
    votes = pd.read_csv(real / VOTES)
    assert len(votes) == CLIPS
    for name in pd.read_csv(real / "SentenceFilenames.csv")["Filename"].tolist() + votes["FileName"].tolist():
        touch(tmp_path / f"AudioWAV/{name}.wav")
    index = index_of(tmp_path)
    assert len(index) == CLIPS
    assert set(index.index[index["fault"] != ""]) == set(index.index[index["clip"].isin(list(DEFECTIVE))])
    speakers = index.drop_duplicates("speaker")
    assert Counter(speakers["sex"]) == CremaD.card.balance["sex"] == {"male": 48, "female": 43}
    assert (speakers["age"].min(), speakers["age"].max()) == (20, 74)
    assert Counter(index["emotion"]) == CremaD.card.balance["emotion"]
    assert Counter(index["intensity"]) == {"": 6077, "low": 455, "medium": 455, "high": 455}
    assert (index["heard"] == "").sum() == votes["VoiceVote"].str.contains(":").sum()


def test_the_human_figures_are_those_of_the_real_table(real):
    votes = pd.read_csv(real / VOTES)
    meant = votes["FileName"].str.split("_").str[2]
    for shown, column in {"voice": "VoiceVote", "face": "FaceVote", "both": "MultiModalVote"}.items():
        right = votes[column].map(OF_LETTER) == meant
        stated = CremaD.card.human[shown]
        assert right.mean() == pytest.approx(stated["all"], abs=0.0006)
        for word, emotion in CremaD.labels["emotion"].items():
            assert right[meant == word].mean() == pytest.approx(stated[emotion], abs=0.0006)


def test_the_two_real_files_are_pointers(real, tmp_path):
    with pytest.raises(DataError, match=r"no clip can be used \(2 left out: .*(pointer|silent)"):
        make_bench(CremaD(CremaOptions(), real), Workplace(cache=tmp_path, jobs=1))
