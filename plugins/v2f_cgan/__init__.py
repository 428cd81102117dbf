"""Conditional GAN: Mahalakshmi & Ramesh, A Conditional GAN Approach for Face Image Generation from Speech."""

from v2f_bench import Method, hookimpl
from v2f_cgan.method import CGan


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [CGan]
