"""Controlled AutoEncoder: Liang, Yu, Xu, Raj & Singh, Controlled AutoEncoders to Generate Faces from Voices, 2020."""

from v2f_bench import Method, hookimpl
from v2f_cae.method import CAE


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [CAE]
