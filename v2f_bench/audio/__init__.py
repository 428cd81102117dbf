"""Voice front ends, batched in torch on CPU or GPU, from waveforms as they come from `Clips` and `Trials`.

| front end    | features                | for                                                          |
| ------------ | ----------------------- | ------------------------------------------------------------ |
| `log_mel`    | [N, bands, frames]      | voice embeddings (Wen et al. 2019; Liang et al. 2020)        |
| `mfsc`       | [N, 3, bands, frames]   | image-like CNNs (Abdel-Hamid et al. 2014; Huang et al.)      |
| `mfcc`       | [N, n_mfcc, frames]     | emotion classifiers; the numbers are librosa's               |
| `raw_frames` | [N, 1, samples, frames] | learned filter banks (Chowdhury et al. 2021; Koseki et al.)  |

Each returns its features, float32, time last, zero after each recording's end, and the number of frames of each
recording, int64 [N]. What it makes of a recording does not depend on the others in the batch. `Features` keeps those of
a whole split for training. `loop_to` and `resample` change waveforms: `Voices` to `Voices`.
"""

from v2f_bench.audio.cache import Features, FrontEnd, LogMels
from v2f_bench.audio.cepstra import mfcc
from v2f_bench.audio.deltas import mfsc
from v2f_bench.audio.frames import raw_frames
from v2f_bench.audio.mel import LOG_FLOOR, SPREAD, Normalise, log_mel
from v2f_bench.audio.waveform import loop_to, resample

__all__ = [
    "LOG_FLOOR",
    "SPREAD",
    "Features",
    "FrontEnd",
    "LogMels",
    "Normalise",
    "log_mel",
    "loop_to",
    "mfcc",
    "mfsc",
    "raw_frames",
    "resample",
]
