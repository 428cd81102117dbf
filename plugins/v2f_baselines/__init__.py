"""Floors, ceilings and honest rivals: what any learned method must be seen beside."""

from v2f_baselines.answers import Oracle, RealPhoto
from v2f_baselines.emotion_shift import EmotionMeanShift
from v2f_baselines.floors import CopyProposal, MeanFace, RandomFace
from v2f_baselines.nearest_voice import NearestVoice
from v2f_baselines.same_sex import SameSexFace
from v2f_baselines.same_sex_and_age import LabelledFace, SameSexAndAgeFace
from v2f_bench import Method, hookimpl


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [
        *(RandomFace, MeanFace, CopyProposal, SameSexFace, SameSexAndAgeFace, LabelledFace, NearestVoice),
        *(EmotionMeanShift, RealPhoto, Oracle),
    ]
