"""Judges trained by the harness on the training split: they met no test speaker, and no method sees them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from v2f_bench.interfaces import Clips, Context, Judge, NotAvailable
from v2f_bench.interfaces.judge import TRAINING_SPEAKERS
from v2f_bench.interfaces.labels import EMOTIONS

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn

    from v2f_bench.judges.embedder import Embedder

BATCH = 64
FEWEST_STEPS, MOST_STEPS = 200, 20_000


class _InDomain(Judge):
    """A small residual network and a head, trained on real faces of the training split, always with the same seed."""

    trained_here = True
    people = "the training split's speakers"
    met = frozenset({TRAINING_SPEAKERS})  # test speakers too, where a split has its speakers on both sides
    licence = "as the data set"
    epochs: ClassVar[int]

    def __init__(self) -> None:
        self._network: Embedder | None = None
        self._head: nn.Module | None = None
        self._device = "cpu"

    @abstractmethod
    def _targets(self, train: Clips) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the training clips, and the class of each: two int arrays [n]."""

    @abstractmethod
    def _new_head(self, classes: int) -> nn.Module:
        """From embeddings [N, D] and targets int64 [N] to the logits [N, classes] that are trained."""

    def _augmented(self, faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        from v2f_bench.judges.embedder import augment, disturbed

        return disturbed(augment(faces, rng), rng)

    def _shown(self, faces: torch.Tensor) -> torch.Tensor:
        """What of the faces the network gets to see."""
        return faces

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import numpy as np
        import torch
        import torch.nn.functional as F

        from v2f_bench.judges.embedder import Embedder

        rows, targets = self._targets(train)
        steps = int(np.clip(self.epochs * len(rows) // BATCH, FEWEST_STEPS, MOST_STEPS))
        torch.manual_seed(context.seed_of("weights"))
        self._device = context.device
        network = Embedder().to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        head = self._new_head(int(targets.max()) + 1).to(context.device)
        optimiser = torch.optim.AdamW(
            [*network.parameters(), *head.parameters()], lr=2e-3, weight_decay=5e-3, fused=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
        rng, noise = context.numpy_rng("batches"), context.torch_rng("augment")
        with context.progress.bar(f"train judge {self.name}", steps) as bar:
            network.train()
            for _ in range(steps):
                picked = rng.integers(len(rows), size=BATCH)
                faces = self._augmented(train.faces(rows[picked]), noise).to(context.device)
                target = torch.from_numpy(targets[picked]).to(context.device)
                loss = F.cross_entropy(head(network(self._shown(faces)), target), target)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                bar.advance(note=f"loss {loss.item():.2f}")
        self._network, self._head = network.eval(), head.eval()


class InDomainIdentity(_InDomain):
    """An embedder with a cosine-softmax over the training speakers (Wang et al. 2018, CosFace, section 3).

    Its quality is its verification AUC on the real faces of the test speakers, none of whom it met; it is stored and
    shown with whatever it judges.
    """

    name = "in-domain-identity"
    version = "2"
    kind = "identity"
    summary = "identity embedder trained by the harness on the training split"
    epochs = 28

    def _targets(self, train: Clips) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        rows = np.flatnonzero(train.table["face"])
        speakers, targets = np.unique(train.table["speaker"].to_numpy()[rows], return_inverse=True)
        if len(speakers) < 2:
            raise NotAvailable(f"{self.name} needs faces of two training speakers; there are {len(speakers)}")
        return rows, targets

    def _new_head(self, classes: int) -> nn.Module:
        from v2f_bench.judges.embedder import CosineSoftmax, Embedder

        return CosineSoftmax(Embedder.dimensions, classes)

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """The sum of the unit embeddings of each face and of its mirror image: float32 [N, 64]."""
        import torch

        assert self._network is not None, "fit or restore first"
        with torch.inference_mode():
            faces = self._shown(faces.to(self._device))
            return (self._network(faces) + self._network(faces.flip(-1))).float().cpu()

    def state(self) -> dict[str, torch.Tensor]:
        assert self._network is not None, "fit or restore first"
        return self._network.state_dict()

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._network = _restored(state, device)
        self._device = device


class InDomainEmotion(_InDomain):
    """A classifier of the emotions that the training split's faces are labelled with.

    Its quality is its accuracy on the labelled real faces of the test speakers. It learns from soft faces too.
    """

    name = "in-domain-emotion"
    version = "3"
    kind = "emotion"
    summary = "emotion classifier trained by the harness on the training split"
    epochs = 40

    def _targets(self, train: Clips) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        if "emotion" not in train.table:
            raise NotAvailable(f"{self.name} needs emotion labels, which this data set has not")
        emotions = train.table["emotion"].to_numpy()
        self.labels = tuple(emotion for emotion in EMOTIONS if emotion in emotions)
        rows = np.flatnonzero(train.table["face"] & train.table["emotion"].isin(self.labels))
        if len(self.labels) < 2:
            raise NotAvailable(f"{self.name} needs faces of two emotions; the training split has {self.labels}")
        return rows, np.array([self.labels.index(emotion) for emotion in emotions[rows]])

    def _augmented(self, faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        from v2f_bench.judges.embedder import augment, coarsened, disturbed

        return disturbed(coarsened(augment(faces, rng), rng), rng)

    def _new_head(self, classes: int) -> nn.Module:
        from v2f_bench.judges.embedder import Embedder, LinearSoftmax

        return LinearSoftmax(Embedder.dimensions, classes)

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """The mean of the probabilities of each face and of its mirror image: float32 [N, len(labels)]."""
        import torch

        assert self._network is not None, "fit or restore first"
        assert self._head is not None, "fit or restore first"
        with torch.inference_mode():
            faces = self._shown(faces.to(self._device))
            views = [self._head(self._network(view)).softmax(dim=1) for view in (faces, faces.flip(-1))]
            return (sum(views) / 2).float().cpu()

    def state(self) -> dict[str, torch.Tensor]:
        import torch

        assert self._network is not None, "fit or restore first"
        assert self._head is not None, "fit or restore first"
        return {
            **{f"network.{name}": tensor for name, tensor in self._network.state_dict().items()},
            **{f"head.{name}": tensor for name, tensor in self._head.state_dict().items()},
            "labels": torch.tensor([EMOTIONS.index(label) for label in self.labels]),
        }

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self.labels = tuple(EMOTIONS[place] for place in state["labels"].tolist())
        self._network = _restored(_below(state, "network."), device)
        self._head = self._new_head(len(self.labels)).to(device).eval()
        self._head.load_state_dict(_below(state, "head."))
        self._device = device


class InDomainEmotionShape(InDomainEmotion):
    """The same classifier of another kind: it sees no colour and little texture, 24 grey pixels a side.

    Where the two disagree more than they do on real faces, something other than an expression was drawn.
    """

    name = "in-domain-emotion-shape"
    version = "1"
    summary = "emotion classifier that sees grey faces of 24×24 pixels, trained by the harness"

    def _shown(self, faces: torch.Tensor) -> torch.Tensor:
        from v2f_bench.judges.embedder import shape_alone

        return shape_alone(faces)


def _restored(state: dict[str, torch.Tensor], device: str) -> Embedder:
    import torch

    from v2f_bench.judges.embedder import Embedder

    network = Embedder()
    network.load_state_dict(state)
    return network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]


def _below(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
