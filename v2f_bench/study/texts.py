"""What raters read before and after the questions, where the experimenter gives no text of their own."""

from __future__ import annotations

from v2f_bench.study.designs import Design

AGREE = "I am 18 or older, I have read this, and I agree to take part."

_MADE = "Some faces are photographs, others were made by a computer; it does not matter which."

# What each design asks of the rater, beside the question itself.
_TASKS = {
    "match-2afc": [
        "Each time you hear a voice and see two faces, one on the left and one on the right. Choose the face that you "
        "think belongs to the voice.",
        f"{_MADE} Many questions are hard, and often nobody could be sure: then choose what seems more likely.",
    ],
    "which-method": [
        "Each time you hear a voice and see two faces, one on the left and one on the right. Choose the face that fits "
        "the voice better. If you see no difference, say so.",
        f"{_MADE} Nor does it matter which face is prettier or sharper.",
    ],
    "name-emotion": [
        "Each time, choose the emotion that is shown. Choose one answer; if you are not sure, what seems most likely.",
        _MADE,
    ],
    "same-person": [
        "Each time you see two pictures. Say whether they show the same person or two different people. Light, hair "
        "and expression may differ between two pictures of one person.",
        _MADE,
    ],
    "realism": [
        "Each time you see one small picture of a face. Say whether it is a photograph of a real person or was made "
        "by a computer. About half of them are photographs. All are small and a little blurred.",
    ],
}


def consent_text(design: Design, minutes: int, questions: int, contact: str) -> list[str]:
    """The default consent text: paragraphs."""
    senses = {"face": "see faces", "voice": "hear voices", "film": "see and hear short films"}[design.modality]
    if design.hears and design.modality == "face":
        senses = "hear voices and see faces"
    return [
        "You are invited to take part in a study of computer programs that draw faces from voices. You will "
        f"{senses} and answer {questions} short questions, one after the other. This takes about {minutes} minutes.",
        "Taking part is voluntary. You may stop at any time and need give no reason: close the page, or choose “Stop "
        "and withdraw”, which deletes your answers.",
        "What is kept: your answers, how long each one took, how often a sound was played, and, if you came from a "
        "recruiting service, the participant number that it gave you, which is used only to pay you.",
        "What is not kept: your name, your network address, your device, the time of day, or anything that you type. "
        "There are no cookies. Your browser remembers your answers until you are done, so that you can go on after a "
        "break.",
        "Results are published only as numbers over many people's answers. No face or voice in this study is used to "
        "find out who somebody is.",
        f"Who is responsible: {contact or 'the person who gave you this link'}.",
    ]


def instructions(design: Design) -> list[str]:
    """Paragraphs that are shown before the first question."""
    texts = _TASKS[design.name][: 1 if design.modality == "voice" else None]
    if design.hears:
        texts = [*texts, "You need loudspeakers or headphones. Listen to each recording once to its end."]
    return [*texts, "Now and then a question tells you which answer to choose: it checks that you are reading along."]


def check_question(question: str, label: str) -> str:
    """A question that tells its own answer: an attention check, which only who reads the question passes."""
    return f"{question} This one is a check of attention: please choose “{label}”, whatever you see or hear."


def paragraphs(text: str) -> list[str]:
    """A text file's paragraphs, which empty lines part."""
    return [" ".join(block.split()) for block in text.replace("\r\n", "\n").split("\n\n") if block.strip()]


def picture_names(sides: bool, count: int) -> list[str]:
    """What a screen reader says of the pictures: where they are, and nothing more."""
    if count == 2:
        return ["The face on the left", "The face on the right"] if sides else ["The first face", "The second face"]
    return ["The face"]
