"""What papers report, in their own protocols: to be seen beside a table, and never ranked with it."""

from __future__ import annotations

from dataclasses import dataclass

LISTS = (
    "test lists of names with C to E: 65,550 verification pairs, 21,850 retrieval queries over 20,076 faces; a voice "
    "and face are matched, no face is drawn"
)
CAE = "Liang et al. 2020, Controlled AutoEncoders to Generate Faces from Voices"
CGAN = "Mahalakshmi & Ramesh, conditional GAN for faces from speech"
SHAPE = (
    "Wen et al. 2021, Seeking the Shape of Sound: An Adaptive Framework for Learning Voice-Face Association, CVPR; "
    "table of its public code"
)
CREMA = "Cao et al. 2014, CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset"


@dataclass(frozen=True)
class ReportedRow:
    """One number of a paper."""

    dataset: str  # as `v2f-bench list` names it
    method: str
    measure: str
    value: float
    protocol: str  # in words: why it cannot be compared with ours
    source: str


def _rows(
    dataset: str, method: str, source: str, *numbers: tuple[str, float, str], protocol: str = ""
) -> list[ReportedRow]:
    return [
        ReportedRow(dataset, method, measure, value, ", ".join(filter(None, (protocol, setting))), source)
        for measure, value, setting in numbers
    ]


_PEOPLE = "20 people, 100 rounds each, a voice and two faces of one sex"
_OWN_CLASSIFIER = "by the classifier that the method was trained against, 64 features"
_RECOGNISER = "recognised by a pretrained face recogniser"
_VOTES = "majority vote of listeners or viewers against the intended emotion, 7,442 clips"

REPORTED: tuple[ReportedRow, ...] = (
    *_rows(
        *("voxceleb-vggface", "cae", CAE),
        ("voice matched to one of two faces, by people", 0.72, f"{_PEOPLE}, generated faces"),
        ("cosine to target", 0.42, _OWN_CLASSIFIER),
        ("cosine to proposal", 0.32, _OWN_CLASSIFIER),
        ("R@5", 0.21, f"among 500 pictures, {_OWN_CLASSIFIER}"),
    ),
    *_rows(
        *("voxceleb-vggface", "real photographs", CAE),
        ("voice matched to one of two faces, by people", 0.89, f"{_PEOPLE}, photographs"),
    ),
    *_rows(
        *("voxceleb-vggface", "random face", CAE),
        ("voice matched to one of two faces, by people", 0.50, "chance"),
        ("cosine to target", 0.21, _OWN_CLASSIFIER),
    ),
    *_rows(
        *("voxceleb-vggface", "voice-face matching network", SHAPE),
        ("verification AUC", 0.872, ""),
        ("verification AUC within sex", 0.775, ""),
        ("1:2 matching", 0.872, ""),
        ("1:2 matching within sex", 0.777, ""),
        ("mAP", 0.055, "chance 0.006"),
        protocol=LISTS,
    ),
    *(
        row
        for method, seen, unseen in (("cgan, conditions=none", 0.7663, 0.300), ("cgan, conditions=both", 0.8008, 0.562))
        for row in _rows(
            *("voxceleb", method, CGAN),
            ("recognition accuracy, training speakers", seen, ""),
            ("recognition accuracy, test speakers", unseen, ""),
            protocol=f"{_RECOGNISER}; the abstract says 99 %, the conclusion 56.2 %",
        )
    ),
    *_rows(
        *("voxceleb", "cgan, conditions=both", CGAN),
        ("recognition accuracy, one real picture a person", 0.76, "before generated faces joined it"),
        ("recognition accuracy, one real picture a person", 0.99, "after generated faces joined it"),
        protocol=_RECOGNISER,
    ),
    *_rows(
        *("crema-d", "people", CREMA),
        ("emotion named as intended, from the voice", 0.416, ""),
        ("emotion named as intended, from the face", 0.663, ""),
        ("emotion named as intended, from both", 0.722, ""),
        protocol=_VOTES,
    ),
)
