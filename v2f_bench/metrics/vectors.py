"""What a judge gave as vectors: which of them can be used, and cosines between them."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence


def usable(vectors: np.ndarray) -> np.ndarray:
    """Which rows of [n, D] are finite throughout: bool [n]."""
    return np.isfinite(vectors).all(axis=1)


def finite(vectors: np.ndarray) -> np.ndarray:
    """The rows of [n, D] that are finite throughout."""
    return vectors[usable(vectors)]


def answers(evidence: Evidence, like: str = "target") -> np.ndarray:
    """What the judge gave for the method's faces, as wide as for real ones, the role `like`: [n, D].

    Where not one face could be judged, nobody could know D.
    """
    generated, width = evidence.seen["generated"], evidence.seen[like].shape[1]
    if generated.shape[1] != width and not usable(generated).any():
        return np.full((len(generated), width), np.nan)
    return generated


def unit(vectors: np.ndarray) -> np.ndarray:
    """float64 [n, D], each row of length 1; a row that is not finite, or zero, becomes NaN."""
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = vectors / np.where(lengths > 0, lengths, np.nan)
    scaled[~usable(scaled)] = np.nan
    return scaled


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine of each row of `first` with the same row of `second`, [n, D] both: float64 [n], NaN where either is."""
    return np.einsum("nd,nd->n", unit(first), unit(second))


def all_cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosines of the rows of [n, D] with those of [m, D]: float64 [n, m], NaN where either row is.

    Rounded to 12 decimals: a product of matrices gives equal rows results that differ in the last digits, and such
    differences must not break ties.
    """
    left, right = unit(first), unit(second)
    products = np.round(np.nan_to_num(left) @ np.nan_to_num(right).T, 12)
    products[~usable(left)] = np.nan
    products[:, ~usable(right)] = np.nan
    return products
