"""How a head comes into the picture: turned as the scene asks, then framed as `prepare` frames real faces.

`prepare` detects five points of a face (eyes, tip of the nose, corners of the mouth) and brings them to the places of
`TEMPLATE` by the similarity of least squares. Here the points are known, and the similarity is the same; the scene's
`point_errors` stand for those of a detector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, Point
from v2f_bench.media.align import TEMPLATE, similarity

_ROUNDS = 3  # of the fixed point that turns a picture's place into one on the head
_TIP = (0.2, 0.25)  # how far round the tip of the nose its depth reaches


@dataclass(frozen=True)
class Framing:
    """From places on the head to places in the picture (face units from its left and upper edge), and back.

    `yaw` and `pitch` are the sines of the head's turn, `tip` is the v of the tip of the nose. `turn` (of length 1) and
    `shift` take a place in the picture to the plane of the turned head, both as complex numbers; `side` is the
    picture's.
    """

    yaw: float
    pitch: float
    tip: float
    turn: complex
    shift: complex
    side: float

    def place(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Field, Field]:
        """Where the picture shows the place (u, v) of the head."""
        x, y = _turned(u, v, self.yaw, self.pitch, self.tip)
        place = (x + 1j * y - self.shift) * self.turn.conjugate()
        return place.real, place.imag

    def on_head(self, a: Field, b: Field) -> tuple[Field, Field]:
        """Which place of the head the picture shows at `a` [1, n] and `b` [n, 1]: two fields [n, n]."""
        c, s = np.float32(self.turn.real), np.float32(self.turn.imag)
        x = (c * a + np.float32(self.shift.real)) - s * b
        y = (c * b + np.float32(self.shift.imag)) + s * a
        u, v = x, y
        for _ in range(_ROUNDS):
            right, down = _displacement(u, v, self.yaw, self.pitch, self.tip)
            u, v = x - right, y - down
        return u, v


def framing_of(points: tuple[Point, ...], scene: Scene) -> Framing:
    """The framing of a head whose eyes, tip of the nose and corners of the mouth lie at `points`."""
    yaw, pitch = float(np.sin(np.deg2rad(scene.yaw))), float(np.sin(np.deg2rad(scene.pitch)))
    u, v = np.array(points).T
    tip = points[2][1]
    seen = np.stack(_turned(u, v, yaw, pitch, tip), axis=1)
    eyes = float(np.hypot(*(seen[1] - seen[0])))
    turn, shift = similarity(TEMPLATE, seen + eyes * np.array(scene.point_errors))
    return Framing(yaw, pitch, tip, turn / abs(turn), shift, abs(turn))


def _turned(u: npt.ArrayLike, v: npt.ArrayLike, yaw: float, pitch: float, tip: float) -> tuple[Field, Field]:
    u, v = np.asarray(u), np.asarray(v)
    right, down = _displacement(u, v, yaw, pitch, tip)
    return u + right, v + down


def _displacement(u: Field, v: Field, yaw: float, pitch: float, tip: float) -> tuple[Field, Field]:
    """By how much a turned head's places move: as far as they lie in front of the axis of its turn."""
    far = (u * (1 / 1.25)) ** 2 + ((v - 0.35) * (1 / 2.0)) ** 2
    near = np.maximum(1 - far, 0)
    nose = np.exp(((u * (1 / _TIP[0])) ** 2 + ((v - tip) * (1 / _TIP[1])) ** 2) * -0.5)
    depth = 1.1 * near * (1 - 0.3 * near) + 0.22 * nose
    return yaw * depth, pitch * (depth - 0.45 * near)
