"""The conditions age and sex: as numbers for the networks, from labels or as heard in a voice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from v2f_cgan.options import PARTS

AGES = (20, 30, 40, 50, 60, 70, 80)  # years; the corners of the piecewise linear functions of age that layers can learn


def size(parts: tuple[str, ...]) -> int:
    """How many numbers the conditions `parts` ("sex", "age") take."""
    return sum({"sex": 2, "age": len(AGES)}[part] for part in parts)


def encoded(male: torch.Tensor, age: torch.Tensor, parts: tuple[str, ...]) -> torch.Tensor:
    """Sex and age, float [N] both (1.0 male, 0.0 female; years), as conditions: float [N, size(parts)].

    Sex is one-hot (between the two for a number between). Age falls between two of `AGES` and is shared between them by
    nearness, 1 in all, so that it stays a continuous condition, as in the CcGAN that the source cites; ages beyond the
    ends count as the ends.
    """
    columns = [male.new_zeros(len(male), 0)]
    if "sex" in parts:
        columns.append(torch.stack([1 - male, male], dim=1))
    if "age" in parts:
        corners = torch.tensor(AGES, dtype=age.dtype, device=age.device)
        within = age.clamp(AGES[0], AGES[-1])[:, None]
        columns.append((1 - (within - corners).abs() / (AGES[1] - AGES[0])).clamp(min=0))
    return torch.cat(columns, dim=1)


def labels(table: pd.DataFrame) -> tuple[torch.Tensor, torch.Tensor]:
    """(male, age) of each row, float32 [N] both; NaN where a label, or the whole column, is missing."""
    nothing = pd.Series(np.nan, index=table.index)
    male = table.get("sex", nothing).map({"male": 1.0, "female": 0.0})
    age = pd.to_numeric(table.get("age", nothing), errors="coerce")
    return torch.tensor(male.to_numpy(np.float32)), torch.tensor(age.to_numpy(np.float32))


def labelled(table: pd.DataFrame, parts: tuple[str, ...]) -> np.ndarray:
    """Which rows have a label for each of `parts`: bool [N]."""
    known = _known(table)
    return np.all([known[part] for part in parts], axis=0) if parts else np.ones(len(table), bool)


def lacking_labels(table: pd.DataFrame, parts: tuple[str, ...]) -> str:
    """That no row has a label for each of `parts`, and which conditions the labels allow; "" where one has."""
    if labelled(table, parts).any():
        return ""
    known = _known(table)
    allowed = [name for name, those in PARTS.items() if all(known[part].any() for part in those)]
    return (
        f"the training clips have no labels of {' and '.join(parts)} together; "
        f"they allow --set conditions={' or conditions='.join(allowed)}"
    )


def _known(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which rows have a label, of each condition: bool [N]."""
    return {part: ~values.isnan().numpy() for part, values in zip(("sex", "age"), labels(table), strict=True)}
