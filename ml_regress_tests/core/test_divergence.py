import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2

from ml_regress.core.divergence import jensen_shannon, psi, psi_critical


def shares(*values: float) -> np.ndarray:
    return np.array(values)


def test_psi_has_its_reference_values() -> None:
    assert psi(shares(*[0.25] * 4), shares(0.2, 0.3, 0.3, 0.2)) == pytest.approx(0.0405465108, abs=5e-11)
    tenth = shares(*[0.1] * 10)
    assert psi(tenth, shares(0.05, 0.05, *[0.1] * 6, 0.15, 0.15)) == pytest.approx(0.1098612289, abs=5e-11)
    assert psi(shares(0.4, 0.3, 0.2, 0.1), shares(0.3, 0.3, 0.25, 0.15)) == pytest.approx(0.0601986402, abs=5e-11)


def test_psi_of_a_level_that_nobody_saw_is_finite_and_large() -> None:
    assert psi(shares(0.5, 0.5, 0), shares(0.5, 0, 0.5)) == pytest.approx(8.5154898, abs=5e-8)
    assert psi(shares(0.5, 0.5, 0), shares(0.5, 0, 0.5), floor=0.01) == pytest.approx(3.8337825, abs=5e-7)


def test_the_jensen_shannon_distance_has_its_reference_values() -> None:
    found = jensen_shannon(shares(0.4, 0.3, 0.2, 0.1), shares(0.3, 0.3, 0.25, 0.15))
    assert found == pytest.approx(0.1039673729, abs=5e-11)
    assert found * math.sqrt(math.log(2)) == pytest.approx(0.0865585157, abs=5e-11)
    unseen = jensen_shannon(shares(0.5, 0.5, 0), shares(0.5, 0, 0.5))
    assert unseen * math.sqrt(math.log(2)) == pytest.approx(0.5887051, abs=5e-7)
    assert jensen_shannon(shares(1, 0), shares(0, 1)) == 1.0
    assert jensen_shannon(shares(0.5, 0.5), shares(0.5, 0.5)) == 0.0


def test_the_jensen_shannon_distance_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        p, q = rng.dirichlet([1] * 7), rng.dirichlet([1] * 7)
        assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2))


def test_a_shift_by_a_tenth_has_the_values_of_other_programs_on_their_bins() -> None:
    reference = np.arange(1000) / 1000
    edges = np.histogram_bin_edges(np.concatenate([reference, reference + 0.1]), "sturges")
    r, c = (np.histogram(each, edges)[0] / 1000 for each in (reference, reference + 0.1))
    assert psi(r, c) == pytest.approx(1.2557754, abs=5e-8)
    assert jensen_shannon(r, c) * math.sqrt(math.log(2)) == pytest.approx(0.2528863, abs=5e-7)


@pytest.mark.parametrize(("size", "critical"), [(100, 0.3384), (1000, 0.0338)])
def test_psi_has_its_critical_value_for_these_sizes(size: int, critical: float) -> None:
    assert psi_critical(10, size, size) == pytest.approx(critical, abs=5e-5)
    assert psi_critical(10, size, 50) == pytest.approx(chi2.ppf(0.95, 9) * (1 / size + 1 / 50))
    assert psi_critical(1, size, size) == 0.0


def test_clean_samples_exceed_the_critical_psi_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(2)
    tenth = [0.1] * 10
    found = [psi(rng.multinomial(2000, tenth) / 2000, rng.multinomial(1000, tenth) / 1000) for _ in range(5000)]
    assert 0.04 < np.mean(np.array(found) > psi_critical(10, 2000, 1000)) < 0.06
