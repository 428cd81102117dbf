"""The source hash of a plugin: all that its work depends on, and nothing else."""

import importlib
import os
import subprocess
import sys
import time

import pytest

from v2f_bench import keys
from v2f_bench.sources import CORE_FOLDER, code_of, core_key, core_modules_behind, source_key

PACKAGE = {
    "plugin_a/__init__.py": "",
    "plugin_a/method.py": "import numpy\nfrom plugin_a import inside\nfrom helper_b.deep import used\nclass P: pass",
    "plugin_a/inside.py": "def late():\n    import lone_c",
    "plugin_a/notes.txt": "notes",
    "helper_b/__init__.py": "",
    "helper_b/deep.py": "from . import deeper\nused = 1",
    "helper_b/deeper.py": "x = 1",
    "lone_c.py": "y = 1",
    "unrelated.py": "z = 1",
    "typing_only.py": "t = 1",
}


@pytest.fixture
def key_of_tree(tmp_path):
    """The source key of class `P` of a tree of packages, found by a process of its own."""

    def key(files=PACKAGE, folder=None):
        folder = folder or tmp_path / f"tree-{time.monotonic_ns()}"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        code = "from plugin_a.method import P; from v2f_bench.sources import source_key; print(source_key(P))"
        env = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return key


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("plugin_a/method.py", True),
        ("plugin_a/inside.py", True),
        ("helper_b/deep.py", True),
        ("helper_b/deeper.py", True),
        ("lone_c.py", True),
        ("unrelated.py", False),
        ("plugin_a/notes.txt", False),
    ],
)
def test_what_the_key_of_a_plugin_depends_on(key_of_tree, file, matters):
    """A helper package counts, also where it is imported inside a function."""
    changed = PACKAGE | {file: PACKAGE[file] + "\nmore = 1\n"}
    assert (key_of_tree(changed) != key_of_tree()) is matters


def test_files_that_come_and_go_matter_and_places_and_line_ends_do_not(key_of_tree, tmp_path):
    plain = key_of_tree()
    assert key_of_tree(folder=tmp_path / "elsewhere") == plain
    assert key_of_tree({name: text.replace("\n", "\r\n") for name, text in PACKAGE.items()}) == plain
    assert key_of_tree(PACKAGE | {"plugin_a/new.py": ""}) != plain
    renamed = {name.replace("inside", "within"): text.replace("inside", "within") for name, text in PACKAGE.items()}
    assert key_of_tree(renamed) != plain


COMMENTED = '''"""A module."""

# Why.
def f(x):  # here
    """A docstring

    of several lines: äöü."""

    text = """kept # not a comment

    with its blank line"""
    return f"{x}#{text}"  # end


class C:
    """Only a docstring."""
'''
BARE = '''def f(x):
    text = """kept # not a comment

    with its blank line"""
    return f"{x}#{text}"
class C:
'''


def test_comments_docstrings_and_blank_lines_do_not_matter(key_of_tree):
    assert code_of(COMMENTED.encode()).decode() == BARE.rstrip("\n")
    plain = "def f():\n    return 1\n"
    worded = '"""Words."""\n\n# a comment\ndef f():  # another\n    """More words."""\n    return 1\n'
    assert key_of_tree(PACKAGE | {"plugin_a/inside.py": plain}) == key_of_tree(PACKAGE | {"plugin_a/inside.py": worded})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = '# a'", "x = '# b'"),
        ('x = """a\n\nb"""', 'x = """a\nb"""'),
        ("if x:\n    y = 1\nz = 1", "if x:\n    y = 1\n    z = 1"),
        ("'a docstring'\nx = 1", "x = 'a docstring'\nx = 1"),
        ("def f():\n    return 'words'", "def f():\n    return 'other words'"),
        ("not python {", "not python }"),
        ("x = a \\\n\n-y", "x = a \\\n-y"),  # after an empty line a new statement
        ("x = a \\\n# c\n-y", "x = a \\\n-y"),
        ("\ufeffx=1#c", "\ufeffx=2#c"),
        ("# coding: latin-1\nx = 'ä'", "# coding: utf-8\nx = 'ä'"),
    ],
)
def test_code_and_texts_matter(one, other):
    assert code_of(one.encode()) != code_of(other.encode())


def test_lines_that_end_as_on_old_machines_are_lines(key_of_tree):
    keys = {
        key_of_tree(PACKAGE | {"plugin_a/inside.py": text.replace("\n", "\r")})
        for text in ('"Words."\n# c\ny = 1\n', "y = 1\n", '"Words."\n# c\ny = 2\n')
    }
    assert len(keys) == 2


def test_a_mark_of_the_byte_order_does_not_matter():
    assert code_of("\ufeff'Words.'\nx = 1  # c".encode()) == b"x = 1"


def test_imports_for_type_checkers_do_not_matter(key_of_tree):
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import typing_only\n"
    files = PACKAGE | {"plugin_a/inside.py": guarded}
    assert key_of_tree(files) == key_of_tree(files | {"typing_only.py": "t = 2"})


@pytest.mark.slow
def test_an_installed_release_counts_by_what_its_installer_wrote_down(installed, tmp_path):
    """The same version with other files is another source."""
    folder = installed("third_party")
    tree = tmp_path / "tree"
    (tree / "plugin_a").mkdir(parents=True)
    (tree / "plugin_a" / "__init__.py").write_text("import v2f_grey\nclass P: pass")
    code = "from plugin_a import P; from v2f_bench.sources import source_key; print(source_key(P))"

    def key():
        env = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{folder}"}
        return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout

    before = key()
    record = next(folder.glob("*.dist-info/RECORD"))
    lines = record.read_text().splitlines()
    changed = [line.replace("sha256=", "sha256=X") if line.startswith("v2f_grey.py") else line for line in lines]
    assert changed != lines
    record.write_text("\n".join(changed))
    assert key() != before


def test_a_metric_of_the_core_depends_on_its_own_modules_alone():
    behind = core_modules_behind("v2f_bench.metrics.frechet")
    assert {"v2f_bench.metrics.frechet", "v2f_bench.metrics.vectors"} <= behind
    assert not any(name.startswith("v2f_bench.judges") or name == "v2f_bench.metrics.retrieval" for name in behind)
    from v2f_bench.metrics import Fid, Retrieval

    assert source_key(Fid) != source_key(Retrieval)


# The modules of v2f-bench that a stage's entry imports, and that cannot change what it makes.
NO_PART = {
    *("v2f_bench.files", "v2f_bench.hashing", "v2f_bench.keys", "v2f_bench.sources", "v2f_bench.contracts"),
    *("v2f_bench.harness.circumstances", "v2f_bench.harness.containment", "v2f_bench.harness.memory"),
    *("v2f_bench.harness.plan", "v2f_bench.harness.spec", "v2f_bench.harness.stage", "v2f_bench.harness.tensors"),
    "v2f_bench.harness.workplace",
    *("v2f_bench.record", "v2f_bench.record.files", "v2f_bench.record.schema", "v2f_bench.record.upgrade"),
}
# Modules whose output a stage reads: that is in its key by its content.
BY_CONTENT = (
    *("v2f_bench.data.protocol", "v2f_bench.data.tracks", "v2f_bench.data.splits", "v2f_bench.data.lists"),
    *("v2f_bench.data.store_writer", "v2f_bench.data.overlap", "v2f_bench.harness.prepare", "v2f_bench.harness.bench"),
    "v2f_bench.harness.reading",
    *("v2f_bench.harness.frame_judge", "v2f_bench.media", "v2f_bench.judges", "v2f_bench.artefacts.origin"),
    *("v2f_bench.harness.judges", "v2f_bench.datasets", "v2f_bench.data.variants"),
)

# The voices of trials, which judges do not hear: what methods make of them is in the key of the faces.
VOICES = ("v2f_bench.audio.noise", "v2f_bench.data.voices", "v2f_bench.harness.trial_voices")


@pytest.mark.parametrize(
    ("entry", "parts", "earlier"),
    [
        ("v2f_bench.harness.fit", keys.LEARNING + keys.DRAWING, ()),
        ("v2f_bench.harness.generate", keys.DRAWING, ("v2f_bench.harness.fit",)),
        ("v2f_bench.harness.views", keys.VIEWING, VOICES),
        ("v2f_bench.harness.score", keys.SCORING + keys.VIEWING, VOICES),
    ],
)
def test_the_parts_of_a_key_are_all_that_the_stage_imports(entry, parts, earlier):
    """A module that a stage begins to use must come into its key, or be named here as one that cannot matter."""
    files = {CORE_FOLDER / part for part in parts}

    def counted(module):
        path = CORE_FOLDER.joinpath(*module.split(".")[1:])
        own = {path.with_suffix(".py"), path, *path.parents}
        return bool(own & files)

    unexplained = {
        module
        for module in core_modules_behind(entry)
        if not counted(module) and module not in NO_PART and not module.startswith((*BY_CONTENT, *earlier))
    }
    assert not unexplained


@pytest.mark.parametrize("parts", [keys.SEEING, keys.LEARNING, keys.DRAWING, keys.VIEWING, keys.SCORING, keys.DECODING])
def test_every_part_of_a_key_is_there(parts):
    for part in parts:
        assert (CORE_FOLDER / part).exists(), part


def test_a_core_key_depends_on_its_files(tmp_path, monkeypatch):
    from v2f_bench import sources

    monkeypatch.setattr(sources, "CORE_FOLDER", tmp_path)
    for name in ("a/x.py", "a/deep/y.py", "b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    before = core_key("a")
    (tmp_path / "b.py").write_text("2")
    assert core_key("a") == before
    (tmp_path / "a/deep/y.py").write_text("2")
    assert core_key("a") != before


def test_every_bundled_plugin_has_a_source_key():
    from v2f_bench.plugins import Registry, registry

    found: Registry = registry()
    keys_of = {plugin.name: source_key(plugin.cls) for plugin in found.plugins}
    assert all(len(key) == 16 for key in keys_of.values())
    assert importlib.import_module("v2f_cae")
