"""Shared fixtures: a cache of the tests' own, small plugin packages really installed, and a small finished run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is there: two test processes share the CPUs

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"  # real recordings, where a checkout has them beside it

# A world small enough for tests: about 29 training and 15 test speakers.
SMALL = ["--dataset", "synthetic-speakers", "--dataset-set", "speakers=48", "--dataset-set", "clips=4"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.getbasetemp().parent / "v2f-bench-test-cache"


@pytest.fixture(scope="session")
def environment(cache):
    """The environment of a command line under test: the tests' cache, no colours, and byte code kept, since most of
    the time of a short command would go into compiling what it imports."""
    ours = {"V2F_BENCH_CACHE": str(cache), "PYTHONPYCACHEPREFIX": str(cache / "pycache"), "NO_COLOR": "1"}
    env = {**os.environ, **ours, "COLUMNS": "200"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


@pytest.fixture(scope="session")
def cli(environment):
    """Run `v2f-bench` in a process of its own; returns the finished process."""

    def run(*arguments, ok=True, **more):
        command = [sys.executable, "-m", "v2f_bench", *map(str, arguments)]
        env = environment | more.pop("env", {})
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, **more)
        if ok:
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def in_process(environment, monkeypatch, capsys):
    """As `cli`, in this process: for what is answered at once, where starting a process takes most of the time."""
    from v2f_bench.cli import main

    def run(*arguments):
        for name in ("V2F_BENCH_CACHE", "NO_COLOR", "COLUMNS"):
            monkeypatch.setenv(name, environment[name])
        monkeypatch.setattr(sys, "argv", ["v2f-bench", *map(str, arguments)])
        capsys.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, before)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Install a package of tests/fixtures into a folder of its own; returns the folder, for PYTHONPATH."""

    def install(name):
        target = tmp_path_factory.mktemp(name)
        source = tmp_path_factory.mktemp(f"{name}-source")
        subprocess.run(["cp", "-r", f"{FIXTURES / name}/.", source], check=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--target", str(target), str(source)], check=True)
        return target

    return install


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data; tests that need it are skipped where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data is not at {SHARED_DATA}")
    return SHARED_DATA
