"""What a plugin author reads: the four contracts and the plain values that pass between them. Imports no torch."""

from v2f_bench.interfaces.context import Bar, Context, Progress, Silent
from v2f_bench.interfaces.dataset import Card, Dataset, Part
from v2f_bench.interfaces.errors import BenchError, DataError, NotAvailable, PluginError, UsageError
from v2f_bench.interfaces.film import FaceFilm, FilmFace, FilmFile
from v2f_bench.interfaces.judge import FilmJudge, Judge, WeightsFile
from v2f_bench.interfaces.method import Method
from v2f_bench.interfaces.metric import Evidence, ListedQuestions, Measure, Metric, OfWeights
from v2f_bench.interfaces.offer import Offer
from v2f_bench.interfaces.options import (
    Count,
    Decay,
    NoOptions,
    NotNegative,
    OptionFile,
    Positive,
    Range,
    Share,
    apply_settings,
    describe_options,
    setting_grid,
)
from v2f_bench.interfaces.values import NEEDS, Clips, Fact, Trials, Variation, Voices

__all__ = [
    "NEEDS",
    "Bar",
    "BenchError",
    "Card",
    "Clips",
    "Context",
    "Count",
    "DataError",
    "Dataset",
    "Decay",
    "Evidence",
    "FaceFilm",
    "Fact",
    "FilmFace",
    "FilmFile",
    "FilmJudge",
    "Judge",
    "ListedQuestions",
    "Measure",
    "Method",
    "Metric",
    "NoOptions",
    "NotAvailable",
    "NotNegative",
    "OfWeights",
    "Offer",
    "OptionFile",
    "Part",
    "PluginError",
    "Positive",
    "Progress",
    "Range",
    "Share",
    "Silent",
    "Trials",
    "UsageError",
    "Variation",
    "Voices",
    "WeightsFile",
    "apply_settings",
    "describe_options",
    "setting_grid",
]
