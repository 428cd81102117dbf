"""How far the voice encoder is from the face encoder whose place it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from v2f_bench.audio import Features
from v2f_emotion_vae.code import codes_of
from v2f_emotion_vae.face_vae import FaceVae
from v2f_emotion_vae.training import Faces, heard_emotion, paired
from v2f_emotion_vae.voice_encoder import VoiceEncoder

FILE = "encoder-gap.json"
AT_ONCE = 64


def encoder_gap(
    vae: FaceVae, encoder: VoiceEncoder, faces: Faces, recordings: Features, train: Faces
) -> dict[str, Any]:
    """The voice's features, posterior and face beside those of the face of the same clip, over clips held out.

    `features`: mean squared error; the face features have variance 1. `posterior deviations`: the distance of the two
    means in each dimension, in units of the deviation of the face's posterior, as root mean square. `pixels`: mean
    squared error of the drawn grey face to the true one, through the face's own posterior mean and through the
    voice's. Each stands beside what the mean training face's features, or the mean training face, would score. The
    face has its true emotion code, the voice the one that is heard. Empty where no held-out clip has both.
    """
    heard, seen = paired(faces)
    if not len(heard):
        return {}
    shown = np.array([rows[0] for rows in seen])
    mean_features = torch.nanmean(train.features(vae), dim=0).to(faces.device)
    mean_face = _mean_face(train)
    sums: dict[str, float] = {}
    with torch.inference_mode():
        for start in range(0, len(heard), AT_ONCE):
            voices, rows = heard[start : start + AT_ONCE], shown[start : start + AT_ONCE]
            picture, codes = faces.grey(rows), faces.codes(rows)
            by_face = vae.features(picture)
            by_voice, logits = encoder(recordings.whole(voices)[0])
            emotion = heard_emotion(logits)
            mean, deviation = vae.posterior(by_face, codes)
            voice_mean, _ = vae.posterior(by_voice[:, 0], codes_of(emotion, vae.emotions))
            blind_mean, _ = vae.posterior(mean_features.expand_as(by_face), codes)
            known = faces.classes[voices]
            parts = {
                "features, voice": F.mse_loss(by_voice[:, 0], by_face),
                "features, mean": F.mse_loss(mean_features.expand_as(by_face), by_face),
                "deviations, voice": ((voice_mean - mean) / deviation).square().mean(),
                "deviations, mean": ((blind_mean - mean) / deviation).square().mean(),
                "pixels, face": F.mse_loss(vae.decode(mean), picture),
                "pixels, voice": F.mse_loss(vae.decode(voice_mean), picture),
                "pixels, mean": F.mse_loss(mean_face.expand_as(picture), picture),
                "emotion": (emotion.cpu() == known)[known >= 0].float().sum() / len(voices),
                "labelled": (known >= 0).float().mean(),
            }
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + float(part) * len(voices)
    mean_of = {name: total / len(heard) for name, total in sums.items()}
    gaps: dict[str, Any] = {
        "clips": len(heard),
        "features": {"voice": mean_of["features, voice"], "mean face": mean_of["features, mean"]},
        "posterior deviations": {
            "voice": mean_of["deviations, voice"] ** 0.5,
            "mean face": mean_of["deviations, mean"] ** 0.5,
        },
        "pixels": {
            "face": mean_of["pixels, face"],
            "voice": mean_of["pixels, voice"],
            "mean face": mean_of["pixels, mean"],
        },
    }
    if mean_of["labelled"] and vae.emotions:
        gaps["emotion"] = {"heard right": mean_of["emotion"] / mean_of["labelled"], "chance": 1 / vae.emotions}
    return gaps


def in_one_line(gap: dict[str, Any]) -> str:
    if not gap:
        return "emotion-vae: no validation clip has a voice and a face, so the encoder gap is not known"
    features, deviations, pixels = gap["features"], gap["posterior deviations"], gap["pixels"]
    text = (
        f"emotion-vae, on {gap['clips']} validation clips (mean face in brackets): voice to face "
        f"{features['voice']:.3f} of the features' variance ({features['mean face']:.3f}), "
        f"{deviations['voice']:.2f} posterior deviations ({deviations['mean face']:.2f}); pixels "
        f"{pixels['voice']:.4f} by voice, {pixels['face']:.4f} by face ({pixels['mean face']:.4f})"
    )
    if "emotion" in gap:
        text += f"; emotion heard right {gap['emotion']['heard right']:.0%} (chance {gap['emotion']['chance']:.0%})"
    return text


def _mean_face(faces: Faces) -> torch.Tensor:
    total = torch.zeros(1, 1, 1, 1, device=faces.device)
    for start in range(0, len(faces.rows), 256):
        total = total + faces.grey(faces.rows[start : start + 256]).sum(dim=0, keepdim=True)
    return total / len(faces.rows)
