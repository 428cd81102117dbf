"""The reference voice-to-face GAN: Wen, Singh & Raj, Face Reconstruction from Voice using GANs, NeurIPS 2019."""

from v2f_bench import Method, hookimpl
from v2f_voice2face_gan.method import Voice2FaceGan


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [Voice2FaceGan]
