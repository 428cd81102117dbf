"""HTML pages in one file: styles, script, pictures and sounds are inside, and nothing is asked of any other address.

All values are escaped by the template engine. A policy in the page names the hashes of its own style and script, so
that nothing else can run, whatever a name holds.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

from v2f_bench.render import layout, paired_words, words

TEMPLATES = "templates"


def page(template: str, **values: Any) -> str:
    """The page of a template in `templates/`, with its policy."""
    env = _environment()
    style, script = (env.loader.get_source(env, name)[0].strip() for name in ("style.css", "table.js"))
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return str(env.get_template(template).render(style=style, script=script, policy=policy, **values)) + "\n"


def data_uri(content: bytes, kind: str) -> str:
    """A file as an address that holds it; `kind` as "image/png"."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def svg_uri(svg: str) -> str:
    return data_uri(svg.encode(), "image/svg+xml") if svg else ""


def anchor(*parts: str) -> str:
    """The name of a place in a page: readable, and of letters, digits and - alone; different names stay different."""
    text = " ".join(parts)
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Any:
    import jinja2

    env = jinja2.Environment(
        loader=jinja2.PackageLoader("v2f_bench.render", TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        **{"plain": words.plain, "digits": words.digits, "rank": words.rank_words, "half": words.half},
        **{"gap": words.gap_words, "group": words.group_words, "heading": words.heading, "overview": words.overview},
        **{"with_half": words.with_half, "svg": svg_uri, "number": words.number, "slice": words.slice_words},
    }
    env.globals |= {
        **{"layout": layout, "anchor": anchor, "marks": words.INDEPENDENCE},
        **{
            "paired_headings": paired_words.headings,
            "paired_cells": paired_words.cells,
            "paired_name": paired_words.short_title,
            "paired_judges": paired_words.judges,
        },
    }
    return env
