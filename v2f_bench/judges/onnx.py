"""The judge that a card describes: an ONNX network, run by onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import BenchError, Judge, NotAvailable, UsageError, WeightsFile
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.judges.card import Card, parse_card

if TYPE_CHECKING:
    import numpy as np
    import torch

BATCH = 32  # faces at once, where the network takes any number
PROBES = 3  # synthetic faces, to test whether a row depends on the rest of the batch
ROUNDING = {"float32": 0.003, "float16": 0.01}  # allowed difference, as a fraction of the largest output
USUAL_SIDES = (224, 112, 64, 160, 48, 96, 128, 192, 256, 299, 100, 120, 152, 32, 40, 56, 80, 140, 144, 180, 200, 240)
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in a grey picture (ITU-R BT.601)
NUMBERS = {"tensor(float)": "float32", "tensor(float16)": "float16"}


def read_card(path: Path) -> Judge:
    """The judge that a card describes. `load` opens its network.

    Raises:
        UsageError: as for `parse_card`.
    """
    card = parse_card(path)
    named = Path(card.file).expanduser()
    beside = path.resolve().parent / named  # `named` itself, where that is an absolute path
    file = str(beside) if named.is_absolute() or beside.is_file() else named.name
    megabytes = beside.stat().st_size / 1e6 if beside.is_file() else 0.0
    return OnnxJudge(card, WeightsFile(file, card.url, card.sha256, megabytes, card.licence))


class OnnxJudge(Judge):
    """Prepares faces as the card says, and runs the network on batches of them."""

    def __init__(self, card: Card, weights: WeightsFile) -> None:
        self.card, self.weights = card, weights
        self.name, self.kind = card.name, card.kind
        self.version = f"{card.version}+{card.key}"
        self.summary = card.summary or f"{card.kind} by the judge card {card.name}"
        self.labels = card.output.labels
        self.people, self.met, self.licence = card.people, card.met, card.licence
        self._session: Any = None
        self._output = ""
        self._fixed_batch: int | None = None

    def load(self, file: Path, device: str) -> None:
        """Open the network, and try it on a few synthetic faces, one by one and together.

        Raises:
            UsageError: the network is not as its card says.
            BenchError: it cannot be opened or run, or its output for a face depends on the other faces.
        """
        import torch

        self._session = self._open(file, device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1:
            self._fail(
                f"its network takes {len(inputs)} inputs ({', '.join(i.name for i in inputs)}), not a face alone"
            )
        if inputs[0].type not in NUMBERS:
            self._fail(f"its network takes {inputs[0].type}, not one of {', '.join(NUMBERS)}")
        batch, *shape = inputs[0].shape
        wanted = self.card.input.shape
        if len(shape) != 3 or any(isinstance(n, int) and n != m for n, m in zip(shape, wanted, strict=True)):
            self._fail(f"input.layout, size and colour make faces {wanted}, but the network takes {tuple(shape)}")
        self._fixed_batch = batch if isinstance(batch, int) and batch > 0 else None
        self._output = self._name_of([output.name for output in outputs])
        self._check(self.predict(torch.full((1, 3, 64, 64), 0.5)))
        self._check_alone_and_together()

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        import numpy as np
        import torch

        assert self._session is not None, "load first"
        step = self._fixed_batch or BATCH
        rows = [self._run(prepare(some, self.card).numpy()) for some in faces.split(step)]
        given = torch.from_numpy(np.concatenate(rows))
        return given.double().softmax(dim=1).float() if self.card.output.gives == "logits" else given

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        """The network's output, float32 [n, D], for one batch of n prepared faces."""
        import numpy as np

        source = self._session.get_inputs()[0]
        n = len(pixels)
        if self._fixed_batch:
            pixels = np.concatenate([pixels, np.zeros((self._fixed_batch - n, *pixels.shape[1:]), pixels.dtype)])
        try:
            given = self._session.run([self._output], {source.name: pixels.astype(NUMBERS[source.type])})[0]
        except Exception as error:  # onnxruntime has no common base for its errors
            raise self._refused(len(pixels), error) from None
        if given.ndim < 1 or len(given) != len(pixels):
            self._fail(f"output {self._output} is {given.shape} for {len(pixels)} faces, not [N, D]")
        return given.reshape(len(given), -1)[:n].astype(np.float32)

    def _open(self, file: Path, device: str) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise NotAvailable(f"{self.name} needs onnxruntime ({error}): pip install onnxruntime") from None
        import torch

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
        options.log_severity_level = 4  # fatal errors alone: failures are raised anyway
        providers: list[Any] = ["CPUExecutionProvider"]
        if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)}))
        try:
            return onnxruntime.InferenceSession(str(file), options, providers=providers)
        except Exception as error:  # onnxruntime has no common base for its errors
            reason = str(error).splitlines()[0][:200]
            raise BenchError(f"{file}: not readable as an ONNX network ({reason})") from None

    def _name_of(self, outputs: list[str]) -> str:
        name = self.card.output.name
        if name is None and len(outputs) > 1:
            self._fail(f"its network has several outputs; output.name must be one of {', '.join(outputs)}")
        if name is not None and name not in outputs:
            self._fail(f"its network has no output {name!r}{did_you_mean(name, outputs)} It has: {', '.join(outputs)}")
        return name or outputs[0]

    def _check(self, row: torch.Tensor) -> None:
        columns, kind = row.shape[1], JUDGE_KINDS[self.kind]
        wanted = kind.columns or len(self.labels) or columns
        if columns != wanted:
            what = f"{wanted} labels" if self.labels else kind.gives
            self._fail(f"its network gives {columns} numbers a face, but the card says {what}")
        if columns < kind.least_columns:
            self._fail(f"its network gives {columns} number a face; {self.kind} needs {kind.least_columns} or more")
        total = float(row.sum())
        if self.card.output.gives == "probabilities" and (float(row.min()) < -1e-3 or abs(total - 1) > 0.01):
            self._fail(f'its network gives no probabilities (they sum to {total:.3g}): is output.gives "logits"?')

    def _check_alone_and_together(self) -> None:
        """Check that the output for a face, but for rounding, does not depend on the other faces of the batch.

        It does depend on them in a network that was exported in training mode.
        """
        import torch

        coarse = torch.rand(PROBES, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        faces = torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")
        alone, together = torch.cat([self.predict(face[None]) for face in faces]), self.predict(faces)
        difference = float((alone - together).abs().amax() / alone.abs().amax().clamp(min=1e-6))
        if difference > ROUNDING[NUMBERS[self._session.get_inputs()[0].type]]:
            raise BenchError(
                f"judge card {self.name}: what its network gives for a face depends on the other faces of the batch; "
                "export it in evaluation mode (in torch: network.eval())"
            )

    def _refused(self, faces: int, error: Exception) -> BenchError:
        """The error for faces that the network cannot take as the card describes them; names a size it can take."""
        own, reason = self.card.input, " ".join(str(error).split())[:200]
        if self._takes(own.size):
            return BenchError(f"judge card {self.name}: its network cannot take {faces} faces at once ({reason})")
        size = next((size for size in USUAL_SIDES if self._takes(size)), None)
        if size is None:
            return BenchError(f"judge card {self.name}: its network cannot take faces {own.shape} ({reason})")
        takes = f"takes faces {replace(own, size=size).shape}, not {own.shape}: set size = {size}"
        return BenchError(f"judge card {self.name}: its network {takes}")

    def _takes(self, size: int) -> bool:
        import numpy as np

        source, shape = self._session.get_inputs()[0], replace(self.card.input, size=size).shape
        face = np.zeros((self._fixed_batch or 1, *shape), NUMBERS[source.type])
        try:
            self._session.run([self._output], {source.name: face})
        except Exception:  # onnxruntime has no common base for its errors
            return False
        return True

    def _fail(self, problem: str) -> None:
        raise UsageError(f"judge card {self.name}: {problem}")


def prepare(faces: torch.Tensor, card: Card) -> torch.Tensor:
    """Faces [N, 3, H, W], RGB in [0, 1], as the network takes them: float32 [N, *card.input.shape]."""
    import torch

    from v2f_bench.media.picture import resize

    given = card.input
    pixels = resize(faces.float(), given.size) * given.highest
    if given.colour == "grey":
        pixels = (pixels * torch.tensor(LUMA).view(3, 1, 1)).sum(dim=1, keepdim=True)
    elif given.colour == "bgr":
        pixels = pixels.flip(1)
    if given.scale is not None and given.shift is not None:
        pixels = pixels * given.scale + given.shift
    elif given.mean is not None and given.std is not None:
        mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in (given.mean, given.std))
        pixels = (pixels - mean) / std
    elif given.standardise == "per-image":
        n = pixels[0].numel()
        mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
        std = pixels.std(dim=(1, 2, 3), keepdim=True, correction=0)
        pixels = (pixels - mean) / std.clamp(min=n**-0.5)
    return (pixels.permute(0, 2, 3, 1) if given.layout == "NHWC" else pixels).contiguous()
