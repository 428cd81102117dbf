"""Bundled judges, a file each."""

from v2f_bench.interfaces import Judge
from v2f_bench.judges.in_domain import InDomainEmotion, InDomainIdentity
from v2f_bench.judges.inception import Inception
from v2f_bench.judges.pixels import Pixels
from v2f_bench.plugins import hookimpl


@hookimpl
def v2f_bench_judges() -> list[type[Judge]]:
    return [InDomainIdentity, InDomainEmotion, Inception, Pixels]
