import numpy as np
import pytest
from scipy.special import kolmogorov
from scipy.stats import ks_2samp

from ml_regress.core.kolmogorov import kolmogorov_p


@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (1, 2), (3, 100), (5, 5), (7, 11), (50, 10), (200, 50), (1000, 100), (600, 500), (10_000, 20)]
)
@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_small_samples_have_the_exact_p_of_scipy(n: int, m: int, shift: float) -> None:
    rng = np.random.default_rng(n * m)
    found = ks_2samp(rng.normal(size=n), rng.normal(shift, 1, size=m), method="exact")
    assert kolmogorov_p(n, m, found.statistic) == pytest.approx(found.pvalue, rel=1e-8)


@pytest.mark.parametrize(
    ("n", "statistic", "p"),
    [(5, 0.4, 0.873016), (20, 0.5, 0.0122986), (1000, 0.101, 7.33592e-05), (100, 1.0, 2.2e-59)],
)
def test_p_is_that_of_known_examples(n: int, statistic: float, p: float) -> None:
    assert kolmogorov_p(n, n, statistic) == pytest.approx(p, rel=5e-3)


def test_a_tiny_p_is_as_exact_as_a_large_one() -> None:
    # Completely apart: 2 of the C(60, 10) orders are.
    assert kolmogorov_p(50, 10, 1.0) == pytest.approx(2 / 75394027566, rel=1e-9)
    assert kolmogorov_p(10, 50, 1.0) == kolmogorov_p(50, 10, 1.0)


def test_samples_that_do_not_differ_have_p_one() -> None:
    assert kolmogorov_p(30, 40, 0.0) == 1.0
    assert kolmogorov_p(30, 40, 1 / 120) == pytest.approx(1.0)


def test_large_samples_have_the_p_of_the_limit() -> None:
    assert kolmogorov_p(100_000, 50_000, 0.01) == pytest.approx(float(kolmogorov(np.sqrt(100_000 / 3) * 0.01)))
