"""Training steps: ours against the plain reading of the sources, at equal gradients.

    python benchmarks/training_steps.py

`cae`: Algorithm 1's generator and critic losses over a batch at once, against batches of one, as the source trains,
with the gradients added up. Batch norms hold still in both, or the two would not be the same sum.
`voice`: a step of the speaker embedding from prepared recordings whose features are kept, against one that computes
each recording's features by librosa when it is drawn; both on the same crops.

The two are timed in turn, several times over, so that a busy machine slows both; the median ratio is what counts.
Exits 1 if gradients differ, or if cae at its quick width is less than 3 times as fast.
"""

import argparse
import sys
import time
from collections.abc import Callable

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from tabulate import tabulate
from torch import nn

from v2f_bench.audio import LOG_FLOOR, log_mel
from v2f_bench.data.store import pad
from v2f_bench.nn import Critic, VoiceEmbedding
from v2f_cae.scaffold import Generator

SPEAKERS, CODE, RATE = 240, 64, 16_000
TIMES_AS_FAST = 3
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

Step = Callable[[], torch.Tensor]  # one step; all gradients in a row


def gradients(*networks: nn.Module) -> torch.Tensor:
    found = [p.grad.flatten() for network in networks for p in network.parameters() if p.grad is not None]
    for network in networks:
        network.zero_grad(set_to_none=True)
    return torch.cat(found)


def cae_steps(width: int, kernel: int, batch: int) -> tuple[Step, Step]:
    generator = Generator(width, kernel).eval().to(memory_format=torch.channels_last)
    critic = Critic(SPEAKERS, max(8, width // 2)).eval().to(memory_format=torch.channels_last)
    face_a, face_b = torch.rand(2, batch, 3, 64, 64)
    code_a, code_b = torch.randn(2, batch, CODE)
    a, b = torch.randint(SPEAKERS, (2, batch))

    def backward(rows: slice) -> None:
        share = len(range(batch)[rows]) / batch
        fake = generator(face_a[rows], code_b[rows])
        real_logit, speaker = critic(face_a[rows])
        fake_logit, _ = critic(fake.detach())
        ones, zeros = torch.ones_like(real_logit), torch.zeros_like(fake_logit)
        told = F.binary_cross_entropy_with_logits(real_logit, ones) + F.cross_entropy(speaker, a[rows])
        (share * (told + F.binary_cross_entropy_with_logits(fake_logit, zeros))).backward()
        critic.requires_grad_(False)
        logit, speaker = critic(fake)
        loss = F.l1_loss(fake, face_a[rows]) + 10 * F.l1_loss(fake, face_b[rows]) + F.cross_entropy(speaker, b[rows])
        loss = loss + F.binary_cross_entropy_with_logits(logit, ones)
        loss = loss + 10 * F.l1_loss(generator(fake, code_a[rows]), face_a[rows])
        (share * loss).backward()
        critic.requires_grad_(True)

    def at_once() -> torch.Tensor:
        backward(slice(None))
        return gradients(generator, critic)

    def one_by_one() -> torch.Tensor:
        for row in range(batch):
            backward(slice(row, row + 1))
        return gradients(generator, critic)

    return at_once, one_by_one


def voice_steps(width: float, batch: int, seconds: float) -> tuple[Step, Step]:
    rng = np.random.default_rng(0)
    recordings = [rng.normal(0, 3000, round(seconds * RATE)).clip(-32768, 32767).astype(np.int16) for _ in range(batch)]
    network, head = VoiceEmbedding(width), nn.Linear(CODE, SPEAKERS)
    owner = torch.randint(SPEAKERS, (batch,))
    frames = 250
    starts = rng.integers(0, round(seconds * 100) - frames, batch)
    kept, _ = log_mel(pad(recordings, RATE), normalise="none")
    window = np.hamming(401)[:-1]

    def learn(mels: torch.Tensor) -> torch.Tensor:
        codes = network(mels, torch.full((batch,), frames))
        F.cross_entropy(head(codes), owner).backward()
        return gradients(network, head)

    def crops(mels: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack([mel[:, start : start + frames] for mel, start in zip(mels, starts, strict=True)])

    def from_kept() -> torch.Tensor:
        return learn(crops(list(kept)))

    def by_file() -> torch.Tensor:
        mels = []
        for recording in recordings:
            samples = librosa.effects.preemphasis(recording.astype(np.float32) / 32768, coef=0.97, zi=[0.0])
            power = np.abs(librosa.stft(samples, n_fft=1024, hop_length=160, win_length=400, window=window)) ** 2
            mel = librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=64, fmin=20, fmax=7200)
            mels.append(torch.from_numpy(np.log(mel + LOG_FLOOR)).float())
        return learn(crops(mels))

    return from_kept, by_file


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16, help="of cae")
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 64], help="of cae: 8 is quick, 64 the source's")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: where other work shares the machine")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    jobs = {
        f"cae, width {width}, batch {arguments.batch}": (
            cae_steps(width, 2 if width < 64 else 3, arguments.batch),
            arguments.batch,
        )
        for width in arguments.widths
    }
    jobs |= {"voice, half width, batch 64": (voice_steps(0.5, 64, 4.0), 64)}
    clock, rows, right = CLOCKS[arguments.clock], [], True
    for name, ((ours, theirs), batch) in jobs.items():
        one, other = ours(), theirs()  # the first of each warms up
        apart = ((one - other).norm() / other.norm()).item()
        times = []
        for _ in range(arguments.repeats):
            for step in (ours, theirs):
                start = clock()
                step()
                times.append(clock() - start)
        mine, peer = np.array(times).reshape(-1, 2).T
        ratio = float(np.median(peer / mine))
        right &= apart < 5e-3 and (ratio >= TIMES_AS_FAST or not name.startswith("cae, width 8,"))
        rows.append([name, batch / np.median(mine), batch / np.median(peer), ratio, apart])
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {arguments.clock} clock, median of "
        f"{arguments.repeats}"
    )
    headers = ["step", "ours, samples/s", "plain, samples/s", "ours is faster, times", "gradients apart, relative"]
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".3g"))
    return right


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
