"""Emotion VAE: Koseki, Sei, Tahara & Ohsuga, Generation of Facial Images Reflecting Speaker Attributes and Emotions."""

from v2f_bench import Method, hookimpl
from v2f_emotion_vae.method import EmotionVae


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [EmotionVae]
