"""Small studies for tests: a material without runs, studies without media, and raters who answer them."""

import contextlib
import hashlib
import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
from conftest import SMALL
from PIL import Image
from scipy.special import expit

from v2f_bench.artefacts import Faces
from v2f_bench.interfaces import apply_settings
from v2f_bench.plugins import registry
from v2f_bench.study.designs import DESIGNS
from v2f_bench.study.folder import KEY, SITE, Key, Rules, StudiedMethod
from v2f_bench.study.items import Item
from v2f_bench.study.page import write_page
from v2f_bench.study.questions import Questionnaire, Size
from v2f_bench.study.recruit import rater_codes, write_recruiting
from v2f_bench.study.runs import Material, RunFaces
from v2f_bench.study.sessions import Answer, Session, checksum

EMOTIONS = ("angry", "happy", "sad")


def open_small(track, cache):
    """The bench of the tests' small world."""
    from v2f_bench.harness.make_bench import make_bench
    from v2f_bench.harness.workplace import Workplace

    cls = registry().find("dataset", SMALL[1]).cls
    settings = [word for word in SMALL[2:] if "=" in word]
    return make_bench(cls(apply_settings(cls.options(), settings, "test"), None), Workplace(cache=cache), track)


def small_material(bench, folder, methods=("copy", "stranger"), leave_out=()):
    """Material of two methods: `copy` has the proposal's face, `stranger` some training face."""
    runs = []
    for method, column in zip(methods, ("proposal", "random_face"), strict=False):
        pictures = folder / method
        pictures.mkdir(parents=True)
        for trial, clip in zip(bench.trials["trial"], bench.trials[column], strict=True):
            if (method, trial) not in leave_out:
                face = (bench.faces([clip])[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
                Image.fromarray(face).save(pictures / f"{trial}.png")
        faces = Faces.of(pictures)
        runs.append(RunFaces(method, folder, faces, method, f"seed0-{method}", 0, tuple(bench.trials["trial"])))
    return Material(tuple(runs), bench)


def small_items(count, speakers, emotions=False):
    """Items of which each is of another speaker as far as there are, half of them women."""
    items = []
    for number in range(count):
        speaker = number % speakers
        labels = {"sex": "female" if speaker % 2 else "male", "age": str(20 + 3 * speaker), "ethnicity": ""}
        other = (number + 2) % count if (number + 2) % count % speakers != speaker else (number + 4) % count
        clips = {name: f"{name}{number}" for name in ("voice", "target", "real_photo", "proposal", "random_face")}
        emotion = EMOTIONS[number % len(EMOTIONS)] if emotions else ""
        items.append(
            Item(f"t{number:05d}", f"s{speaker}", **clips, emotion=emotion, labels=labels, other=f"t{other:05d}")
        )
    return items


def small_key(design, methods=("one", "two"), items=24, speakers=24, size=None, seed=0, **more):
    """A key without media: its design, questionnaire and lists are real."""
    size = size or Size(lists=6, trials=16, anchors=4, checks=2)
    track = "emotion" if design == "name-emotion" else "identity"
    chosen = small_items(items, speakers, emotions=track == "emotion")
    made = DESIGNS[design](track, EMOTIONS, more.pop("modality", "face"))
    rng = np.random.default_rng(seed)
    questionnaire = Questionnaire(made, chosen, list(methods), size, rng)
    lists = [questionnaire.next_list() for _ in range(size.lists)]
    runs = {name: StudiedMethod(name, f"seed0-{name}", 0, f"runs/{name}", "", items, ()) for name in methods}
    values = {
        "study": hashlib.sha256(f"{design}{seed}{items}{size}".encode()).hexdigest()[:16],
        "design": design,
        "measure": made.measure,
        "modality": made.modality,
        "track": track,
        "seed": seed,
        "dataset": "synthetic-speakers",
        "licence": "Apache-2.0",
        "may_be_shown": "yes",
        "responsible": "",
        "protocol": {"name": f"{track}-v1", "hash": "0123456789abcdef"},
        "methods": runs,
        "items": {item.trial: {"speaker": item.speaker, **item.labels} for item in chosen},
        "answers": tuple(made.answers),
        "chance": made.chance,
        "failed": made.chance if made.failed is None else made.failed,
        "rules": Rules(),
        "completion_code": "",
        "lists": tuple(tuple(each.question for each in questions) for questions in lists),
    }
    return Key(**{**values, **more})


def write_study(folder, key):
    """The study of a key, whose site has no media."""
    (folder / SITE).mkdir(parents=True)
    text = key.to_json().encode()
    (folder / KEY).write_bytes(text)
    public = {"id": key.study, "key": hashlib.sha256(text).hexdigest(), "title": "Faces", "lists": []}
    write_page(folder / SITE, public)
    write_recruiting(folder, rater_codes(len(key.lists), np.random.default_rng(0)), "")
    return folder


def session_of(key, number, choose, length=None, rater=None, ms=2000, source=""):
    """A session of list `number` whose answers `choose(question)` gives."""
    questions = key.lists[number - 1][:length]
    answers = tuple(Answer(each.trial, choose(each), ms, 1) for each in questions)
    name = rater or f"rater{number:03d}"
    return Session(source or name, hashlib.sha256(name.encode()).hexdigest()[:16], name, number, answers)


def attentive(choose):
    """A rater who passes the attention checks."""
    return lambda question: question.right if question.kind == "check" else choose(question)


def answer_content(key, session):
    """What the page would write to a file."""
    return {
        "format": "v2f-bench study answers",
        "version": 1,
        "study": key.study,
        "session": session.session,
        "rater": session.rater,
        "platform": dict(session.platform),
        "list": session.list,
        "answers": [vars(each) for each in session.answers],
        "checksum": checksum(key.study, session),
    }


def write_answers(path, key, session):
    path.write_text(json.dumps(answer_content(key, session)))
    return path


def simulated_raters(key, logits, seed=0, rater_sd=0.4, item_sd=1.0):
    """A session a list, by raters who are right with the logit of a question's method, plus effects of rater and
    speaker; `logits`: by method or what stands in its place."""
    rng = np.random.default_rng(seed)
    of_speaker = {item["speaker"]: item_sd * rng.normal() for item in key.items.values()}
    sessions = []
    for number in range(1, len(key.lists) + 1):
        of_rater = rater_sd * rng.normal()

        def choose(question, of_rater=of_rater):
            logit = logits[question.method] + of_rater + of_speaker[key.items[question.item]["speaker"]]
            wrong = [answer for answer in key.answers if answer != question.right]
            return question.right if rng.random() < expit(logit) else wrong[rng.integers(len(wrong))]

        sessions.append(session_of(key, number, attentive(choose)))
    return sessions


class Served:
    """A `v2f-bench study serve` in a process of its own that can be killed and started again at the same port."""

    def __init__(self, study, environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._study, self._environment = study, environment
        self.start()

    def start(self):
        command = [sys.executable, "-m", "v2f_bench", "study", "serve", str(self._study), "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)
        raise AssertionError("the server did not come up")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
