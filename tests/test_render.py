"""Each format of a leaderboard: the very text of one, hostile names in all, and what pandas and LaTeX make of them.

`GOLDEN=write pytest tests/test_render.py` writes the texts of tests/golden anew, to be read before they are committed.
"""

import base64
import csv
import html.parser
import io
import json
import math
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_records import JUDGE, R5, RANK, SPEAKERS, judge_facts, made_run, made_values, records_in, result, unavailable

from v2f_bench.interfaces import UsageError
from v2f_bench.leaderboard import Choice, leaderboard
from v2f_bench.record import HumanEstimate, HumanNumber, Slice
from v2f_bench.render import Format, format_for, render
from v2f_bench.render.terminal import as_terminal
from v2f_bench.render.words import plain

GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {
    **{Format.MARKDOWN: "md", Format.CSV: "csv", Format.CSV_LONG: "long.csv", Format.JSON: "json"},
    **{Format.LATEX: "tex", Format.HTML: "html", Format.TERMINAL: "txt"},
}
HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    "a|b",
    "\\input{x}",
    "\U0001f98a fox",
    "$x_1$ & 50 % #1 ~^{}",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }} {% raw %}",
    "[red]bold[/red] :smile:",
    "\u202eltr\u2066 \x1b[31mred \x07",
    "]]> --> </style></svg>",
]


def people(measure="human-match", study="5tudy", value=0.62):
    """What a study says of a run's faces."""
    return HumanNumber(
        measure=measure,
        means="the share of rounds in which the right one of two faces was chosen",
        study=study,
        estimate=HumanEstimate(value, value - 0.06, value + 0.06, 480, 24, 20),
        chance=0.5,
        p_chance=0.01,
        expected=73,
        missing=0,
        calibration=HumanEstimate(0.88, 0.82, 0.93, 240, 24, 20),
        floor=None,
        responsible="",
        faces="f" * 64,
    )


def small_board(root):
    """Two methods of three seeds, a single run, a floor and a ceiling; groups, people, and what could not be had."""
    slices = [
        Slice("sex", "female", 0.25, 0.2, 0.3, 40, 20, False),
        Slice("sex", "male", 0.5, None, None, 6, 2, True),
    ]
    for name, quality in (("better", 0.6), ("worse", 0.2)):
        for seed in range(3):
            values = made_values(seed, of_r5=quality, of_rank=0.5 - quality / 2)
            human = [people(value=0.5 + quality / 5)] if seed == 0 else []
            made_run(root, name, values, seed, result_changes={"slices": slices}, human=human)
    made_run(root, "single", made_values(7, of_r5=0.3), extra=[unavailable("fid", "inception: weights are not here")])
    made_run(root, "floor-face", made_values(8, of_r5=0.05, of_rank=0.5), method__baseline=True)
    made_run(root, "real-photo", made_values(9, of_r5=0.9, of_rank=0.05), method__baseline=True, answers=["real-photo"])
    return leaderboard(records_in(root), Choice(by=("sex",), overall=True, every_column=True))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return small_board(tmp_path_factory.mktemp("board"))


def without_pictures(text):
    """A page without its plots, which are matplotlib's, and without the version."""
    text = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+", "data:plot", text)
    return re.sub(r"v2f-bench \d[\w.+]*", "v2f-bench VERSION", text)


def rounded(text):
    """Numbers at full precision to ten digits: another build of numpy sums in another order."""
    return re.sub(r"-?\d+\.\d{10,}(e-\d+)?", lambda number: f"{float(number[0]):.10f}", text)


@pytest.mark.parametrize("form", list(ENDINGS), ids=str)
def test_a_leaderboard_as_it_was_read_and_approved(board, form, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    text = rounded(without_pictures(render(board, form)))
    file = GOLDEN / f"leaderboard.{ENDINGS[form]}"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_csv_and_json_give_pandas_every_digit(board):
    long = pd.read_csv(io.StringIO(render(board, Format.CSV_LONG))).fillna({"by": "", "group": ""})
    cells = pd.DataFrame(json.loads(render(board, Format.JSON))["cells"])
    row = board.boards[0].rows[1]
    for table in (long, cells):
        one = table[(table["method"] == row.name) & (table["measure"] == R5) & (table["by"] == "")].iloc[0]
        assert one["value"] == row.cells[0].value, "to the last digit"
        assert (one["low"], one["high"]) == (row.cells[0].low, row.cells[0].high)
        assert (one["rank"], one["seeds"], one["dataset"]) == (row.standing.rank, len(row.seeds), "made-data")
        groups = table[(table["method"] == "better") & (table["by"] == "sex") & (table["measure"] == R5)]
        assert dict(zip(groups["group"], groups["value"], strict=True)) == {"female": 0.25, "male": 0.5}
    wide = pd.read_csv(io.StringIO(render(board, Format.CSV))).set_index("method")
    assert wide.loc["better", f"{RANK} @ {JUDGE}"] == next(
        cell.value
        for cell, column in zip(row_of(board, "better").cells, board.boards[0].columns, strict=True)
        if column.measure == RANK
    )
    assert math.isnan(wide.loc["single", "human-match @ people 5tudy"])


def row_of(board, name):
    return next(row for row in board.boards[0].rows if row.name == name)


def test_people_have_a_column_of_their_own_with_raters_and_real_photographs(board):
    (column,) = [column for column in board.boards[0].columns if column.by_people]
    place = board.boards[0].columns.index(column)
    cell = row_of(board, "better").cells[place]
    assert (cell.value, cell.raters, cell.items, cell.n) == (0.62, 24, 20, 480)
    assert board.boards[0].ceilings[place].value == 0.88
    assert board.boards[0].floors[place].value == 0.5
    assert row_of(board, "single").cells[place].status == "not measured"
    (note,) = [note.text for note in board.boards[0].notes if "people, no judge" in note.text]
    assert "24 raters, 20 speakers, 960 answers" in note
    assert "real photographs 0.880 [0.820, 0.930]" in note
    assert board.boards[0].ranked_by.judge == JUDGE, "people rank only where somebody asks for it"


def test_what_papers_report_stands_apart_and_has_no_rank(tmp_path):
    made_run(tmp_path, "cae", dataset__name="voxceleb-vggface")
    text = render(leaderboard(records_in(tmp_path)), Format.MARKDOWN)
    table, reported = text.split("## As reported")
    assert "0.720" not in table
    assert "0.720" in reported
    assert "20 people, 100 rounds each" in reported
    assert "rank" not in reported.split("\n\n")[2].splitlines()[0]


def test_the_overall_order_is_empty_where_a_metric_is_missing(tmp_path):
    for name, shift in (("a", 0.0), ("b", 0.1)):
        made_run(tmp_path, name, {m: v + shift for m, v in made_values().items()})
    made_run(tmp_path, "lacking", {R5: made_values()[R5] + 0.2})
    rows = {row.name: row for row in leaderboard(records_in(tmp_path), Choice(overall=True)).boards[0].rows}
    assert rows["lacking"].overall is None
    # Of two that are whole: b first by R@5 (higher), last by normalised rank (lower), and a the other way round.
    assert [rows[name].overall.value for name in "ab"] == [0.5, 0.5]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A board in which every name from outside is hostile."""
    root = tmp_path_factory.mktemp("hostile")
    for text in HOSTILE:
        values = made_values(len(text))
        foreign = replace(result(text, values[R5], floor_is=text, failure_policy=text, failed=1), judge=text)
        slices = [Slice("sex", text, 0.25, 0.2, 0.3, 40, 20, False)]
        more = {"judges": [judge_facts(), judge_facts(text, people=text)], "result_changes": {"slices": slices}}
        made_run(root, text, values, extra=[foreign, unavailable(text, text)], dataset__licence=text, **more)
        made_run(root, f"floor {text}", values, method__baseline=True, human=[people(text, text)])
    return leaderboard(records_in(root), Choice(by=("sex",), every_column=True))


class Tags(html.parser.HTMLParser):
    """The elements, attributes and visible text of a page."""

    def __init__(self, page):
        super().__init__()
        self.found, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


def test_hostile_names_are_only_text_in_html(hostile, board):
    page = Tags(render(hostile, Format.HTML))
    assert {tag for tag, _ in page.found} == {tag for tag, _ in Tags(render(board, Format.HTML)).found}
    assert sum(tag == "script" for tag, _ in page.found) == 1, "its own"
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert all(a["href"].startswith("#") for tag, a in page.found if tag == "a"), "no address outside"
    sources = [a["src"] for _, a in page.found if "src" in a]
    assert all(source.startswith("data:") for source in sources)
    text = "".join(page.words)
    for name in HOSTILE:
        assert plain(name) in text
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_a_picture_refers_only_to_what_is_in_it(board):
    """Names in it are shortened, and those of nothing left out."""
    svg = render(board, Format.SVG)
    names, references = re.findall(r' id="([^"]*)"', svg), re.findall(r'(?:href="|url\()#([^)"]*)', svg)
    assert len(references) > 50
    assert set(names) == set(references)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("may_be_shown", "size", "shown"), [("yes", 40, 2), ("not stated", 40, 0), ("yes", 7000, 0)])
def test_faces_stand_beside_a_row_where_they_may_be_shown(tmp_path, may_be_shown, size, shown):
    """Those of the first seed that has some; a file that would fill the page is passed over."""
    for name in ("ours", "theirs"):
        for seed in range(3):
            folder = made_run(tmp_path, name, made_values(seed), seed, dataset__may_be_shown=may_be_shown)
            if seed:
                (folder / "thumbnail.webp").write_bytes(f"{name} {seed} ".encode() + bytes(size))
    page = render(leaderboard(records_in(tmp_path)), Format.HTML)
    pictures = [base64.b64decode(one) for one in re.findall('src="data:image/webp;base64,([^"]*)"', page)]
    assert [picture.split(b" ")[:2] for picture in pictures] == [[b"ours", b"1"], [b"theirs", b"1"]][:shown]
    assert ("Below a name" in page) == bool(shown)


def test_hostile_names_are_only_text_in_pictures(hostile):
    import xml.etree.ElementTree as ElementTree

    root = ElementTree.fromstring(render(hostile, Format.SVG))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not kinds & {"script", "image", "foreignObject", "a", "iframe"}
    assert "<script>alert(1)</script>" in "".join(root.itertext())


@pytest.mark.parametrize("form", [Format.CSV, Format.CSV_LONG])
def test_no_cell_of_a_spreadsheet_is_a_formula(hostile, form):
    rows = list(csv.reader(io.StringIO(render(hostile, form))))
    assert all(len(row) == len(rows[0]) for row in rows)
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
        if cell.startswith("-"):
            float(cell)
    assert "'=cmd|'/C calc'!A0" in {cell for row in rows for cell in row}


def test_latex_of_hostile_names_holds_no_command_of_theirs(hostile):
    text = render(hostile, Format.LATEX)
    assert text.isascii()
    ours = set(re.findall(r"\\[A-Za-z]+", text))
    assert "\\input" not in ours
    assert "\\textbackslash{}input\\{x\\}" in text
    rows = [line for line in text.splitlines() if line.endswith("\\\\") and "&" in line]
    of_table = [line for line in rows if "multicolumn" not in line]
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in of_table}) <= 3, "one width a table"
    assert text.count("{") == text.count("}") or re.sub(r"\\[{}]", "", text).count("{") == re.sub(
        r"\\[{}]", "", text
    ).count("}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX here: apt install texlive-latex-recommended")
def test_latex_compiles(hostile, board, tmp_path):
    head = "\\documentclass{article}\\usepackage{booktabs}\\usepackage[margin=1cm,paperwidth=300cm]{geometry}\n"
    head += "\\begin{document}\n"
    text = head + render(board, Format.LATEX) + render(hostile, Format.LATEX) + "\\end{document}\n"
    (tmp_path / "page.tex").write_text(text)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_json_keeps_names_as_they_are(hostile):
    names = {row["name"] for row in json.loads(render(hostile, Format.JSON))["boards"][0]["rows"]}
    assert set(HOSTILE) <= names


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_terminal_is_never_too_narrow(board, hostile, width):
    from rich.cells import cell_len

    for found in (board, hostile):
        lines = as_terminal(found, width).splitlines()
        assert max(map(cell_len, lines)) <= width
    assert "R@5" in as_terminal(board, width)
    assert "\x1b" not in as_terminal(hostile, width)


def test_a_narrow_terminal_names_the_columns_that_it_leaves_out(board):
    narrow, wide = as_terminal(board, 60), as_terminal(board, 200)
    assert "Not shown here:" in narrow
    assert "Not shown here:" not in wide


def test_only_some_rows_in_the_order_that_was_asked_for(tmp_path):
    for name, quality in (("cgan-a", 0.2), ("cgan-b", 0.6), ("other", 0.4)):
        made_run(tmp_path, name, made_values(of_r5=quality))
    records = records_in(tmp_path)

    def names(**choice):
        return [row.name for row in leaderboard(records, Choice(**choice)).boards[0].rows]

    assert names() == ["cgan-b", "other", "cgan-a"]
    assert names(order="name") == ["cgan-a", "cgan-b", "other"]
    assert names(methods=("other", "cgan-*"), order="given") == ["other", "cgan-b", "cgan-a"]
    assert names(methods=("cgan-*",)) == ["cgan-b", "cgan-a"]
    ranks = [row.standing.rank for row in leaderboard(records, Choice(methods=("cgan-*",))).boards[0].rows]
    assert ranks == [1, 3], "among all"
    with pytest.raises(UsageError, match="did you mean 'other'"):
        names(methods=("othr",))
    with pytest.raises(UsageError, match="--order"):
        names(order="random")


def test_the_ending_says_the_format():
    for ending, form in (
        (".tex", Format.LATEX),
        (".html", Format.HTML),
        (".md", Format.MARKDOWN),
        (".CSV", Format.CSV),
    ):
        assert format_for(Path(f"table{ending}"), None) is form
    assert format_for(Path("table.txt"), Format.JSON) is Format.JSON
    assert format_for(None, None) is Format.TERMINAL
    with pytest.raises(UsageError, match=r"\.xlsx"):
        format_for(Path("table.xlsx"), None)


def test_ranks_hold_what_the_tests_leave_open(tmp_path):
    """Two that cannot be told apart share their ranks; one far behind has its own."""
    values = made_values()[R5]
    noise = np.random.default_rng(5).normal(0, 0.05, len(SPEAKERS))
    for name, of_r5 in (("a", values), ("b", values + noise), ("far", values - 0.5)):
        made_run(tmp_path, name, {R5: of_r5})
    rows = {row.name: row.standing for row in leaderboard(records_in(tmp_path)).boards[0].rows}
    assert {(rows[name].best, rows[name].worst) for name in "ab"} == {(1, 2)}
    assert (rows["far"].rank, rows["far"].best, rows["far"].worst) == (3, 3, 3)
