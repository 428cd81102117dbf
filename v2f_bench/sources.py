"""The source code that a plugin's work depends on, as one hash.

It is that of the plugin's own package, of every package that this imports, and so on, as far as these are no installed
releases: of a release its name, its version and the hashes that its installer wrote down are enough. What v2f-bench
itself depends on (`LIBRARIES`) does not count, since every record keeps the versions of these. Of v2f-bench's own
plugins (data sets, metrics, judges) it is their module and the modules that these import. Code of v2f-bench that every
plugin of a kind uses is not in it: `keys.py` says to which stage that belongs.

Comments, docstrings and blank lines do not count: a better word makes no stored work stale. A plugin that reads its own
docstrings should know that.
"""

from __future__ import annotations

import ast
import codecs
import hashlib
import inspect
import io
import sys
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CORE = "v2f_bench"
CORE_FOLDER = Path(__file__).parent
# Modules of the core that hold contracts and no computation: what imports them does not depend on their code.
CONTRACTS = (CORE, f"{CORE}.interfaces", f"{CORE}.plugins")
# Import names of the libraries that v2f-bench depends on.
LIBRARIES = frozenset(
    {
        *("PIL", "av", "deepface", "facenet_pytorch", "filelock", "jinja2", "librosa", "matplotlib", "msgspec"),
        *("numpy", "onnxruntime", "pandas", "platformdirs", "pluggy", "pyarrow", "rich", "safetensors", "scipy"),
        *(
            "soundfile",
            "soxr",
            "tabulate",
            "threadpoolctl",
            "torch",
            "torch_fidelity",
            "torchvision",
            "typer",
            "werkzeug",
        ),
    }
)


@cache
def source_key(of: Callable[..., Any]) -> str:
    """16 hexadecimal digits that stand for the source that a class or function depends on."""
    if of.__module__.partition(".")[0] == CORE:
        return _hash_of((name, text) for name, text in _core_closure(of.__module__))
    return _hash_of(_package_closure(of))


def core_key(*parts: str) -> str:
    """16 hexadecimal digits that stand for some of v2f-bench's own files and folders, such as "stats" or "keys.py"."""
    return _hash_of((file.relative_to(CORE_FOLDER).as_posix(), _text(file)) for file in _core_files(parts))


def core_modules_behind(module: str) -> set[str]:
    """The modules of v2f-bench that `module` imports, directly or not, itself included; not those of `CONTRACTS`."""
    return {name for name, _ in _core_closure(module)}


def _core_files(parts: tuple[str, ...]) -> list[Path]:
    paths = [CORE_FOLDER / part for part in parts]
    return sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))})


@cache
def _core_closure(module: str) -> tuple[tuple[str, bytes], ...]:
    """Name and text of a core module and of the core modules that it imports, sorted."""
    texts: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _core_file(name)
        if name in texts or file is None or name == CORE or name.startswith(CONTRACTS[1:]):
            continue
        texts[name] = _text(file)
        inner = _imports(texts[name], name, file.name == "__init__.py")
        waiting += [other for other in inner if other.startswith(f"{CORE}.")]
    return tuple(sorted(texts.items()))


def _core_file(module: str) -> Path | None:
    """The file of a core module; None for a name in one, which is no module."""
    path = CORE_FOLDER.joinpath(*module.split(".")[1:])
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _package_closure(of: Callable[..., Any]) -> Iterator[tuple[str, bytes]]:
    """Name and text of everything behind a class that is not v2f-bench's: files of sources, and lines of releases."""
    own = of.__module__.partition(".")[0]
    home = Path(inspect.getfile(of))
    waiting: list[tuple[str, Path]] = [(own, _package_root(home))]
    seen = {own}
    while waiting:
        top, place = waiting.pop()
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            # A lone module's name may be made up; what it is called by its file is not.
            name = f"{place.name}/{file.relative_to(place).as_posix()}" if place.is_dir() else file.name
            yield name, _text(file)
            for module in _imports(_text(file), top, True):
                other = module.partition(".")[0]
                if other in seen or other in LIBRARIES or other in sys.stdlib_module_names or other == CORE:
                    continue
                seen.add(other)
                spec = _spec(other)
                release = None if spec is None else _release(other)
                if release is not None:
                    yield other, release
                elif spec is not None:
                    waiting += [(other, location) for location in _locations(spec)]


def _package_root(file: Path) -> Path:
    """The folder of the top package that a file belongs to, or the file itself where it is a lone module."""
    if not (file.parent / "__init__.py").exists():
        return file
    folder = file.parent
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


def _spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)  # of a top-level name: nothing is imported
    except (ImportError, ValueError):
        return None


def _locations(spec: ModuleSpec) -> list[Path]:
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []


def _release(top: str) -> bytes | None:
    """What stands for an installed release that brings a top-level package; None for a source checkout or a folder."""
    for name in _distributions().get(top, []):
        distribution = Distribution.from_name(name)
        if "editable" in (distribution.read_text("direct_url.json") or "").replace(" ", ""):
            return None
        listed = [
            f"{file.as_posix()} {file.hash.value}"
            for file in distribution.files or []
            if file.suffix == ".py" and file.hash is not None
        ]
        if listed:
            return "\n".join([f"{name} {distribution.version}", *sorted(listed)]).encode()
    return None


@cache
def _distributions() -> dict[str, list[str]]:
    return {top: sorted(set(names)) for top, names in packages_distributions().items()}


def _imports(text: bytes, module: str, is_package: bool) -> Iterator[str]:
    """The modules that a source file imports, absolute; of `from a import b` also a.b, which may be one.

    What stands under `if TYPE_CHECKING:` never runs, and is passed over. A file that is no Python has none.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if is_package else module.split(".")[:-1]
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _text(file: Path) -> bytes:
    return file.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@cache
def code_of(text: bytes) -> bytes:
    """Python source without comments, docstrings and blank lines; unchanged where it is no Python in UTF-8.

    The rest is kept as text, and not as a syntax tree or as tokens, since these differ between versions of Python.
    """
    text = text.removeprefix(codecs.BOM_UTF8)
    try:
        if tokenize.detect_encoding(io.BytesIO(text).readline)[0] != "utf-8":
            return text
        tree = ast.parse(text)
        whole = text.decode("utf-8").split("\n")
        tokens = list(tokenize.tokenize(io.BytesIO(text).readline))
    except (SyntaxError, ValueError, tokenize.TokenError):
        return text
    lines: list[str | None] = [*whole]
    # After a backslash an empty line ends the statement, and a comment does too.
    after_backslash = {number for number in range(1, len(whole)) if whole[number - 1].endswith("\\")}
    in_string = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for number in range(node.lineno, node.end_lineno or node.lineno)  # counted from 0: the lines after the first
    }
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            code = (lines[row - 1] or "")[:column].rstrip()
            lines[row - 1] = code or None
    for docstring in _docstrings(tree):
        first, last = docstring.lineno - 1, (docstring.end_lineno or docstring.lineno) - 1
        before = (lines[first] or "").encode()[: docstring.col_offset].decode()
        after = (lines[last] or "").encode()[docstring.end_col_offset :].decode()
        lines[first : last + 1] = [None] * (last - first) + [(before + after).rstrip() or None]
    kept = [
        line or ""
        for number, line in enumerate(lines)
        if number in after_backslash or (line is not None and (number in in_string or line.strip()))
    ]
    return "\n".join(kept).encode()


def _docstrings(tree: ast.Module) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and type(first.value.value) is str:
                yield first


def _hash_of(named: Iterator[tuple[str, bytes]] | Any) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(named):
        code = code_of(text)
        digest.update(f"{name} {len(code)}\n".encode() + code)
    return digest.hexdigest()[:16]
