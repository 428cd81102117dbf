"""Parts that more than one bundled method is built from; yours may use them too."""

from v2f_bench.nn.blur import Blur
from v2f_bench.nn.critic import Critic, FaceTrunk, fake_loss, real_loss
from v2f_bench.nn.draws import SpeakerDraws, by_speaker
from v2f_bench.nn.state import joined_state, load_joined
from v2f_bench.nn.voice import VoiceEmbedding, embed_voices

__all__ = [
    "Blur",
    "Critic",
    "FaceTrunk",
    "SpeakerDraws",
    "VoiceEmbedding",
    "by_speaker",
    "embed_voices",
    "fake_loss",
    "joined_state",
    "load_joined",
    "real_loss",
]
