"""`synthetic-speakers`: people made by code, whose causes are known, so that the whole benchmark runs anywhere.

`causes.py` says who a speaker is and what a voice can tell of a face; `expression.py` how an emotion moves both;
`face` draws a person in a varying scene; `voice` lets the same person speak.
"""

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticSpeakers
from v2f_bench.plugins import hookimpl


@hookimpl
def v2f_bench_datasets() -> list[type[SyntheticSpeakers]]:
    return [SyntheticSpeakers]
