"""deepface's networks, with its own classes and its own preparation of pictures, but for many faces at once.

Their output for a face is that of `DeepFace.represent` and `DeepFace.analyze` with `detector_backend="skip"` and all
other arguments at their defaults.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench.interfaces import Judge, NotAvailable, WeightsFile
from v2f_bench.interfaces.labels import standard_label

if TYPE_CHECKING:
    import numpy as np
    import torch

VGG_LICENCE = "as VGG-Face: Creative Commons Attribution, non-commercial research"
RELEASE = "https://github.com/serengil/deepface_models/releases/download/v1.0/"
ENGINE = "pytorch"  # of deepface's three: torch is installed anyway, and runs on a GPU too
ENGINE_VARIABLE = "DEEPFACE_BACKEND_ENGINE"
BATCH = 8  # faces at once: VGG's first layers take 26 MB a face at 224 pixels, and more faces are no faster


class _DeepFace(Judge):
    """A network of deepface, built by its own class from the file that was checked, and from no other file."""

    task: ClassVar[str]
    model: ClassVar[str]

    def __init__(self) -> None:
        self._client: Any = None

    def load(self, file: Path, device: str) -> None:
        if not file.is_file():
            raise NotAvailable(f"{self.name}: {file} is not there")
        try:
            client = self._build(file)  # runs no code from the file
        except ImportError as error:
            raise NotAvailable(f"{self.name} needs deepface ({error}): pip install deepface") from None
        except (ValueError, RuntimeError) as error:
            cause = (str(error.__cause__ or error).strip().splitlines() or [""])[0][:200]
            if "weights_only" in cause or "zip archive" in cause:  # torch's advice is to run the file's code
                cause = "damaged, or not saved by torch"
            raise NotAvailable(f"{file.name}: not the weights of {self.name} ({cause})") from None
        if hasattr(client, "device"):
            import torch

            client.device = torch.device(device)
            # Faces are in channels-last order; with the weights in the same order a CPU takes a quarter less time.
            client.model.to(client.device, memory_format=torch.channels_last)
        self._client = client

    def _build(self, file: Path) -> Any:
        from deepface.modules import modeling

        with _use_local_weights(file), _engine():
            return modeling.get_model_class(self.task, self.model)()

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        import numpy as np
        import torch

        assert self._client is not None, "load first"
        pixels = (faces.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).flip(3).cpu().numpy()  # BGR
        rows = [self._judge(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)]
        return torch.from_numpy(np.concatenate(rows).astype(np.float32))

    @abstractmethod
    def _judge(self, pixels: np.ndarray) -> np.ndarray:
        """[n, D] for uint8 [n, H, W, 3], BGR."""


class _Recogniser(_DeepFace):
    """As `DeepFace.represent`: 8-bit pixels resized without antialiasing, then in [0, 1] (normalization "base")."""

    task = "facial_recognition"
    kind = "identity"

    def _judge(self, pixels: np.ndarray) -> np.ndarray:
        import numpy as np

        width, height = self._client.input_shape
        embeddings = np.asarray(self._client.forward(_prepared(pixels, (height, width))))
        return embeddings.reshape(len(pixels), -1)  # deepface drops the first axis of a single face


class _Analyser(_DeepFace):
    """As `DeepFace.analyze`: pixels in [0, 1] resized to 224 without antialiasing."""

    task = "facial_attribute"

    def load(self, file: Path, device: str) -> None:
        from v2f_bench.judges.vgg_trunk import share_trunk

        super().load(file, device)
        backbone = getattr(self._client.model, "backbone", None)  # of age and sex
        if backbone is not None:
            share_trunk(backbone)

    def _judge(self, pixels: np.ndarray) -> np.ndarray:
        import numpy as np

        given = np.asarray(self._client.predict(_prepared(pixels / 255, (224, 224))))
        return given.reshape(len(pixels), -1)


class DeepFaceArcFace(_Recogniser):
    """ArcFace (Deng et al. 2019), ResNet34, 512 numbers, by Keras_insightface (its weights: deepface's issue 905)."""

    name = "deepface-arcface"
    model = "ArcFace"
    summary = "ArcFace of deepface (ResNet34), trained on CASIA-WebFace"
    people = "CASIA-WebFace, 10,572 people (its author in deepface's issue 905)"
    met = frozenset({"casia-webface"})
    licence = "MIT; its training data for non-commercial research"
    weights = WeightsFile("arcface_weights.pth", RELEASE + "arcface_weights.pth", "", 136.6, licence)


class DeepFaceSFace(_Recogniser):
    """SFace (Zhong et al. 2021), MobileNet, 128 numbers, from OpenCV's zoo; its graph takes one face at a time."""

    name = "deepface-sface"
    model = "SFace"
    summary = "SFace of OpenCV's zoo, by deepface"
    people = "CASIA-WebFace, VGGFace2 or MS-Celeb-1M: its publisher does not say which (opencv_zoo's issue 124)"
    met = None
    licence = "Apache-2.0"
    weights = WeightsFile(
        file="face_recognition_sface_2021dec.onnx",
        url="https://github.com/opencv/opencv_zoo/raw/main/models/face_recognition_sface/"
        "face_recognition_sface_2021dec.onnx",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",  # of opencv_zoo's Git-LFS pointer
        megabytes=38.7,
        licence=licence,
    )


class DeepFaceVggFace(_Recogniser):
    """VGG-Face (Parkhi et al. 2015), VGG16, unit vector of 4,096 numbers; trained on people of VoxCeleb1 too."""

    name = "deepface-vgg-face"
    model = "VGG-Face"
    summary = "VGG-Face of deepface; trained on people of VoxCeleb1 too"
    people = "VGGFace, 2,622 people (Parkhi et al. 2015)"
    met = frozenset({"vggface"})
    licence = VGG_LICENCE
    weights = WeightsFile("vgg_face_weights.pth", RELEASE + "vgg_face_weights.pth", "", 580.0, licence)


class DeepFaceEmotion(_Analyser):
    """deepface's emotion model: a small network on 48-pixel grey faces, trained on FER2013."""

    name = "deepface-emotion"
    kind = "emotion"
    model = "Emotion"
    summary = "emotion by deepface: seven classes, trained on FER2013"
    labels = tuple(map(standard_label, ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")))
    people = "FER2013: pictures from image search, people not named"
    met = frozenset({"fer2013"})
    licence = VGG_LICENCE + ", by deepface_models' own words"
    weights = WeightsFile(
        "facial_expression_model_weights.pth", RELEASE + "facial_expression_model_weights.pth", "", 6.0, licence
    )


class DeepFaceSex(_Analyser):
    """deepface's gender model: VGG-Face trained further on the Wikipedia part of IMDB-WIKI."""

    name = "deepface-sex"
    kind = "sex"
    model = "Gender"
    summary = "sex by deepface: VGG-Face trained further"
    labels = tuple(map(standard_label, ("Woman", "Man")))
    people = "VGGFace, then the Wikipedia part of IMDB-WIKI"
    met = frozenset({"vggface", "imdb-wiki"})
    licence = VGG_LICENCE
    weights = WeightsFile("gender_model_weights.pth", RELEASE + "gender_model_weights.pth", "", 537.1, licence)


class DeepFaceAge(_Analyser):
    """deepface's apparent age: the mean of its probabilities of 0 to 100 years, as `DeepFace.analyze`, not rounded."""

    name = "deepface-age"
    kind = "age"
    model = "Age"
    summary = "apparent age in years by deepface: VGG-Face trained further"
    people = "VGGFace, then the Wikipedia part of IMDB-WIKI"
    met = frozenset({"vggface", "imdb-wiki"})
    licence = VGG_LICENCE
    weights = WeightsFile("age_model_weights.pth", RELEASE + "age_model_weights.pth", "", 538.8, licence)


def _prepared(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """deepface's own resizing, one face after the other: float32 [n, H, W, 3] in [0, 1]."""
    import numpy as np
    from deepface.modules.preprocessing import resize_image

    return np.concatenate([resize_image(face, size) for face in pixels])


@contextmanager
def _use_local_weights(file: Path) -> Iterator[None]:
    """While a network is built, let deepface take its weights from `file`, and download nothing."""
    from deepface.commons import weight_utils

    def checked_file(file_name: str, source_url: Any, compress_type: str | None = None) -> str:
        if file_name != file.name:
            raise NotAvailable(f"this deepface wants {file_name}, not {file.name}; try deepface 0.0.103")
        return str(file)

    original = weight_utils.download_weights_if_necessary
    weight_utils.download_weights_if_necessary = checked_file
    try:
        yield
    finally:
        weight_utils.download_weights_if_necessary = original


@contextmanager
def _engine() -> Iterator[None]:
    """Let deepface use torch, by the variable that it reads on first use. Afterwards the user's value is restored."""
    from deepface.commons import backend_utils

    before = os.environ.get(ENGINE_VARIABLE)
    os.environ[ENGINE_VARIABLE] = ENGINE
    try:
        if backend_utils.get_backend_engine() != ENGINE:
            raise NotAvailable(
                f"deepface runs on {backend_utils.get_backend_engine()} in this process, not on {ENGINE}"
            )
        yield
    finally:
        if before is None:
            del os.environ[ENGINE_VARIABLE]
        else:
            os.environ[ENGINE_VARIABLE] = before
