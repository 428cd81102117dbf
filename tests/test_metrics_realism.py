"""Distances between distributions, against torch-fidelity's own functions and its whole run over folders."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch_fidelity
from measuring import interval_of, point
from PIL import Image
from torch_fidelity import metric_fid, metric_kid, metric_prc

from v2f_bench.interfaces import Evidence
from v2f_bench.metrics import Fid, Kid, PrecisionRecall
from v2f_bench.metrics.frechet import Normal, frechet_distance
from v2f_bench.metrics.kernel_distance import Kernel
from v2f_bench.metrics.precision_recall import covered


def evidence(generated, real, per_speaker=4):
    """What a judge gave for generated and for reference faces, as many of each speaker."""
    trials, reference = (
        pd.DataFrame({"speaker": [f"s{place // per_speaker:03d}" for place in range(len(rows))]})
        for rows in (generated, real)
    )
    seen = {"generated": generated, "target": generated, "reference": real}
    return Evidence(trials, trials.drop_duplicates("speaker"), reference, seen)


def features(n, m, d, seed=0):
    """Generated and real features that overlap in part."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((d, d)) / np.sqrt(d)
    generated = rng.standard_normal((n, d)) @ mix * 0.8 + 0.3
    return generated.astype(np.float32), (rng.standard_normal((m, d)) @ mix).astype(np.float32)


def kid(first, second):
    return Kernel(first, second).distance(np.arange(len(first)))


def measures(metric, found):
    return {measure.name: measure for measure in metric.measure(found)}


@pytest.mark.parametrize(("n", "m", "d"), [(300, 400, 48), (200, 120, 64), (64, 64, 100)])
def test_fid_equals_torch_fidelitys_function(n, m, d):
    first, second = features(n, m, d)
    theirs = metric_fid.fid_statistics_to_metric(
        *(metric_fid.fid_features_to_statistics(torch.from_numpy(x.astype(np.float64))) for x in (first, second)),
        verbose=False,
    )["frechet_inception_distance"]
    assert point(measures(Fid(), evidence(first, second))["fid"]) == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(("n", "d"), [(300, 48), (64, 2048)])
def test_kid_equals_torch_fidelitys_function(n, d):
    """Theirs draws subsets of equal size without replacement: one as large as the sets holds every face."""
    first, second = features(n, n, d)
    theirs = metric_kid.kid_features_to_metric(
        *(torch.from_numpy(x.astype(np.float64)) for x in (first, second)),
        kid_subsets=1,
        kid_subset_size=n,
        verbose=False,
    )["kernel_inception_distance_mean"]
    assert point(measures(Kid(), evidence(first, second))["kid"]) == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 200, 6), (150, 260, 3), (64, 64, 500)])
def test_precision_and_recall_equal_torch_fidelitys_function(n, m, d):
    first, second = features(n, m, d)
    theirs = metric_prc.prc_features_to_metric(
        *(torch.from_numpy(x.astype(np.float64)) for x in (first, second)), save_cpu_ram=False, verbose=False
    )
    ours = measures(PrecisionRecall(), evidence(first, second))
    for part in ("precision", "recall"):
        assert point(ours[f"precision-recall/{part}"]) == pytest.approx(theirs[part], rel=1e-4), part
    if d < 10:
        assert 0 < theirs["precision"] < 1
        assert 0 < theirs["recall"] < 1


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """A weights file for torch-fidelity's InceptionV3 with random weights: nothing is downloaded."""
    from torch_fidelity import feature_extractor_inceptionv3

    class Untrained(feature_extractor_inceptionv3.FeatureExtractorInceptionV3):
        """The network without its download."""

        def load_state_dict(self, state):
            return

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_extractor_inceptionv3, "load_state_dict_from_url", lambda *args, **kwargs: None)
        network = Untrained("untrained", ["2048"])
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.slow
def test_pictures_through_our_judge_equal_torch_fidelity_on_their_folders(inception, tmp_path):
    """FID, KID, precision and recall from two folders of PNG files, by what torch-fidelity's command calls."""
    from v2f_bench.judges.inception import Inception

    rng = np.random.default_rng(0)
    bright, dim = rng.integers(0, 256, (16, 64, 64, 3)), rng.integers(40, 200, (16, 64, 64, 3))
    dim[:4] = bright[:4] // 8 * 8  # some faces that the other folder holds too, nearly
    pixels = {"first": bright, "second": dim}
    for name, faces in pixels.items():
        (tmp_path / name).mkdir()
        for number, face in enumerate(faces.astype(np.uint8)):
            Image.fromarray(face).save(tmp_path / name / f"{number:03d}.png")
    theirs = torch_fidelity.calculate_metrics(
        input1=str(tmp_path / "first"),
        input2=str(tmp_path / "second"),
        fid=True,
        kid=True,
        kid_subsets=1,
        kid_subset_size=16,
        prc=True,
        feature_extractor="inception-v3-compat",
        feature_layer_prc="2048",
        feature_extractor_weights_path=str(inception),
        cuda=False,
        cache=False,
        verbose=False,
        save_cpu_ram=True,
    )

    judge = Inception()
    judge.load(inception, "cpu")
    first, second = (judge.predict(torch.from_numpy(x).permute(0, 3, 1, 2) / 255).numpy() for x in pixels.values())
    found = evidence(first, second)
    ours = {**measures(Fid(), found), **measures(Kid(), found), **measures(PrecisionRecall(), found)}
    assert point(ours["fid"]) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    assert point(ours["kid"]) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    assert point(ours["precision-recall/precision"]) == pytest.approx(theirs["precision"], rel=1e-4)
    assert point(ours["precision-recall/recall"]) == pytest.approx(theirs["recall"], rel=1e-4)
    for metric in (Fid, Kid, PrecisionRecall):
        assert judge.kind in metric.judged_by


def test_kid_in_blocks_is_kid_at_once(monkeypatch):
    first, second = features(70, 90, 30)
    whole = kid(first, second)
    monkeypatch.setattr("v2f_bench.metrics.kernel_distance.BLOCK", 16)
    assert kid(first, second) == pytest.approx(whole, rel=1e-9)


def test_kid_of_some_trials_is_that_of_their_faces():
    first, second = features(70, 90, 30)
    for rows in (np.arange(0, 70, 3), np.arange(70)[::-1], np.array([3, 3, 8, 50])):
        assert Kernel(first, second).distance(rows) == pytest.approx(kid(first[rows], second), rel=1e-6)


def test_coverage_in_blocks_is_coverage_at_once(monkeypatch):
    first, second = features(70, 90, 4)
    whole = covered(first, second)
    assert whole.any()
    assert not whole.all()
    monkeypatch.setattr("v2f_bench.metrics.precision_recall.BLOCK", 16)
    np.testing.assert_array_equal(covered(first, second), whole)


def test_kid_is_without_bias_where_fid_is_not():
    """Two samples of one distribution: KID is around zero, FID is far above it."""
    rng = np.random.default_rng(0)
    kids, fids = [], []
    for _ in range(40):
        first, second = rng.standard_normal((2, 50, 20))
        kids.append(kid(first, second))
        fids.append(frechet_distance(first, second))
    assert abs(np.mean(kids)) < 3 * np.std(kids) / np.sqrt(40)
    assert np.mean(fids) > 3 * np.std(fids)


@pytest.mark.parametrize(
    ("distance", "influence"),
    [
        (frechet_distance, lambda x, y: Normal(y).influence(x)),
        (kid, lambda x, y: Kernel(x, y).influence()),
    ],
    ids=["frechet", "kid"],
)
@pytest.mark.parametrize("d", [5, 40])
def test_influence_is_what_leaving_a_face_out_changes(distance, influence, d):
    first, second = features(120, 90, d)
    found = influence(first, second)
    whole = distance(first, second)
    left_out = [whole - distance(np.delete(first, place, axis=0), second) for place in range(len(first))]
    changes = (len(first) - 1) * (np.array(left_out) - np.mean(left_out))
    assert found.mean() == pytest.approx(0, abs=1e-9 * np.abs(found).max())
    assert np.corrcoef(found, changes)[0, 1] > 0.98
    assert found.std() == pytest.approx(changes.std(), rel=0.1)


@pytest.mark.parametrize("metric", [Fid, Kid])
def test_intervals_agree_with_the_bootstrap_where_that_is_right(metric):
    """Few features and many faces: there the bootstrap's standard error can be trusted."""
    first, second = features(400, 300, 6)
    found = evidence(first, second)
    measure = metric().measure(found)[0]
    speakers = found.trials["speaker"].to_numpy()
    value, low, high = interval_of(measure, speakers)
    names, place = np.unique(speakers, return_inverse=True)
    members, rng = [np.flatnonzero(place == number) for number in range(len(names))], np.random.default_rng(0)
    draws = [
        measure.statistic(np.concatenate([members[number] for number in rng.integers(len(names), size=len(names))]))
        for _ in range(200)
    ]
    assert low < value < high
    assert (low + high) / 2 == pytest.approx(value)
    assert high - low == pytest.approx(2 * 1.96 * np.std(draws, ddof=1), rel=0.2)


@pytest.mark.parametrize("metric", [Fid, Kid])
def test_intervals_agree_with_leaving_out_one_speaker_after_the_other(metric):
    first, second = features(120, 300, 6)
    found = evidence(first, second)
    measure = metric().measure(found)[0]
    speakers = found.trials["speaker"].to_numpy()
    _, low, high = interval_of(measure, speakers)
    plain = interval_of(replace(measure, influence=None), speakers)
    assert high - low == pytest.approx(plain.high - plain.low, rel=0.1)


def test_faces_in_the_real_manifold_are_precise_and_one_face_recalls_nobody():
    _, real = features(40, 200, 8)
    copies = measures(PrecisionRecall(), evidence(real[:60], real))
    assert point(copies["precision-recall/precision"]) == 1
    constant = measures(PrecisionRecall(), evidence(np.repeat(real[:1], 60, axis=0), real))
    assert point(constant["precision-recall/recall"]) <= 1 / len(real)
    far = measures(PrecisionRecall(), evidence(real[:60] + 100, real))
    assert point(far["precision-recall/precision"]) == point(far["precision-recall/recall"]) == 0


def test_missing_faces_are_not_precise_and_leave_the_distances():
    first, second = features(80, 100, 8)
    gaps = first.copy()
    gaps[::4] = np.nan
    whole, holed = (measures(PrecisionRecall(), evidence(x, second)) for x in (first, gaps))
    values = holed["precision-recall/precision"].values
    assert (values[::4] == 0).all()
    kept = np.arange(80) % 4 != 0
    np.testing.assert_array_equal(values[kept], whole["precision-recall/precision"].values[kept])
    for metric in (Fid, Kid):
        measure = metric().measure(evidence(gaps, second))[0]
        assert measure.covers.sum() == 60
        assert point(measure) == pytest.approx(point(metric().measure(evidence(first[kept], second))[0]))
        _, low, high = interval_of(measure, np.array([f"s{place // 4}" for place in range(80)]))
        assert low < point(measure) < high


def test_real_blurred_and_noise_come_in_this_order():
    rng = np.random.default_rng(0)
    real, other = rng.standard_normal((2, 120, 12))
    found = [evidence(x, real) for x in (other, other * 0.6, rng.uniform(-6, 6, (120, 12)))]
    for metric in (Fid, Kid):
        values = [point(metric().measure(one)[0]) for one in found]
        assert values == sorted(values), metric
