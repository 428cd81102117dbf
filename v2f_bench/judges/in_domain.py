"""An identity embedder trained by the harness on the training split: it met no test speaker, and no method sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench.interfaces import Clips, Context, Judge

if TYPE_CHECKING:
    import torch

    from v2f_bench.judges.embedder import Embedder

BATCH = 64
FEWEST_STEPS, MOST_STEPS, EPOCHS = 400, 20_000, 16


class InDomainIdentity(Judge):
    """A small residual network with a cosine-softmax over the training speakers (Wang et al. 2018, CosFace, section 3).

    Trained on the training split's real faces at the protocol's resolution, always with the same seed. Its quality is
    its verification AUC on the real faces of the test speakers, none of whom it met; it is stored and shown with
    whatever it judges.
    """

    name = "in-domain-identity"
    version = "1"
    kind = "identity"
    summary = "identity embedder trained by the harness on the training split"
    people = "the training split's speakers"
    licence = "as the data set"

    def __init__(self) -> None:
        self._network: Embedder | None = None
        self._device = "cpu"

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import numpy as np
        import torch
        import torch.nn.functional as F

        from v2f_bench.judges.embedder import CosineSoftmax, Embedder, augment

        rows = np.flatnonzero(train.table["face"])
        speakers, labels = np.unique(train.table["speaker"].to_numpy()[rows], return_inverse=True)
        steps = int(np.clip(EPOCHS * len(rows) // BATCH, FEWEST_STEPS, MOST_STEPS))
        torch.manual_seed(context.seed_of("weights"))
        self._device = context.device
        network = Embedder().to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        head = CosineSoftmax(Embedder.dimensions, len(speakers)).to(context.device)
        optimiser = torch.optim.AdamW(
            [*network.parameters(), *head.parameters()], lr=2e-3, weight_decay=5e-3, fused=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
        rng, noise = context.numpy_rng("batches"), context.torch_rng("augment")
        with context.progress.bar(f"train judge {self.name}", steps) as bar:
            network.train()
            for _ in range(steps):
                picked = rng.integers(len(rows), size=BATCH)
                faces = augment(train.faces(rows[picked]), noise).to(context.device)
                target = torch.from_numpy(labels[picked]).to(context.device)
                loss = F.cross_entropy(head(network(faces), target), target)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                bar.advance(note=f"loss {loss.item():.2f}")
        self._network = network.eval()

    def embed(self, faces: torch.Tensor) -> torch.Tensor:
        """The sum of the unit embeddings of each face and of its mirror image: float32 [N, 64]."""
        import torch

        assert self._network is not None, "fit or restore first"
        with torch.inference_mode():
            faces = faces.to(self._device)
            return (self._network(faces) + self._network(faces.flip(-1))).float().cpu()

    def state(self) -> dict[str, torch.Tensor]:
        assert self._network is not None, "fit or restore first"
        return self._network.state_dict()

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        import torch

        from v2f_bench.judges.embedder import Embedder

        network = Embedder()
        network.load_state_dict(state)
        self._network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._device = device
