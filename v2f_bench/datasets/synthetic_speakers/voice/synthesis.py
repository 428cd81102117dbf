"""The voice of a synthetic speaker: a source-filter synthesiser that works on overlapping frames of the spectrum.

The source is a train of impulses, each at its own fraction of a sample and of its own height, so that pitch, jitter and
shimmer are exact and nothing aliases; and noise that the glottal cycle modulates. Every 5 ms the source's spectrum is
multiplied by the response of the glottis (the spectrum of a KLGLOTT88-like pulse: Klatt & Klatt 1990, Doval &
d'Alessandro 1997), of the vocal tract (a cascade of resonances with nasal pole-zero pairs: Fant 1960, Klatt 1980) and
of the radiation at the lips, and the frames are added up again. Frication noise has spectra of its own.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from v2f_bench.datasets.synthetic_speakers.causes import Person
from v2f_bench.datasets.synthetic_speakers.expression import Prosody
from v2f_bench.datasets.synthetic_speakers.voice.articulation import (
    FRAME_SECONDS,
    NOISE_NAMES,
    Array,
    Manner,
    Tracks,
    articulate,
    manner,
)
from v2f_bench.datasets.synthetic_speakers.voice.phones import NOISES, STILL_HIGHER, TUBE, UPPER_FORMANTS

Real = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]

RATE = 16000
HOP = round(FRAME_SECONDS * RATE)
BUFFER = 8 * HOP  # a frame of two hops, and room for the vocal tract to ring out
FREQUENCIES = np.fft.rfftfreq(BUFFER, 1 / RATE).astype(np.float32)
BLOCK = 160
WINDOW = np.hanning(2 * HOP + 1)[:-1].astype(np.float32)
KNEE = np.float32(0.7)
LEVEL = 10 ** (-27 / 20)  # root mean square of neutral speech
REFERENCE = 500.0  # Hz at which the glottal pulse has unit gain, and above which spectra tilt
NARROWEST = 35.0  # Hz; a narrower resonance would ring beyond the buffer
KHZ = 1000.0
MEMORY, FILTERED = 192, 64  # samples that a low-pass filter remembers, and that it makes at once
SIGNS = np.array([1, 1, -1, -1] * 3)[:, None]  # of the powers of j
POWERS = (SIGNS * (FREQUENCIES / KHZ) ** np.arange(12)[:, None]).astype(np.float32)
TURBULENCE = 1 / np.sqrt(1 + (FREQUENCIES / 1200) ** 2)  # spectrum of noise made at the glottis, as it leaves the lips
TURN = np.float32(2 * np.pi)
MOST_AIR = np.float32(0.8)  # of a cycle that ends as the glottis closes


def speak(person: Person, sentence: int, prosody: Prosody, rng: np.random.Generator, rate: int = RATE) -> Real:
    """`person` says sentence number `sentence` of `phones.SENTENCES` with `prosody`.

    Returns mono samples in [-1, 1] at `rate` Hz, 1.9 to 4.5 seconds of them. What is not the person's own (the details
    of prosody, the distance, the room, the noise) comes from `rng`; the same arguments and state give the same samples.
    """
    way = manner(person, prosody)
    tracks = articulate(way, sentence, rng)
    speech = _utter(way, tracks, rng)
    recording = _record(speech, prosody.energy, rng)
    if rate != RATE:
        from scipy.signal import resample_poly  # slow to import, and hardly ever needed

        divisor = np.gcd(rate, RATE)
        recording = resample_poly(recording, rate // divisor, RATE // divisor)
    return np.clip(recording, -1, 1).astype(np.float32)


def _utter(way: Manner, tracks: Tracks, rng: np.random.Generator) -> Real:
    pulses, puffs = (_windows(source) for source in _sources(way, tracks, rng))
    microphone = _microphone(rng)
    still = _still_tract(way) * microphone
    radiation, turbulence, frication = _radiation(way) * still, TURBULENCE * still, _frication(way) * microphone
    glottis, nose, poles = _moving_parts(way, tracks)
    breath = _column(tracks.loudness * (way.breath * tracks.voicing + 0.04 * tracks.aspiration))
    hiss = _column(0.05 * tracks.frication)
    frames = np.empty((len(tracks.pitch), BUFFER), np.float32)
    for start in range(0, len(frames), BLOCK):  # a block at a time stays in the processor's cache
        block = slice(start, start + BLOCK)
        noise = _spectra(puffs[block])
        spectrum = noise * breath[block]  # what is breathed does not pass the glottis, whose poles are with the tract's
        spectrum *= turbulence
        spectrum *= _complex(*_parts(glottis[block]))
        spectrum += _spectra(pulses[block]) * radiation
        spectrum *= _quotient(_parts(nose[block]), _parts(poles[block]))
        rustling = start + np.flatnonzero(tracks.frication[block])
        spectrum[rustling - start] += noise[rustling - start] * (hiss[rustling] * frication[tracks.noise[rustling]])
        frames[block] = irfft(spectrum, n=BUFFER, axis=1, overwrite_x=True)
    return _overlap_add(frames)


def _sources(way: Manner, tracks: Tracks, rng: np.random.Generator) -> tuple[Real, Real]:
    """Band-limited impulses at the closures of the glottis, and white noise that comes in puffs when it is voiced."""
    samples = HOP * len(tracks.pitch)
    frame_samples = HOP * np.arange(len(tracks.pitch) + 1.0)
    phase = np.concatenate([[0.0], np.cumsum(tracks.pitch * FRAME_SECONDS)])
    closures = np.cumsum(1 + way.jitter * rng.standard_normal(int(phase[-1])))
    moments = np.interp(closures[closures < phase[-1]], phase, frame_samples)
    # the glottis closes as sharply at any pitch: so much above the glottal formant, all pulses have the same spectrum
    sharpness = (REFERENCE / _glottal_formant(way, tracks.pitch)) ** 2
    heights = np.interp(moments, frame_samples[:-1], tracks.voicing * tracks.loudness * sharpness)
    roughness = 0.8 * _one_pole(rng.standard_normal(len(moments)), 0.6)  # neighbouring pulses are alike
    heights *= np.maximum(1 + way.shimmer * roughness, 0.1)
    whole = np.floor(moments).astype(int)
    reach = np.arange(-7, 9)
    within = np.maximum(moments - whole, 1e-9)[:, None]
    offsets = reach - within
    sinc = np.where(reach % 2, 1, -1) * np.sin(np.pi * within) / (np.pi * offsets)
    kernel = sinc * np.cos(np.pi * offsets / 18) ** 2
    places = np.clip(whole[:, None] + reach, 0, samples - 1)
    pulses = np.bincount(places.ravel(), (kernel * heights[:, None]).ravel(), minlength=samples)

    cycle = np.interp(np.arange(samples), moments, np.arange(len(moments))).astype(np.float32)
    depth = np.repeat(0.7 * tracks.voicing.astype(np.float32), HOP)
    puffs = rng.standard_normal(samples, dtype=np.float32)
    puffs *= 1 + depth * np.cos(TURN * (cycle - MOST_AIR))
    return pulses.astype(np.float32), puffs


def _one_pole(signal: Array | Real, pole: float) -> Array | Real:
    """A low-pass filter: each sample is the input's and `pole` times the one before it, in blocks of samples at once.

    What is older than `MEMORY` samples has died away.
    """
    padded = np.pad(signal, (MEMORY, -len(signal) % FILTERED))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, MEMORY + FILTERED)[::FILTERED]
    return (blocks @ _response(pole).astype(signal.dtype)).ravel()[: len(signal)]


@lru_cache(maxsize=2)
def _response(pole: float) -> Array:
    """What each sample of a block has of each sample before and in it [MEMORY + FILTERED, FILTERED]."""
    age = np.arange(MEMORY, MEMORY + FILTERED) - np.arange(MEMORY + FILTERED)[:, None]
    return np.where((age >= 0) & (age < MEMORY), pole ** np.maximum(age, 0.0), 0.0)


def _glottal_formant(way: Manner, pitch: Array) -> Array:
    """Hz: the peak of a glottal pulse's spectrum, for an asymmetry of 0.7 (Doval & d'Alessandro 1997)."""
    return pitch / (1.4 * way.open_quotient)


def _windows(signal: Real) -> Real:
    """(frames, 2 * HOP), a view: frame k is centred on sample k * HOP."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(signal, HOP), 2 * HOP)[: len(signal) : HOP]


def _spectra(windows: Real) -> Complex:
    return rfft(windows * WINDOW, n=BUFFER, axis=1)


def _column(track: Array) -> Real:
    return track[:, None].astype(np.float32)


def _overlap_add(frames: Real) -> Real:
    count, hops = len(frames), BUFFER // HOP
    total = np.zeros((count + hops, HOP), np.float32)
    for hop in range(hops):
        total[hop : hop + count] += frames[:, hop * HOP : (hop + 1) * HOP]
    return total[1 : count + 1].ravel()


def _zeros(*pairs: tuple[npt.ArrayLike, npt.ArrayLike]) -> Array:
    """A cascade of pairs of zeros, each a frequency and a bandwidth in Hz, constant or one a frame, multiplied out as
    polynomials in jf [frames, powers] (f in kHz); 1 at 0 Hz. Resonances are the inverse of it."""
    product = np.ones((1, 1))
    for frequency, bandwidth in pairs:
        square = (np.asarray(frequency, float).reshape(-1, 1) / KHZ) ** 2
        slope = np.asarray(bandwidth, float).reshape(-1, 1) / KHZ / square
        longer = np.zeros((max(len(product), len(square)), product.shape[1] + 2))
        longer[:, :-2] = product
        longer[:, 1:-1] += product * slope
        longer[:, 2:] += product / square
        product = longer
    return product


def _parts(polynomials: Array) -> tuple[Real, Real]:
    """The responses [frames, bins] of polynomials in jf: even powers are real, odd ones imaginary."""
    factors, powers = polynomials.astype(np.float32), polynomials.shape[1]
    return factors[:, ::2] @ POWERS[:powers:2], factors[:, 1::2] @ POWERS[1:powers:2]


def _complex(real: Real, imaginary: Real) -> Complex:
    both = np.empty(real.shape, np.complex64)
    both.real, both.imag = real, imaginary
    return both


def _quotient(above: tuple[Real, Real], below: tuple[Real, Real]) -> Complex:
    """One response through another, in real numbers, since complex division is slow."""
    (a, b), (c, d) = above, below
    share = np.reciprocal(c * c + d * d)
    return _complex((a * c + b * d) * share, (b * c - a * d) * share)


def _bandwidth(way: Manner, frequency: npt.ArrayLike) -> Array:
    """Bandwidth in Hz of a formant: losses grow with frequency (a line through the trend of Hawks & Miller 1995)."""
    return np.maximum(way.bandwidths * (50 + np.asarray(frequency) / 20), NARROWEST)


def _moving_parts(way: Manner, tracks: Tracks) -> tuple[Array, Array, Array]:
    """Polynomials of what changes as one speaks: the glottis's inverse, the nose's zeros, and all poles together."""
    f1, f2, f3 = tracks.formants.T
    nasal, glottal_formant = tracks.nasal, _glottal_formant(way, tracks.pitch)
    glottis = (glottal_formant, glottal_formant)
    poles = _zeros(
        glottis,
        (f1, _bandwidth(way, f1) * (1 + nasal + tracks.aspiration)),
        (f2, _bandwidth(way, f2) * (1 + 0.5 * nasal)),
        (f3, _bandwidth(way, f3)),
    )
    return _zeros(glottis), _zeros((270 + 180 * nasal, 100), (950 - 260 * nasal, 120)), poles


def _still_tract(way: Manner) -> Complex:
    """(bins,): what does not: the nose's poles and all formants above the third."""
    upper = way.upper_formants * np.array(UPPER_FORMANTS)
    nose = _complex(*_parts(_zeros((270, 100), (950, 120))))[0]
    zeros = nose * np.prod(_complex(*_parts(_zeros((upper, _bandwidth(way, upper))))), axis=0)
    higher_poles = np.exp(STILL_HIGHER * (FREQUENCIES / (way.upper_formants * TUBE)) ** 2)  # correction of Fant (1960)
    return (higher_poles / zeros).astype(np.complex64)


def _radiation(way: Manner) -> Complex:
    """(bins,): how an open mouth lets sound out, and the slope of the voice's own spectrum."""
    octaves = np.log2(np.maximum(FREQUENCIES / REFERENCE, 1))
    closing = 1 + 1j * FREQUENCIES / 1100  # no glottis shuts at once
    return (1j * FREQUENCIES / REFERENCE * 10 ** (way.tilt * octaves / 20) / closing).astype(np.complex64)


def _frication(way: Manner) -> Real:
    """(noises, bins): amplitude of each kind of turbulence, from a cavity that long tracts and rounded lips lower."""
    cavity = way.formants[1] * way.rounding[0]
    bands = [NOISES[name] for name in NOISE_NAMES]
    peak = cavity * np.array([[band.peak] for band in bands])
    width = cavity * np.array([[band.width] for band in bands])
    square = ((FREQUENCIES - peak) / width) ** 2
    return (1 / np.sqrt(1 + square * square * square)).astype(np.float32)


def _microphone(rng: np.random.Generator) -> Real:
    """(bins,): amplitude of a gentle low and a gentle high shelf, and of the high-pass that every microphone has."""
    low, high = rng.normal(0, 1.2, 2)
    shelves = low / (1 + (FREQUENCIES / 250) ** 2) + high / (1 + (3500 / np.maximum(FREQUENCIES, 1)) ** 2)
    return (10 ** (shelves / 20) / np.sqrt(1 + (60 / np.maximum(FREQUENCIES, 1)) ** 4)).astype(np.float32)


def _record(speech: Real, energy: float, rng: np.random.Generator) -> Real:
    """`speech` at a distance, in a room, with its noise; `energy` in dB beside neutral speech."""
    heard = speech.copy()
    for delay, echo in zip(rng.uniform(0.002, 0.025, 4), rng.uniform(-0.2, 0.2, 4), strict=True):
        lag = round(delay * RATE)
        heard[lag:] += np.float32(echo) * speech[:-lag]
    level = LEVEL * 10 ** ((energy + rng.normal(0, 1.2)) / 20)
    heard *= np.float32(level / np.sqrt(np.mean(heard**2)))
    noise = _one_pole(rng.standard_normal(len(heard), dtype=np.float32), 0.9)
    heard += noise * np.float32(level * 10 ** (-rng.uniform(25, 45) / 20) / np.sqrt(np.mean(noise**2)))
    return _limited(heard) if np.max(np.abs(heard)) > KNEE else heard


def _limited(signal: Real) -> Real:
    """`signal` bent smoothly above `KNEE`, so that no shout is clipped."""
    over = np.maximum(np.abs(signal) - KNEE, 0)
    return np.sign(signal) * (np.minimum(np.abs(signal), KNEE) + (1 - KNEE) * np.tanh(over / (1 - KNEE)))
