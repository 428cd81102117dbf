"""Numbers of measures, as the harness makes them."""

import numpy as np

from v2f_bench.harness.numbers import number_of, value_of


def point(measure):
    """The number of a bundled measure, all of which say which trials they cover; None where it is not defined."""
    rows = measure.values if measure.values is not None else measure.covers
    return value_of(measure, len(rows))


def interval_of(measure, speakers):
    """The number with its 95 % interval."""
    return number_of(measure, np.asarray(speakers)).interval
