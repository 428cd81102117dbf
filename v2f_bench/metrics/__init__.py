"""Bundled metrics, a file for each or for a close family."""

from v2f_bench.interfaces import Metric
from v2f_bench.metrics.attributes import AgeError, SexAgreement
from v2f_bench.metrics.colour_shift import ColourShift
from v2f_bench.metrics.consistency import Consistency
from v2f_bench.metrics.diversity import Diversity
from v2f_bench.metrics.emotion_agreement import EmotionAgreement
from v2f_bench.metrics.face_found import FaceFound
from v2f_bench.metrics.flicker import Flicker
from v2f_bench.metrics.frechet import Fid, FrechetIdentity
from v2f_bench.metrics.grid import GridEnergy
from v2f_bench.metrics.identity_cosine import IdentityCosine, IdentityPreservation
from v2f_bench.metrics.kernel_distance import Kid
from v2f_bench.metrics.lip_dynamics import LipDynamics
from v2f_bench.metrics.matching import Matching
from v2f_bench.metrics.mean_average_precision import MeanAveragePrecision
from v2f_bench.metrics.precision_recall import PrecisionRecall
from v2f_bench.metrics.recognition import RecognitionAccuracy, SsppGain
from v2f_bench.metrics.retrieval import Retrieval
from v2f_bench.metrics.verification import Verification
from v2f_bench.plugins import hookimpl


@hookimpl
def v2f_bench_metrics() -> list[type[Metric]]:
    return [
        IdentityCosine,
        IdentityPreservation,
        Retrieval,
        Matching,
        Verification,
        MeanAveragePrecision,
        RecognitionAccuracy,
        SsppGain,
        Diversity,
        Consistency,
        EmotionAgreement,
        ColourShift,
        SexAgreement,
        AgeError,
        FaceFound,
        Fid,
        FrechetIdentity,
        Kid,
        PrecisionRecall,
        GridEnergy,
        LipDynamics,
        Flicker,
    ]
