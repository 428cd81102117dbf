"""What measures are called in tables."""

from __future__ import annotations

ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
SHORT = {
    "retrieval/R@5": "R@5",
    "retrieval/within-sex/R@5": "R@5 within sex",
    "retrieval/normalised-mean-rank": "norm. rank",
    "retrieval/within-sex/normalised-mean-rank": "norm. rank within sex",
    "identity-cosine/target": "cosine to target",
    "identity-cosine/gain-over-mean-face": "cosine gain over mean face",
    "identity-preservation": "identity kept",
    "emotion-agreement/accuracy": "emotion agreement",
    "emotion-agreement/AUC": "emotion AUC",
}


def measure_title(measure: str, better: str = "neither") -> str:
    """As in "R@5 ↑": the short name of a measure, with an arrow towards what is better."""
    return f"{SHORT.get(measure, measure)} {ARROWS[better]}".strip()
