"""The face check of a protocol: whether a picture that is scored shows a face at all.

Judges also give an answer for a picture without a face, but it means nothing. Where the detector is installed, such a
picture counts as a failed face, whether a method, a floor or a ceiling is scored. The face check is part of the
protocol, since the same pictures have other numbers without it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2f_bench.data.protocol import NO_FACE_CHECK
from v2f_bench.interfaces import Evidence, Judge, NotAvailable, Progress
from v2f_bench.plugins import Registry

DETECTOR = "mtcnn"


def find_detector(plugins: Registry, device: str, progress: Progress) -> tuple[Judge | None, str]:
    """The detector, started, and its name in a protocol; None and NO_FACE_CHECK where it is not installed."""
    try:
        detector: Judge = next(plugin for plugin in plugins.all("judge") if plugin.name == DETECTOR).cls()
        detector.start(device)
    except NotAvailable as reason:
        progress.line(
            f"no face check: {reason}. Pictures without a face then count like others. So this is another protocol, "
            "which is never ranked together with one that has the check."
        )
        return None, NO_FACE_CHECK
    return detector, f"{detector.name} {detector.version}"


def face_check_here(plugins: Registry) -> str:
    """The name of the face check in a protocol that is made here, without opening the detector."""
    from v2f_bench.media.mtcnn_networks import is_installed

    detector = next(plugin for plugin in plugins.all("judge") if plugin.name == DETECTOR).cls
    return f"{detector.name} {detector.version}" if is_installed() else NO_FACE_CHECK


def without_a_face(detected: Evidence, role: str = "generated") -> np.ndarray:
    """The pictures of a role in which the detector found no face: bool [n]. `detected` is its evidence."""
    return np.asarray(detected.seen[role][:, 0] == 0)


def with_role_as_generated(role: str, evidence: Evidence, detected: Evidence | None) -> Evidence:
    """The evidence with the vectors of `role` in place of "generated"; NaN for pictures without a face.

    Args:
        detected: the detector's evidence on the same trials; None to check no faces.
    """
    given = evidence.seen[role]
    if detected is not None:
        given = np.where(without_a_face(detected, role)[:, None], np.nan, given).astype(np.float32)
    return replace(evidence, seen={**evidence.seen, "generated": given})
