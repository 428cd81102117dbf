"""Files of weights: found, checked, fetched only when asked, and told about by `v2f-bench weights`."""

import hashlib
import http.server
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from heard import Heard

from v2f_bench.interfaces import BenchError, NotAvailable, Silent, UsageError, WeightsFile
from v2f_bench.judges.weights import fetch_weights, find_weights, state_of

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NEEDING = ("facenet-vggface2", "facenet-casia", "deepface-arcface", "deepface-sface", "deepface-vgg-face")
NEEDING += ("deepface-emotion", "deepface-age", "deepface-sex", "inception-v3")


@pytest.fixture(scope="module")
def server():
    """Serves /whole, /page in words, and /cut, which ends before all that it promised has come."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = {"/whole": CONTENT, "/cut": CONTENT, "/page": b"<html>Sign in</html>"}.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:500] if self.path == "/cut" else content)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def weights(url="", sha256=SHA256):
    return WeightsFile("net.pt", url, sha256, 0.007, "MIT")


def test_a_file_is_found_in_the_weights_folder_or_in_the_lab_s(tmp_path, monkeypatch):
    cache, lab = tmp_path / "cache", tmp_path / "lab"
    for folder in (cache, lab):
        folder.mkdir()
    with pytest.raises(NotAvailable, match=r"needs weights/net\.pt in the cache folder \(0 MB, MIT\); put it there"):
        find_weights(weights(), cache)
    assert state_of(weights(), cache) == "absent"
    monkeypatch.setenv("V2F_BENCH_WEIGHTS", str(lab))
    (lab / "net.pt").write_bytes(CONTENT)
    assert find_weights(weights(), cache) == lab / "net.pt"
    (cache / "net.pt").write_bytes(CONTENT)
    assert find_weights(weights(), cache) == cache / "net.pt"
    assert state_of(weights(), cache) == "present"


@pytest.mark.parametrize("stated", ["", SHA256[:8]])
def test_without_a_whole_stated_hash_the_file_that_was_used_first_is_the_right_one(tmp_path, monkeypatch, stated):
    """Wherever it lies, and how ever another came there."""
    cache, lab = tmp_path / "cache", tmp_path / "lab"
    lab.mkdir()
    monkeypatch.setenv("V2F_BENCH_WEIGHTS", str(lab))
    (lab / "net.pt").write_bytes(CONTENT)
    assert find_weights(weights(sha256=stated), cache) == lab / "net.pt"
    assert (cache / "net.pt.sha256").read_text() == SHA256 + "\n"
    assert list(lab.iterdir()) == [lab / "net.pt"], "the lab's folder may be read-only"
    other = CONTENT + b"!"
    (cache / "net.pt").write_bytes(other)
    wanted = weights(sha256="")
    with pytest.raises(BenchError, match=rf"was {SHA256} when it was first used; not opened.*remove .*net\.pt\.sha256"):
        find_weights(wanted, cache)
    assert state_of(wanted, cache) == "wrong hash"
    (cache / "net.pt.sha256").unlink()
    assert find_weights(wanted, cache) == cache / "net.pt"
    (cache / "net.pt").write_bytes(CONTENT)
    with pytest.raises(BenchError, match=f"sha256 is {SHA256}, but was"):
        find_weights(wanted, cache)


def test_a_wrong_hash_is_refused_and_a_stated_prefix_is_enough(tmp_path):
    (tmp_path / "net.pt").write_bytes(CONTENT)
    assert find_weights(weights(sha256=SHA256[:8]), tmp_path)
    assert find_weights(weights(sha256=""), tmp_path)
    for wrong in ("0" * 64, "0" * 8):
        with pytest.raises(BenchError, match=rf"sha256 is {SHA256}, not 0+…; not opened"):
            find_weights(weights(sha256=wrong), tmp_path)
        assert state_of(weights(sha256=wrong), tmp_path) == "wrong hash"


def test_fetching_says_what_from_where_how_big_and_to_which_place(tmp_path, server):
    heard = Heard()
    wanted = replace(weights(f"{server}/whole"), megabytes=12.0)
    path = fetch_weights(wanted, tmp_path / "new", heard)
    assert path.read_bytes() == CONTENT
    assert heard.lines == [f"fetching {server}/whole (12 MB, MIT) to {tmp_path / 'new' / 'net.pt'}"]
    heard.lines.clear()
    assert fetch_weights(wanted, tmp_path / "new", heard) == path
    assert heard.lines == []


@pytest.mark.parametrize("sha256", [SHA256, ""])
def test_what_is_cut_short_or_not_there_leaves_nothing(tmp_path, server, sha256):
    with pytest.raises(NotAvailable, match=r"could not be fetched \(.*500.*7,?000 bytes.*put the file at .*net\.pt"):
        fetch_weights(weights(f"{server}/cut", sha256), tmp_path, Silent())
    with pytest.raises(NotAvailable, match=r"could not be fetched .*404"):
        fetch_weights(weights(f"{server}/absent", sha256), tmp_path, Silent())
    assert not list(tmp_path.iterdir())


def test_what_comes_with_a_wrong_hash_is_thrown_away(tmp_path, server):
    with pytest.raises(BenchError, match="the download was deleted"):
        fetch_weights(weights(f"{server}/whole", "0" * 64), tmp_path, Silent())
    assert not list(tmp_path.iterdir())


NO_WEIGHTS = {
    "looks like a web page": b"\n<!DOCTYPE HTML><html><body>Sign in to continue</body></html>",
    "looks like a web page ": b"\xef\xbb\xbf<!-- drive --><html lang=en>",
    "looks like an answer in XML or JSON": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "looks like an answer in XML or JSON ": b'{"error": "Repository not found"}',
    "a Git-LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "it is empty": b"",
}


@pytest.mark.parametrize("words", NO_WEIGHTS)
@pytest.mark.parametrize("sha256", [SHA256, ""])
def test_what_a_server_sends_instead_of_weights_is_called_so(tmp_path, words, sha256):
    (tmp_path / "net.pt").write_bytes(NO_WEIGHTS[words])
    with pytest.raises(NotAvailable, match=rf"^net\.pt: no weights: {words.strip()}"):
        find_weights(weights(sha256=sha256), tmp_path)
    assert state_of(weights(sha256=sha256), tmp_path) == f"no weights: {words.strip()}"


def test_a_web_page_that_comes_is_thrown_away(tmp_path, server):
    with pytest.raises(NotAvailable, match="not a file of weights: looks like a web page; put the file at"):
        fetch_weights(weights(f"{server}/page", ""), tmp_path, Silent())
    assert not list(tmp_path.iterdir())


def test_digits_in_capitals_are_the_same_digits(tmp_path):
    (tmp_path / "net.pt").write_bytes(CONTENT)
    assert find_weights(weights(sha256=SHA256.upper()), tmp_path)


def test_without_an_address_it_can_only_be_put_there(tmp_path):
    with pytest.raises(NotAvailable, match=r"put it there by hand$"):
        fetch_weights(weights(), tmp_path, Silent())


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """The command line over an empty cache, in this process; returns what it printed."""
    from v2f_bench.cli.app import app

    monkeypatch.setenv("V2F_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        app(["weights", *map(str, arguments)], standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_the_list_tells_what_is_needed_and_what_is_there(here, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "face_recognition_sface_2021dec.onnx").write_bytes(b"another")
    (folder / "arcface_weights.pth").write_bytes(b"whatever")
    cards = sorted((Path(__file__).parents[1] / "cards").glob("*.toml"))
    told = json.loads(here("list", *cards, "--json"))
    rows = {row["judge"]: row for row in told["weights"]}
    assert told["folder"] == str(folder)
    assert set(rows) == {*NEEDING, "facenet128", "fer2013-mini-xception", "gender-mini-xception", "efficientnet-lite0"}
    assert rows["deepface-sface"]["state"] == "wrong hash"
    assert rows["deepface-arcface"]["state"] == "present"
    assert rows["deepface-arcface"]["path"] == str(folder / "arcface_weights.pth")
    assert rows["facenet128"]["state"] == rows["facenet-casia"]["state"] == "absent"
    assert all(row["url"].startswith("https://") for name, row in rows.items() if name in NEEDING)
    text = here("list")
    for word in (*NEEDING, "MIT", "111.9", "not stated", "absent", "wrong hash", str(folder), "mtcnn"):
        assert word in text


def test_where_prints_one_path(here, tmp_path):
    path = Path(here("where", "deepface-arcface").strip())
    assert path == tmp_path / "weights" / "arcface_weights.pth"
    assert path.parent.is_dir()


def test_get_takes_what_is_there_and_says_what_it_would_fetch(here, tmp_path):
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "arcface_weights.pth"
    file.write_bytes(CONTENT)
    told = here("get", "deepface-arcface").strip()
    assert told == f"deepface-arcface: {file} (sha256 {SHA256}, which its publisher does not state in full)"
    (tmp_path / "weights" / "face_recognition_sface_2021dec.onnx").write_bytes(CONTENT)
    with pytest.raises(BenchError, match="not opened"):
        here("get", "deepface-sface")
    file.write_text("<html>Sign in</html>")
    with pytest.raises(NotAvailable, match="no weights: looks like a web page"):
        here("get", "deepface-arcface")
    assert "no weights: looks like a web page" in here("list")


@pytest.mark.parametrize("verb", ["get", "where"])
def test_names_that_are_none(here, verb):
    with pytest.raises(UsageError, match=r"did you mean 'facenet-(vggface2|casia)'"):
        here(verb, "facenet-vggfac")
    with pytest.raises(UsageError, match="mtcnn needs no weights file"):
        here(verb, "mtcnn")
    with pytest.raises(UsageError, match="in-domain-emotion needs no weights file: it is trained here"):
        here(verb, "in-domain-emotion")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["list", "--help"], ["get", "--help"], ["where", "--help"]])
def test_help_has_an_example(here, arguments):
    assert "Example" in here(*arguments)


def test_every_file_states_its_licence_and_its_people():
    from v2f_bench.plugins import registry

    for plugin in registry().all("judge"):
        judge = plugin.cls
        assert judge.licence, judge.name
        assert judge.people, judge.name
        if judge.weights:
            assert judge.weights.url.startswith("https://"), judge.name
            assert "/" not in judge.weights.file, judge.name


def test_judges_are_listed_without_their_packages():
    import subprocess
    import sys

    heavy = "('torch', 'deepface', 'onnxruntime', 'facenet_pytorch', 'cv2', 'numpy')"
    code = (
        f"import sys; import v2f_bench.judges, v2f_bench.cli.weights; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wrong_name_on_the_command_line_is_one_line(cli):
    done = cli("weights", "where", "facenet-casi", ok=False)
    assert done.returncode == 2
    assert "did you mean 'facenet-casia'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
