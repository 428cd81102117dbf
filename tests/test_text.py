"""Text from outside: one form for names whatever wrote them; a file is either read, or refused in words."""

import csv
import io
import os
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_media import touch, write_noise, write_tone

from v2f_bench.data.lists import read_list
from v2f_bench.datasets.folder import COLUMNS, NEEDED, Folder, FolderOptions
from v2f_bench.datasets.layout import numbered_rows
from v2f_bench.datasets.voxceleb_vggface import VoxcelebVggface, VoxcelebVggfaceOptions
from v2f_bench.harness.doctor import examine
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import noted
from v2f_bench.media.text import FilesBelow, cell, normal, read_text

TABLE = "speaker,voice,face,sex\nZoë,a.wav,,f\nJosé,b.wav,,m\n"


def table(folder, data):
    path = folder / "clips.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return numbered_rows(path, NEEDED, COLUMNS)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"], ids=str
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
def test_every_unicode_encoding_and_end_of_line_gives_the_same_rows(tmp_path, encoding, ends):
    text = TABLE.replace("\n", ends)
    mark = "\ufeff" if encoding == "utf-32-le" else ""  # without its mark nobody would know it
    rows = table(tmp_path, (mark + text).encode(encoding))
    assert [row["speaker"] for _, row in rows] == ["Zoë", "José"]
    assert [number for number, _ in rows] == [2, 3]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1250", "mac-roman"])
def test_a_code_page_is_named_with_how_to_convert_it(tmp_path, encoding):
    with pytest.raises(DataError) as caught:
        table(tmp_path, TABLE.encode(encoding))
    words = str(caught.value)
    assert "clips.csv: not readable as a table (line 2 is not UTF-8" in words
    assert "iconv -f WINDOWS-1252 -t UTF-8 'clips.csv'" in words
    assert "codec" not in words
    if encoding == "cp1252":
        assert "'Zoë,a.wav,,f'" in words, "how the line would read shows whether that is the right one"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page, not a table"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git-LFS pointer, not a table"),
    ],
)
def test_what_came_instead_of_a_table_is_called_so(tmp_path, data, words):
    with pytest.raises(DataError, match=words):
        table(tmp_path, data)


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 99, b"speaker\0,voice,face\n\xff\n"])
def test_what_is_no_text_is_called_so(tmp_path, data):
    with pytest.raises(DataError, match="not readable as a table"):
        table(tmp_path, data)


def test_the_one_form_of_a_name():
    assert normal("Jose\u0301") == "José"
    assert normal("sp\u00a000") == normal("sp\u202f00") == normal("sp\u300000") == "sp 00"
    assert normal("\ufeffAda\u200b") == normal("\u202aAda\u202c") == normal("\u2068Ada\u2069\u061c") == "Ada"
    assert normal("می\u200cرود") == "می\u200cرود", "with a joiner it is another word"
    assert normal("\ufb01n") == "\ufb01n", "a letter of its own stays what it is"
    for missing in ("", "NA", "N/A", "n/a", "NaN", "nan", "None", "null", "NULL", "<NA>", "#N/A", "\u00a0NA "):
        assert cell(missing) == ""
    assert [cell(name) for name in ("Nan", "NAN", "Na", " 0 ", "-", "no")] == ["Nan", "NAN", "Na", "0", "-", "no"]


@given(st.text())
def test_the_one_form_is_reached_at_once(text):
    assert normal(normal(text)) == normal(text)
    assert unicodedata.is_normalized("NFC", normal(text))
    assert cell(cell(text)) == cell(text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Speaker,VOICE,Face\nAda,a.wav,\n", [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        (" speaker ;voice; face\nAda;a.wav;\n", [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        ("sep=;\nspeaker;voice;face\nAda;a,b.wav;\n", [{"speaker": "Ada", "voice": "a,b.wav", "face": ""}]),
        ('"sep=\t"\nspeaker\tvoice\tface\nAda\ta.wav\t\n', [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        (",speaker,voice,face\n0,Ada,a.wav,NA\n", [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        ("Unnamed: 0,speaker,voice,face\n0,Ada,a.wav,\n", [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        ("Unnamed: 0.1,Unnamed: 0,speaker,voice,face\n0,0,A,a,\n", [{"speaker": "A", "voice": "a", "face": ""}]),
        ("speaker,voice,face,\nAda,a.wav,,\n", [{"speaker": "Ada", "voice": "a.wav", "face": ""}]),
        ('"speaker", "voice", "face"\n"A, d", "a.wav", None\n', [{"speaker": "A, d", "voice": "a.wav", "face": ""}]),
    ],
)
def test_tables_as_people_have_them(tmp_path, text, rows):
    with noted() as changes:
        assert [row for _, row in table(tmp_path, text)] == rows
    passed_over = [("clips.csv", "a column without a name was passed over")]
    assert changes == (passed_over if text.startswith(("Unn", ",")) else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("speaker,voice,face,sex,SEX\nA,a,,m,f\n", "two columns are called sex"),
        ("speaker,voice\nA,a\n", "no column face"),
        ("speaker,voice,face\nA,a,b,c\n", "row 2: 4 cells under 3 columns"),
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("sep=;\n", "it is empty"),
    ],
)
def test_a_table_that_is_wrong_says_how(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        table(tmp_path, text)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
@example(b'"')
@example(b"speaker,voice,face\n" + b'"' * 3)
def test_whatever_bytes_a_table_has_it_is_rows_or_an_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    for content in (data, b"speaker,voice,face,age\n" + data):
        path.write_bytes(content)
        try:
            rows = numbered_rows(path, ("speaker",), ("voice",))
        except DataError as error:
            rows, words = [], str(error)
        else:
            words = "t.csv"
        assert "t.csv" in words
        assert all(value == cell(value) for _, row in rows for value in row.values())


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example(b"a . /")
@example(b"a/.. b c")
@example(b"0,a,b,1,/,.")
@example(b'0,"')
def test_whatever_bytes_a_list_has_it_is_questions_or_an_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("lists") / "l.txt"
    path.write_bytes(data)
    try:
        questions = read_list(path).questions
    except DataError as error:
        questions, words = [], str(error)
    else:
        words = "l.txt"
    assert "l.txt" in words
    assert all(question.voice and all(question.faces) for question in questions)


# Names that are typed and stored in two forms.

COMPOSED, APART = "José Núñez", unicodedata.normalize("NFD", "José Núñez")


def own_data(root, rows):
    """A folder of 12 people with two clips each, and `rows` more: (speaker, path of the voice)."""
    lines = ["speaker,voice,face"]
    for number in range(12):
        for clip in range(2):
            write_tone(root / f"{number}-{clip}.wav")
            write_noise(root / f"{number}-{clip}.png")
            lines.append(f"p{number},{number}-{clip}.wav,{number}-{clip}.png")
    (root / "clips.csv").write_text("\n".join([*lines, *(f"{speaker},{voice}," for speaker, voice in rows)]))
    return Folder(FolderOptions(cropped=True), root)


def test_one_person_typed_in_two_forms_is_one_person(tmp_path):
    root = tmp_path / "data"
    rows = [(COMPOSED, "one.wav"), (APART, "two.wav"), (COMPOSED.replace(" ", "\u00a0"), "three.wav")]
    for _, voice in rows:
        write_tone(root / voice)
    dataset, workplace = own_data(root, rows), Workplace(cache=tmp_path / "cache", jobs=1)
    store = prepare(dataset, workplace)
    assert store.clips["speaker"].nunique() == 13
    assert (store.clips["speaker"] == COMPOSED).sum() == 3
    assert dict(store.changes[["file", "change"]].itertuples(index=False)) == {
        "clips.csv": "letters and blanks were brought to one form"
    }
    found = examine(dataset, workplace)
    assert (found.speakers, found.clips) == (13, 27)
    assert found.changes == store.changes[["file", "change"]].to_dict("records")
    splits = make_bench(dataset, workplace).protocol.splits
    of_jose = {split for split, clips in splits.items() if any(clip.startswith("José") for clip in clips)}
    assert len(of_jose) == 1, "on one side only"


def test_a_table_that_was_repaired_leaves_no_old_words_in_its_store(tmp_path):
    root, workplace = tmp_path / "data", Workplace(cache=tmp_path / "cache", jobs=1)
    dataset, right = own_data(root, []), (root / "clips.csv").read_text()
    numbered = [f"{number},{line}" for number, line in enumerate(right.splitlines())]
    numbered[0] = "," + numbered[0].removeprefix("0,")
    for text, changes in (("\n".join(numbered), ["a column without a name was passed over"]), (right, []), (right, [])):
        (root / "clips.csv").write_text(text)
        assert list(prepare(dataset, workplace).changes["change"]) == changes
        assert [each["change"] for each in examine(dataset, workplace).changes] == changes


def test_names_that_may_be_one_person_are_listed(tmp_path):
    root = tmp_path / "data"
    rows = [("Ada B", "1.wav"), ("ada  b", "2.wav"), ("\uff21da B", "3.wav"), ("Bea", "4.wav")]
    rows += [
        ("7", "5.wav"),
        ("007", "6.wav"),
        ("7.0", "7.wav"),
        ("70", "8.wav"),
        ("A\u200dli", "9.wav"),
        ("Ali", "10.wav"),
    ]
    for _, voice in rows:
        write_tone(root / voice)
    found = examine(own_data(root, rows), Workplace(cache=tmp_path / "cache", jobs=1))
    assert found.speakers == 22
    alike = "names that differ in capitals, blanks or the form of letters or numbers alone were taken for two speakers"
    assert [each["file"] for each in found.changes if each["change"] == alike] == [
        "Ada B / ada  b / \uff21da B",
        "007 / 7 / 7.0",
        "Ali / A\u200dli",
    ]


@pytest.mark.parametrize(
    ("typed", "on_disk"),
    [
        (f"{COMPOSED}/a.wav", f"{APART}/a.wav"),
        (f"{APART}/a.wav", f"{COMPOSED}/a.wav"),
        ("my voices/a.wav", "my\u00a0voices/a.wav"),
        ("voices\\sub\\a.wav", "voices/sub/a.wav"),
        (".\\voices\\a.wav", "voices/a.wav"),
        ("Voices/A.WAV", "voices/a.wav"),
    ],
)
def test_a_file_whose_name_the_disk_has_in_another_form_is_read(tmp_path, typed, on_disk):
    root = tmp_path / "data"
    write_tone(root / on_disk)
    dataset = own_data(root, [("Ada", typed)])
    assert dataset.index()["voice"].iloc[-1] == on_disk
    store = prepare(dataset, Workplace(cache=tmp_path / "cache", jobs=1))
    assert store.left_out.empty
    assert store.clips["voice"].iloc[-1]


def test_where_two_files_could_be_meant_none_is(tmp_path):
    for name in ("A.wav", "a.WAV"):
        touch(tmp_path / name)
    assert FilesBelow(tmp_path).spelled("a.wav") == "a.wav"
    assert FilesBelow(tmp_path).spelled("A.wav") == "A.wav", "the one that is called so"
    touch(tmp_path / f"{APART}.wav")
    touch(tmp_path / f"{APART.upper()}.wav")
    assert FilesBelow(tmp_path).spelled(f"{COMPOSED}.wav") == f"{APART}.wav", "capitals count where they can"


def test_folders_named_in_another_form_than_the_metadata_join(tmp_path):
    """VGGFace's pictures from a Mac, whose disk takes letters apart."""
    root = tmp_path / "data"
    for number, name in enumerate(("Zoé_Quinn", "Ana_Peña", "Carl_Fox")):
        write_tone(root / "wav" / f"id1000{number}" / "video" / "00001.wav")
        for picture in range(2):
            write_noise(root / "VGG_ALL_FRONTAL" / unicodedata.normalize("NFD", name) / f"{picture}.jpg")
    rows = "".join(
        f"id1000{n}\t{name}\t{'fm'[n // 2]}\tX\n" for n, name in enumerate(("Zoé_Quinn", "Ana_Peña", "Carl_Fox"))
    )
    (root / "vox1_meta.csv").write_text("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\n" + rows)
    dataset = VoxcelebVggface(VoxcelebVggfaceOptions(), root)
    store = prepare(dataset, Workplace(cache=tmp_path / "cache", jobs=1))
    assert store.left_out.empty
    assert store.clips.groupby("speaker")[["voice", "face"]].sum().to_dict("index") == {
        name: {"voice": 1, "face": 2} for name in ("Zoé_Quinn", "Ana_Peña", "Carl_Fox")
    }


def test_a_name_that_is_no_utf8_costs_its_file_alone(tmp_path):
    root = tmp_path / "data"
    write_tone(root / "wav" / "id10001" / "video" / "1.wav")
    source = root / "wav" / "id10001" / "video" / "1.wav"
    latin = os.fsencode(source.parent) + b"/Jos\xe9.wav"
    try:
        os.link(source, latin)
    except OSError:
        pytest.skip("this disk takes no such name")
    write_noise(root / "unzippedFaces" / "Ada" / "1.6" / "video" / "1.jpg")
    (root / "vox1_meta.csv").write_text("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\nid10001\tAda\tf\tUSA\n")
    dataset, workplace = VoxcelebVggface(VoxcelebVggfaceOptions(), root), Workplace(cache=tmp_path / "cache", jobs=1)
    store = prepare(dataset, workplace)
    assert store.changes["file"].tolist() == ["wav/id10001/video/Jos\\udce9.wav"]
    assert "a file was passed over whose name is not in UTF-8" in store.changes["change"][0]
    assert (store.meta["voices"], store.meta["faces"], store.meta["left_out"]) == (1, 1, 0)
    assert len(examine(dataset, workplace).changes) == 1


def test_a_heading_that_says_separators_is_no_row_of_its_own(tmp_path):
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([("speaker", "voice", "face"), ("", "a.wav", "")])
    (tmp_path / "clips.csv").write_text("sep=;\n" + text.getvalue())
    with pytest.raises(DataError, match="row 2: no speaker"):
        Folder(FolderOptions(), tmp_path).index()


def test_text_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv: not readable as a table \(No such file"):
        read_text(tmp_path / "gone.csv", "a table")
