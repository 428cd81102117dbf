"""The face check of a protocol: whether a picture that stands for a method's answer shows a face at all.

A judge gives an answer for a picture without a face too, and it means nothing. Where the detector is here, such a
picture is a failed face for them, of whatever is scored: a method, a floor or a ceiling. Whether that was checked is
part of the protocol, since the same pictures have other numbers without it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2f_bench.data.protocol import NO_FACE_CHECK
from v2f_bench.interfaces import Evidence, Judge, NotAvailable, Progress
from v2f_bench.plugins import Registry

DETECTOR = "mtcnn"


def find_detector(plugins: Registry, device: str, progress: Progress) -> tuple[Judge | None, str]:
    """The detector, ready, and how a protocol names it; None and NO_FACE_CHECK where it is not installed."""
    try:
        detector: Judge = next(plugin for plugin in plugins.all("judge") if plugin.name == DETECTOR).cls()
        detector.start(device)
    except NotAvailable as reason:
        progress.line(
            f"no face check: {reason}. Pictures without a face then count like others, so this is a protocol of its "
            "own, never ranked with checked ones."
        )
        return None, NO_FACE_CHECK
    return detector, f"{detector.name} {detector.version}"


def face_check_here(plugins: Registry) -> str:
    """How a protocol that is laid here names its face check, as far as can be told without opening the detector."""
    from v2f_bench.media.mtcnn_networks import is_installed

    detector = next(plugin for plugin in plugins.all("judge") if plugin.name == DETECTOR).cls
    return f"{detector.name} {detector.version}" if is_installed() else NO_FACE_CHECK


def without_a_face(detected: Evidence, role: str = "generated") -> np.ndarray:
    """The pictures of a role in which the detector, which was shown them, found no face: bool [n]."""
    return np.asarray(detected.seen[role][:, 0] == 0)


def with_role_as_generated(role: str, evidence: Evidence, detected: Evidence | None) -> Evidence:
    """The evidence with the vectors of `role` in place of "generated"; NaN for pictures without a face.

    Args:
        detected: the detector's evidence of the same trials; None where faces are not checked, or need not be.
    """
    given = evidence.seen[role]
    if detected is not None:
        given = np.where(without_a_face(detected, role)[:, None], np.nan, given).astype(np.float32)
    return replace(evidence, seen={**evidence.seen, "generated": given})
