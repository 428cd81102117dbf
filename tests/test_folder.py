"""Anybody's own data: the table's parser, its refusals, and a run's worth of protocol."""

import csv
import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_media import write_noise, write_tone

from v2f_bench.datasets.folder import COLUMNS, Folder, FolderOptions, clips_of
from v2f_bench.harness.independence import IndependenceFacts, independence
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError
from v2f_bench.judges.facenet import FaceNetVggFace2
from v2f_bench.judges.in_domain import InDomainIdentity
from v2f_bench.judges.pixels import Pixels
from v2f_bench.media.text import MISSING, cell


def folder(root, text, **options):
    root.mkdir(exist_ok=True)
    (root / "clips.csv").write_text(text)
    return Folder(FolderOptions(**options), root)


def test_a_row_with_everything(tmp_path):
    text = (
        "speaker;voice;face;clip;sex;age;ethnicity;emotion;intensity;sentence;group;split\n"
        "Ada; a/1.wav ;a/1.mp4;one;Woman;31.5;Irish;Anger;very;hello;monday;TEST\n"
    )
    (row,) = folder(tmp_path, text).index().to_dict("records")
    assert row == {
        **{"clip": "one", "speaker": "Ada", "voice": "a/1.wav", "face": "a/1.mp4", "sex": "female", "age": 31.5},
        **{"emotion": "angry", "split": "test", "ethnicity": "Irish", "intensity": "very", "sentence": "hello"},
        "group": "monday",
    }
    assert folder(tmp_path, text).split(["Ada"]) == {"Ada": "test"}


def test_the_least_that_is_needed(tmp_path):
    index = folder(tmp_path, "speaker,voice,face\nAda,1.wav,\nAda,,1.jpg\n\nBea,2.wav,2.jpg\n").index()
    assert list(index["clip"]) == ["Ada/2", "Ada/3", "Bea/5"], "rows as a spreadsheet counts them"
    assert list(index["voice"]) == ["1.wav", "", "2.wav"]


@pytest.mark.parametrize(
    "path", ["../x.wav", "a/../../x.wav", "/etc/passwd", "C:\\x.wav", "a\\..\\x.wav", "\\\\host\\x"]
)
@pytest.mark.parametrize("column", ["voice", "face"])
def test_a_path_that_leads_out_is_refused_with_its_row(tmp_path, path, column):
    other = "face" if column == "voice" else "voice"
    text = f"speaker,{other},{column}\nAda,,fine.wav\nAda,,{path}\n"
    with pytest.raises(DataError, match=r"clips\.csv, row 3: .* leads out of the folder"):
        folder(tmp_path, text).index()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("voice,face\n1.wav,1.jpg\n", "no column speaker; it has voice, face"),
        ("speaker,face,voice,mood\nAda,,1.wav,sad\n", "no column is called mood; there is speaker, voice, face"),
        (
            "speakers,voice,picture\na,1,2\n",
            "no column speaker (is it 'speakers'?), face; it has speakers, voice, picture",
        ),
        (
            "speaker,face,voice,emotoin\nAda,,1.wav,sad\n",
            "row 1: no column is called emotoin (is it 'emotion'?); there is",
        ),
        ("speaker,face,voice\nAda,,1.wav,2.wav\n", "row 2: 4 cells under 3 columns"),
        ("speaker,face,voice\n", "a heading and no rows"),
        ("speaker,face,voice\n,,1.wav\n", "row 2: no speaker"),
        ("speaker,face,voice\nAda,,\n", "row 2: neither voice nor face"),
        ("speaker,face,voice,sex\nAda,,1.wav,x\n", "row 2: sex is one of female, male, or empty, not 'x'"),
        ("speaker,face,voice,emotion\nAda,,1.wav,meh\n", "row 2: emotion is one of neutral, calm"),
        ("speaker,face,voice,age\nAda,,1.wav,old\n", "row 2: age is a number of years, or empty, not 'old'"),
        ("speaker,face,voice,age\nAda,,1.wav,131\n", "row 2: age is a number"),
        ("speaker,face,voice,clip\nAda,,1.wav,a\nBea,,2.wav,a\n", "row 3: the clip a stands in row 2 already"),
        (
            "speaker,face,voice,split\nAda,,1.wav,test\nAda,,2.wav,train\n",
            "row 3: the speaker Ada is in another split than in row 2",
        ),
        ("speaker,face,voice,split\nAda,,1.wav,dev\n", "row 2: split is one of train, validation, test"),
        ("", "not readable as a table"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, text, told):
    with pytest.raises(DataError) as caught:
        folder(tmp_path, text).index()
    assert told in str(caught.value)
    assert "clips.csv" in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    rows = "".join(f"Ada,{number}.wav,,old\n" for number in range(10))
    with pytest.raises(DataError) as caught:
        folder(tmp_path, f"speaker,voice,face,age,mood\n,1.wav,,\nBea,2.wav,,30\n{rows}").index()
    first, *lines = str(caught.value).splitlines()
    assert first.endswith("clips.csv: 12 mistakes")
    assert lines[0].startswith("  row 1: no column is called mood")
    assert lines[1] == "  row 2: no speaker"
    assert [line.split(":")[0] for line in lines[2:]] == [f"  row {n}" for n in range(4, 12)] + ["  and 2 more"]


names = st.text("aB .\u00e9", max_size=2).map(str.strip)
paths = st.text("a./\\: ", max_size=5).map(str.strip) | st.sampled_from(["a.wav", "x/b.jpg"])
cells = {
    **dict.fromkeys(COLUMNS[1:], names),
    **{"voice": paths, "face": paths},
    "sex": st.sampled_from(["", "f", "Man", "x"]),
    "age": st.sampled_from(["", "30", "-1", "1e9", "nan"]),
    "emotion": st.sampled_from(["", "Anger", "sad", "blue"]),
    "split": st.sampled_from(["", "test", "TRAIN", "dev"]),
}


def refusal(rows):
    """The error about the rows, or the index of them."""
    try:
        return None, clips_of(list(enumerate(rows, start=2)), "clips.csv")
    except DataError as error:
        return str(error), []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.fixed_dictionaries({"speaker": names}, optional=cells), min_size=1, max_size=4))
def test_whatever_stands_in_the_table_it_is_rows_or_a_row_number(rows):
    """Any cells: an index whose paths stay inside, with nobody in two splits, or an error that names the row."""
    told, made = refusal(rows)
    if told:
        named = [int(number) - 2 for number in re.findall(r"^(?:clips\.csv,|  ) ?row (\d+): ", told, re.MULTILINE)]
        assert named == sorted(set(named))
        assert named[0] == 0 or refusal(rows[: named[0]])[0] is None, "the first bad row is the first that is named"
        assert len(named) == 1 or f" {len(named)} mistakes" in told
        return
    assert len({row["clip"] for row in made}) == len(made) == len(rows)
    split_of = {}
    for row in made:
        for part in (row["voice"], row["face"]):
            assert not part.startswith("/")
            assert ".." not in part.replace("\\", "/").split("/")
        assert row["voice"] or row["face"]
        assert row.get("sex", "") in ("", "female", "male")
        assert row.get("emotion", "") in ("", "angry", "sad")
        assert np.isnan(row.get("age", np.nan)) or row["age"] == 30
        assert split_of.setdefault(row["speaker"], row.get("split", "")) == row.get("split", "")


plain = st.text(st.characters(whitelist_categories=("L", "N"), whitelist_characters=" ,;\"'"), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(plain, plain), min_size=1, max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_a_spreadsheet_writes_comes_back(tmp_path_factory, rows, separator):
    rows = [(speaker.strip(), sentence.strip()) for speaker, sentence in rows]
    rows = [row for row in rows if row[0] not in MISSING and not row[0].startswith('"') and not row[1].startswith('"')]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(("speaker", "sentence", "voice", "face"))
    writer.writerows((speaker, sentence, f"{number}.wav", "") for number, (speaker, sentence) in enumerate(rows))
    root = tmp_path_factory.mktemp("folder")
    if not rows:
        return
    index = folder(root, text.getvalue()).index()
    assert list(zip(index["speaker"], index["sentence"], strict=True)) == [(cell(a), cell(b)) for a, b in rows]


def test_from_files_to_a_protocol(tmp_path):
    root, lines = tmp_path / "data", ["speaker,voice,face,sex"]
    for number in range(16):
        for clip in range(2):
            write_tone(root / f"{number}-{clip}.wav")
            write_noise(root / f"{number}-{clip}.png")
            lines.append(f"p{number},{number}-{clip}.wav,{number}-{clip}.png,{'mf'[number % 2]}")
    lines += ["p0,missing.wav,", "p1,0-0.wav,"]
    dataset = folder(root, "\n".join(lines), cropped=True)
    bench = make_bench(dataset, Workplace(cache=tmp_path / "cache", jobs=1))
    reasons = bench.store.left_out.set_index("file")["reason"]
    assert "no such file" in reasons["missing.wav"]
    assert "under two labels" in reasons["0-0.wav"].iloc[0], "one recording of two people is nobody's"
    assert bench.protocol.name == "identity-v2-no-face-check"
    assert bench.protocol.dataset["options"]["cropped"] is True
    assert set(bench.trials["sex"]) == {"female", "male"}


def test_no_pretrained_judge_is_taken_for_independent_of_people_nobody_knows():
    unknown = IndependenceFacts(people_known=Folder.people is not None)
    told, reason = independence(FaceNetVggFace2(), unknown)
    assert told is None
    assert reason == "whether its training met the test speakers is not known"
    for judge in (Pixels(), InDomainIdentity()):
        assert independence(judge, unknown) == (True, ""), "it met nobody, or the training split alone"
