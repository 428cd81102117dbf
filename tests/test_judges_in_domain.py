"""The judges that the harness trains itself."""

import torch

from v2f_bench.judges.embedder import coarsened


def test_half_of_the_faces_that_an_emotion_judge_learns_from_are_soft():
    faces = torch.rand(800, 3, 64, 64, generator=torch.Generator().manual_seed(0))  # noise: all at the finest scale
    given = faces.clone()
    soft = coarsened(faces, torch.Generator().manual_seed(1))
    torch.testing.assert_close(faces, given)  # the clips' own pictures stay as they are
    untouched = (soft == faces).flatten(1).all(dim=1)
    assert 0.4 < untouched.float().mean() < 0.6
    left = soft[~untouched].std(dim=(1, 2, 3)) / faces.std()
    assert left.max() < 0.7
