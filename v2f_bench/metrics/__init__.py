"""Bundled metrics, a file each."""

from v2f_bench.interfaces import Metric
from v2f_bench.metrics.frechet import Fid, FrechetIdentity
from v2f_bench.metrics.identity_cosine import IdentityCosine
from v2f_bench.metrics.retrieval import Retrieval
from v2f_bench.plugins import hookimpl


@hookimpl
def v2f_bench_metrics() -> list[type[Metric]]:
    return [IdentityCosine, Retrieval, Fid, FrechetIdentity]
