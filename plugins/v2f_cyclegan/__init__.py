"""Speech-emotion guided CycleGAN: Huang, Wang, Lyu & Hu, Speech Emotion Guided Face Image Generator with GANs."""

from v2f_bench import Method, hookimpl
from v2f_cyclegan.method import CycleGan


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [CycleGan]
