"""How well the voice networks of the emotion methods hear the emotion of real speakers that they have not heard.

    python benchmarks/real_voices.py --data-root FOLDER_OF_RAVDESS

The networks of `latent-search` (the same as that of `pix2pix-sign`) and `cyclegan`, by their preset `quick`, on
RAVDESS: the actors in turn, two at a time, are left out of training. The peer is a logistic regression by scikit-learn
on mean and deviation of librosa's MFCC. Accuracies over all left-out recordings, with a bootstrap over actors.

Exits 1 if a network does no better than chance.
"""

import argparse
import sys
from pathlib import Path

import librosa
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tabulate import tabulate

from v2f_bench import Context
from v2f_bench.audio import Features
from v2f_bench.data.store import StoredClips
from v2f_bench.datasets.ravdess import Ravdess
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.stats.bootstrap import mean_interval
from v2f_bench.training import train_learner
from v2f_cyclegan.classifiers import VoiceLearner, conditions_of
from v2f_cyclegan.emotions import classes_of
from v2f_cyclegan.hearing import front_end_options, mfsc_of
from v2f_cyclegan.options import QUICK
from v2f_speech2expression.hearing import cepstra_of, train_voice
from v2f_speech2expression.labels import emotions_in
from v2f_speech2expression.options import SEARCH_QUICK

LEFT_OUT = 2  # actors at a time
PEER = "logistic regression"
SIDE = 64  # pixels of faces, of which none is used


def mfcc_statistics(clips: StoredClips) -> np.ndarray:
    rows = []
    for row in range(len(clips)):
        voice = clips.voices([row])
        cepstra = librosa.feature.mfcc(y=voice.samples[0].numpy(), sr=voice.rate, n_mfcc=40)
        rows.append(np.concatenate([cepstra.mean(axis=1), cepstra.std(axis=1)]))
    return np.array(rows)


def by_latent_search(
    train: StoredClips, test: StoredClips, nobody: StoredClips, emotions: tuple[str, ...]
) -> np.ndarray:
    opt = SEARCH_QUICK
    network, _ = train_voice(train, nobody, emotions, opt, Context(0))
    heard = Features(test, cepstra_of, "cpu", n_mfcc=opt.n_mfcc, fft=opt.fft, hop=opt.hop)
    with torch.inference_mode():
        return network.whole(*heard.whole(heard.rows)).argmax(dim=1).numpy()


def by_cyclegan(train: StoredClips, test: StoredClips, nobody: StoredClips, emotions: tuple[str, ...]) -> np.ndarray:
    known, heard = (Features(clips, mfsc_of, "cpu", **front_end_options(QUICK)) for clips in (train, test))
    learner = VoiceLearner(known, classes_of(train.table, emotions), len(emotions), QUICK, Context(0))
    train_learner(learner, QUICK.voice_steps, "voice", Context(0))
    return conditions_of(learner.cnn.eval(), heard, heard.rows).argmax(dim=1).numpy()


def by_regression(train: StoredClips, test: StoredClips, nobody: StoredClips, emotions: tuple[str, ...]) -> np.ndarray:
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return peer.fit(mfcc_statistics(train), classes_of(train.table, emotions)).predict(mfcc_statistics(test))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    root = parser.parse_args().data_root
    store = prepare(Ravdess(Ravdess.options(), root), Workplace(), SIDE)
    clips = store.clips[store.clips["voice"] & store.clips["emotion"].ne("")]
    actors = np.array(sorted(clips["speaker"].unique()))
    emotions = emotions_in(clips)
    nobody = StoredClips(store, [], SIDE)  # instead of validation clips: the weights at the end of training count
    hearers = {"latent-search": by_latent_search, "cyclegan": by_cyclegan, PEER: by_regression}
    right: dict[str, list[np.ndarray]] = {name: [] for name in hearers}
    owners = []
    for number in range(0, len(actors), LEFT_OUT):
        out = clips["speaker"].isin(actors[number : number + LEFT_OUT])
        train, test = (StoredClips(store, list(clips["clip"][part]), SIDE) for part in (~out, out))
        owners.append(test.table["speaker"].to_numpy())
        for name, hear in hearers.items():
            right[name].append(hear(train, test, nobody, emotions) == classes_of(test.table, emotions))
    place = np.searchsorted(actors, np.concatenate(owners))
    rows, worst = [], 1.0
    for name, parts in right.items():
        values = np.concatenate(parts).astype(float)
        interval = mean_interval(values, place)
        rows.append((name, len(values), values.mean(), interval.low, interval.high))
        if name != PEER:
            worst = min(worst, interval.low)
    print(f"RAVDESS, {len(actors)} actors, {LEFT_OUT} left out at a time; chance {1 / len(emotions):.3f}\n")
    print(tabulate(rows, headers=("voice network", "recordings", "accuracy", "low", "high"), floatfmt=".3f"))
    sys.exit(worst <= 1 / len(emotions))


if __name__ == "__main__":
    main()
