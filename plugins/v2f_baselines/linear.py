"""Linear models of what the simple rivals hear, by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PENALTY = 1e-2  # of the squared weights


def logistic_regression(features: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [D] and bias [] for features [N, D] and labels [N] of 0.0 and 1.0, with an L2 penalty, by L-BFGS."""
    import torch
    import torch.nn.functional as F

    weights = torch.zeros(features.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = F.binary_cross_entropy_with_logits(features @ weights + bias, labels) + PENALTY * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights.detach(), bias.detach()


def softmax_regression(features: torch.Tensor, classes: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [D, count] and biases [count] for features [N, D] and classes int64 [N], with an L2 penalty."""
    import torch
    import torch.nn.functional as F

    weights = torch.zeros(features.shape[1], count, requires_grad=True)
    bias = torch.zeros(count, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(features @ weights + bias, classes) + PENALTY * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights.detach(), bias.detach()


def ridge_regression(features: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [D] and bias [] that predict numbers [N] from features [N, D] of mean 0, by least squares with an L2
    penalty (Hoerl & Kennard 1970), which is `PENALTY` for each number."""
    import torch

    centred, bias = numbers.double() - numbers.double().mean(), numbers.double().mean()
    features = features.double()
    gram = features.T @ features + PENALTY * len(features) * torch.eye(features.shape[1], dtype=torch.float64)
    return torch.linalg.solve(gram, features.T @ centred).float(), bias.float()
