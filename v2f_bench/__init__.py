"""v2f-bench: train or load any model that draws a face from a voice, run it, score it and rank it.

What stands here, with `v2f_bench.audio`, is the public interface for plugin authors.
"""

from v2f_bench.interfaces import (
    NEEDS,
    Card,
    Clips,
    Context,
    DataError,
    Dataset,
    Evidence,
    Judge,
    ListedQuestions,
    Measure,
    MediaOptions,
    Method,
    Metric,
    NoOptions,
    NotAvailable,
    Part,
    Progress,
    Trials,
    UsageError,
    Variation,
    Voices,
    WeightsFile,
)
from v2f_bench.plugins import hookimpl

__version__ = "0.1.0"

__all__ = [
    "NEEDS",
    "Card",
    "Clips",
    "Context",
    "DataError",
    "Dataset",
    "Evidence",
    "Judge",
    "ListedQuestions",
    "Measure",
    "MediaOptions",
    "Method",
    "Metric",
    "NoOptions",
    "NotAvailable",
    "Part",
    "Progress",
    "Trials",
    "UsageError",
    "Variation",
    "Voices",
    "WeightsFile",
    "hookimpl",
]
