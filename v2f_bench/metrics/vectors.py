"""Cosines between a judge's vectors."""

from __future__ import annotations

import numpy as np


def unit(vectors: np.ndarray) -> np.ndarray:
    """float64 [n, D], each row of length 1; a row that is not finite, or zero, becomes NaN."""
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = vectors / np.where(lengths > 0, lengths, np.nan)
    scaled[~np.isfinite(scaled).all(axis=1)] = np.nan
    return scaled


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine of each row of `first` with the same row of `second`, [n, D] both: float64 [n], NaN where either is."""
    return np.einsum("nd,nd->n", unit(first), unit(second))
