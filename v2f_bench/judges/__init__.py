"""Bundled judges, a file each."""

from v2f_bench.interfaces import Judge
from v2f_bench.judges.deepface import (
    DeepFaceAge,
    DeepFaceArcFace,
    DeepFaceEmotion,
    DeepFaceSex,
    DeepFaceSFace,
    DeepFaceVggFace,
)
from v2f_bench.judges.facenet import FaceNetCasia, FaceNetVggFace2
from v2f_bench.judges.grid import Grid
from v2f_bench.judges.in_domain import InDomainEmotion, InDomainEmotionShape, InDomainIdentity
from v2f_bench.judges.inception import Inception
from v2f_bench.judges.motion import Motion
from v2f_bench.judges.mtcnn import Mtcnn
from v2f_bench.judges.pixels import Pixels
from v2f_bench.plugins import hookimpl


@hookimpl
def v2f_bench_judges() -> list[type[Judge]]:
    return [
        InDomainIdentity,
        FaceNetVggFace2,
        FaceNetCasia,
        DeepFaceArcFace,
        DeepFaceSFace,
        DeepFaceVggFace,
        InDomainEmotion,
        InDomainEmotionShape,
        DeepFaceEmotion,
        DeepFaceSex,
        DeepFaceAge,
        Mtcnn,
        Inception,
        Pixels,
        Grid,
        Motion,
    ]
