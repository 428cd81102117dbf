"""The committed pages are what the committed records say."""

import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "leaderboards"


@pytest.fixture(scope="module")
def rebuild():
    spec = importlib.util.spec_from_file_location("rebuild", FOLDER / "rebuild.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wanted(rebuild):
    return rebuild.pages(rebuild.read_all())


def test_tables_match_records(rebuild, wanted):
    assert [path.name for path in rebuild.different(wanted)] == [], "python leaderboards/rebuild.py makes them anew"
    assert {path.name for path in wanted} == {
        path.name for path in FOLDER.iterdir() if path.suffix in (".md", ".html")
    } - {"README.md"}


def test_one_changed_number_is_noticed(rebuild, wanted, tmp_path):
    """In what lies beside a record, and in a page."""
    copy = shutil.copytree(FOLDER / "records", tmp_path / "records")
    path = next(iter(sorted(copy.rglob("cae/*/trials.parquet"))))
    trials = pd.read_parquet(path)
    trials["retrieval/R@5 @ in-domain-identity"] = 1.0
    trials.to_parquet(path, index=False)
    changed = rebuild.pages(rebuild.read_all(copy))
    assert {path.name for path in rebuild.different(changed)} == {path.name for path in wanted}
    page = FOLDER / "index.html"
    text = page.read_text(encoding="utf-8")
    assert rebuild.comparable(text.replace("0.", "1.", 1)) != rebuild.comparable(text)


def test_the_page_of_all_records_is_small():
    assert (FOLDER / "index.html").stat().st_size < 300_000
