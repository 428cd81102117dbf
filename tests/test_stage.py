"""Work that appears whole or not at all, is done once, and is known by a key of all that went into it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2f_bench.files import write_text_whole, write_whole
from v2f_bench.harness.stage import MARKER, adopt, is_done, read_marker, stage
from v2f_bench.hashing import canonical_json, file_sha256, key_of


def files_in(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != MARKER}


def making(**files):
    """A `make` that writes these files, and notes in `calls` what it found in its folder."""

    def make(unfinished):
        make.calls.append(sorted(path.name for path in unfinished.iterdir() if path.name != "key"))
        for name, text in files.items():
            if isinstance(text, Exception):
                raise text
            (unfinished / name).write_text(text)

    make.calls = []
    return make


def test_work_is_done_once_a_key(tmp_path):
    folder, make = tmp_path / "deep" / "out", making(a="1", b="2")
    assert not is_done(folder, "k1")
    assert stage(folder, "k1", make) is True
    assert stage(folder, "k1", make) is False
    assert make.calls == [[]]
    assert files_in(folder) == {"a": "1", "b": "2"}
    assert is_done(folder, "k1")
    assert not is_done(folder, "k2")


def test_the_marker_tells_time_and_memory(tmp_path):
    stage(tmp_path / "out", "k1", lambda unfinished: time.sleep(0.2))
    marker = read_marker(tmp_path / "out")
    assert marker["key"] == "k1"
    assert 0.2 <= marker["seconds"] < 5
    assert 5 < marker["peak_memory_mib"] < 100_000
    assert marker["resumed"] is False
    assert read_marker(tmp_path / "nothing") == {}


def test_another_key_replaces_the_whole_folder_but_only_when_it_is_done(tmp_path):
    folder = tmp_path / "out"
    stage(folder, "k1", making(old="1", both="1"))

    def make(unfinished):
        assert files_in(folder) == {"old": "1", "both": "1"}, "the old output stays while the new one is made"
        (unfinished / "both").write_text("2")

    with pytest.raises(ZeroDivisionError):
        stage(folder, "k2", making(both="2", broken=ZeroDivisionError()))
    assert files_in(folder) == {"old": "1", "both": "1"}
    assert is_done(folder, "k1")
    assert stage(folder, "k2", make)
    assert files_in(folder) == {"both": "2"}
    assert not is_done(folder, "k1")


@pytest.mark.parametrize(
    ("resumable", "second_key", "found", "resumed"),
    [(True, "k1", ["half"], True), (True, "k2", [], False), (False, "k1", [], False)],
)
def test_what_a_failed_attempt_leaves(tmp_path, resumable, second_key, found, resumed):
    """A resumable stage goes on at the same key; everything else starts with an empty folder."""
    folder = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        stage(folder, "k1", making(half="1", broken=ZeroDivisionError()), resumable=resumable)
    assert not folder.exists()
    make = making(rest="2")
    assert stage(folder, second_key, make, resumable=resumable)
    assert make.calls == [found]
    assert files_in(folder) == {"rest": "2"} | ({"half": "1"} if resumed else {})
    assert read_marker(folder)["resumed"] is resumed
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


@pytest.mark.parametrize("marker", ["", "{", '{"seconds": 1}', "[]", "7", "null", b"\xff\xfe"])
def test_a_folder_with_a_damaged_marker_is_made_again(tmp_path, marker):
    folder = tmp_path / "out"
    stage(folder, "k1", making(a="1"))
    (folder / MARKER).write_bytes(marker if isinstance(marker, bytes) else marker.encode())
    assert not is_done(folder, "k1")
    assert stage(folder, "k1", making(a="2"))
    assert files_in(folder) == {"a": "2"}


WORKER = """
import os, signal, sys, time
from pathlib import Path
from v2f_bench.files import write_whole
from v2f_bench.harness.stage import stage
what, folder = sys.argv[1], Path(sys.argv[2])
def slow(unfinished):
    (unfinished / "started").write_text(str(os.getpid()))
    with (folder.parent / "log").open("a") as log:
        log.write("made\\n")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    (unfinished / "last").write_text("whole")
def half(path):
    path.write_text("half of the new te")
    os.kill(os.getpid(), signal.SIGKILL)
if what == "write":
    write_whole(folder, half)
else:
    done = stage(folder, "k1", slow)
    print(done, (folder / "last").read_text())
"""


@pytest.fixture
def start(tmp_path):
    """Start another process that works on a folder."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)

    def started(what, folder):
        command = [sys.executable, str(script), what, str(folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return started


def test_two_processes_do_the_work_once_and_both_find_it_whole(tmp_path, start):
    folder = tmp_path / "out"
    workers = [start("work", folder) for _ in range(3)]
    said = [worker.communicate(timeout=60) for worker in workers]
    assert sorted(out for out, _ in said) == ["False whole\n", "False whole\n", "True whole\n"], said
    assert (tmp_path / "log").read_text() == "made\n"


def test_a_killed_process_leaves_nothing_that_looks_finished_and_no_lock(tmp_path, start):
    folder = tmp_path / "out"
    worker = start("die", folder)
    worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL
    assert (tmp_path / "log").exists(), "it died at work, not before"
    assert not folder.exists()
    make = making(a="1")
    before = time.monotonic()
    assert stage(folder, "k1", make)
    assert time.monotonic() - before < 5
    assert make.calls == [[]]
    assert files_in(folder) == {"a": "1"}


def test_the_same_work_is_taken_from_where_it_was_done(tmp_path):
    stage(tmp_path / "one", "k1", making(a="1"), facts={"threads": 2})
    stage(tmp_path / "two", "k2", making(a="2"))
    make = making(a="3")
    assert adopt(tmp_path / "here", "k1", [tmp_path / "two", tmp_path / "one", tmp_path / "none"])
    assert not stage(tmp_path / "here", "k1", make)
    assert make.calls == []
    assert files_in(tmp_path / "here") == {"a": "1"}
    assert read_marker(tmp_path / "here") == read_marker(tmp_path / "one"), "its time and threads are those of the work"
    assert not adopt(tmp_path / "here", "k3", [tmp_path / "one"])
    assert files_in(tmp_path / "here") == {"a": "1"}


class Lines(list):
    line = list.append


def test_a_long_wait_for_another_process_is_said(tmp_path, start, monkeypatch):
    from v2f_bench.harness import stage as module

    monkeypatch.setattr(module, "PATIENCE", 0.05)
    folder, lines = tmp_path / "out", Lines()
    worker = start("work", folder)
    while not (tmp_path / ".out.unfinished" / "started").exists():
        time.sleep(0.01)
    assert stage(folder, "k1", making(a="1"), progress=lines) is False
    worker.communicate(timeout=60)
    assert len(lines) == 1
    assert f"waiting for another process that is working on {folder}" in lines[0]


def test_what_a_killed_writer_left_is_cleaned_up_by_the_next(tmp_path, start):
    path = tmp_path / "record.json"
    start("write", path).communicate(timeout=60)
    (left,) = tmp_path.glob(".record.json.*.unfinished")
    assert left.read_text() == "half of the new te"
    elsewhere = tmp_path / ".record.json.another-machine.1.abcdef01.unfinished"
    elsewhere.write_text("whose process is not ours to judge")
    write_text_whole(path, "new")
    assert not left.exists()
    assert elsewhere.exists()


def test_a_file_is_replaced_whole(tmp_path, start):
    path = tmp_path / "record.json"
    write_text_whole(path, "old")
    assert path.read_text() == "old"

    def fails(unfinished):
        unfinished.write_text("ne")
        assert path.read_text() == "old"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(path, fails)
    assert path.read_text() == "old"
    write_text_whole(path, "ñew")
    assert path.read_text(encoding="utf-8") == "ñew"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["record.json", "worker.py"]
    worker = start("write", path)
    worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL
    assert path.read_text(encoding="utf-8") == "ñew"


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "protocol.json"

    def slow(unfinished):
        unfinished.write_text("first")
        write_text_whole(path, "second")  # as another process would, in between

    write_whole(path, slow)
    assert path.read_text() in ("first", "second")


# Values that are easily taken for one another.
leaves = st.sampled_from([None, True, False, 0, 1, -1, 0.0, 1.0, 0.1, "", "0", "1", "true", "null", "a", "ä", '"', ","])
values = st.recursive(
    leaves | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab,:", max_size=2), inner, max_size=3),
    max_leaves=6,
)


def exactly_equal(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(exactly_equal(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(exactly_equal, a, b))
    return repr(a) == repr(b)


@given(st.lists(values, max_size=3), st.lists(values, max_size=3))
def test_keys_agree_just_where_the_parts_do(a, b):
    assert (key_of(*a) == key_of(*b)) is exactly_equal(a, b)


@given(st.dictionaries(st.text(max_size=3), values, min_size=2, max_size=5), values)
def test_one_changed_entry_changes_the_key_and_order_does_not(table, other):
    assert key_of(dict(reversed(table.items()))) == key_of(table)
    name = next(iter(table))
    assert (key_of(table | {name: other}) == key_of(table)) is exactly_equal(table[name], other)
    assert key_of({key: value for key, value in table.items() if key != name}) != key_of(table)


@dataclass(frozen=True)
class Options:
    width: int = 8
    sizes: tuple[int, ...] = (1, 2)
    place: PurePath = Path("a/b")


def test_a_key_is_the_same_for_ever():
    """Keys name folders on people's disks: the form may not drift. Written out by hand, without our own JSON."""
    text = '[{"place":"a/b","sizes":[1,2],"width":8},["x","y"],"ä",null,0.5]'
    assert key_of(Options(), {"y", "x"}, "ä", None, 0.5) == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert key_of(Options(width=9)) != key_of(Options())


def test_a_key_is_the_same_in_every_process():
    code = "from v2f_bench.hashing import key_of; print(key_of({'b', 'a', 'c', 'd', 'e'}, frozenset('xyz')))"
    runs = [
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True)
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.decode().strip() == key_of(["a", "b", "c", "d", "e"], ["x", "y", "z"])


@pytest.mark.parametrize("part", [object(), Options, lambda: 0, b"bytes"])
def test_what_has_no_lasting_form_has_no_key(part):
    """Its default text would hold an address, and the work would never be found again."""
    with pytest.raises(TypeError, match="canonical"):
        key_of({"part": part})


def test_canonical_json_is_json():
    assert json.loads(canonical_json(Options())) == {"width": 8, "sizes": [1, 2], "place": "a/b"}


def test_the_hash_of_a_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
