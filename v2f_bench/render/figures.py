"""Matplotlib's figures as small SVGs: the same bytes for the same numbers, and text in them as text."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

INK, SHADE, FAINT = "#1f4e79", "#9db7d1", "#d0d7de"
_STYLE: dict[Any, Any] = {
    **{"svg.fonttype": "none", "svg.hashsalt": "v2f-bench", "font.family": "sans-serif", "font.size": 8},
    "font.sans-serif": ["DejaVu Sans", "Arial"],
}


def new_figure(width: float, height: float) -> Any:
    """A figure of so many inches, on white."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def svg_of(figure: Any) -> str:
    """The figure as an SVG element."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Text stays text, so the reader's fonts count, not ours.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _slim(stream.getvalue())


def name_rows(axes: Any, names: Sequence[str], size: float = 7) -> None:
    """Names beside rows 0, 1, ... of a plot, from above. They may be foreign text: a $ in it begins no formula."""
    axes.set_yticks(range(len(names)), names, fontsize=size)
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _slim(svg: str) -> str:
    """In less than half of the bytes: coordinates to a hundredth of a point, styles that many elements have as classes,
    short names, and none for what nothing refers to."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = _in_tags(svg, lambda tag: re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag))
    svg = _in_tags(svg, lambda tag: re.sub(r' transform="rotate\(-0 [^"]*\)"', "", tag))
    tags = "".join(re.findall(r"<[^>]*>", svg))
    counts = Counter(re.findall(r' style="([^"]*)"', tags))
    classes = {style: f"s{number}" for number, (style, count) in enumerate(counts.items()) if count > 3}
    references = re.compile(r'((?:href="|url\()#)([^)"]*)')
    names = {name: f"n{n}" for n, name in enumerate(dict.fromkeys(name for _, name in references.findall(tags)))}

    def shorter(tag: str) -> str:
        tag = re.sub(r' style="([^"]*)"', lambda m: f' class="{classes[m[1]]}"' if m[1] in classes else m[0], tag)
        tag = re.sub(r' id="([^"]*)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", tag)
        tag = references.sub(lambda m: m[1] + names[m[2]], tag)
        return tag.replace(" xlink:href=", " href=")

    rules = "".join(f".{name}{{{style}}}" for style, name in classes.items())
    svg = _in_tags(svg, shorter).replace("</style>", f"{rules}</style>", 1)
    return re.sub(r"\n\s*", "\n", svg)


def _in_tags(svg: str, change: Any) -> str:
    """Text between tags, which may be foreign, stays as it is."""
    return re.sub(r"<[^>]*>", lambda tag: change(tag[0]), svg)
