import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from ml_regress.core.contingency import chi_square, cramers_v, fisher, shares_differ


def counts(*values: int) -> np.ndarray:
    return np.array(values)


def test_chi_square_is_the_two_sample_test_and_not_that_of_goodness_of_fit() -> None:
    # Trap 1 and 3: against expected counts these same counts would have 6.25 and p 0.100.
    statistic, p = chi_square(counts(40, 30, 20, 10), counts(30, 30, 25, 15))
    assert (statistic, p) == (pytest.approx(2.984127, abs=5e-7), pytest.approx(0.394079, abs=5e-7))


def test_two_shares_have_the_p_of_the_z_test() -> None:
    assert chi_square(counts(30, 70), counts(50, 50))[1] == pytest.approx(0.0038924171, abs=5e-11)


def test_chi_square_is_that_of_scipy_and_leaves_empty_cells_out() -> None:
    found = chi2_contingency([[12, 40, 8], [30, 25, 19]], correction=False)
    assert chi_square(counts(12, 0, 40, 8), counts(30, 0, 25, 19)) == (
        pytest.approx(found.statistic),
        pytest.approx(found.pvalue),
    )
    assert chi_square(counts(12, 0), counts(30, 0)) == (0.0, 1.0)


def test_fishers_test_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    for _ in range(150):
        a, b, c, d = (int(each) for each in rng.integers(0, 40, 4))
        assert fisher(a, b, c, d) == pytest.approx(fisher_exact([[a, b], [c, d]]).pvalue, rel=1e-6, abs=1e-12)
    assert fisher(3, 0, 0, 3) == pytest.approx(0.1)
    assert fisher(10, 0, 6, 4) == pytest.approx(0.0867, abs=5e-5)


def test_a_share_of_large_counts_has_nearly_the_same_p_by_either_test() -> None:
    name, _, exact = shares_differ(900, 100_000, 1020, 100_000)
    assert name == "Fisher"
    other, _, near = shares_differ(2900, 100_000, 3050, 100_000)
    assert other == "chi-square"
    assert near == pytest.approx(fisher(2900, 97_100, 3050, 96_950), rel=0.05)
    assert exact == pytest.approx(chi_square(counts(900, 99_100), counts(1020, 98_980))[1], rel=0.1)


def test_the_bias_corrected_v_has_its_reference_values() -> None:
    assert cramers_v(counts(400, 300, 200, 100), counts(300, 300, 250, 150)) == pytest.approx(0.1158732118, abs=5e-11)
    assert cramers_v(counts(40, 30, 20, 10), counts(30, 30, 25, 15)) == 0.0
    assert cramers_v(counts(50, 50, 0), counts(50, 0, 50)) == pytest.approx(0.7017295, abs=5e-8)


def test_v_does_not_vanish_where_the_batch_is_much_smaller_than_the_reference() -> None:
    # The same shares as above, where each side has 1000: by the plain formula V would be 0.01.
    wide = cramers_v(counts(400_000, 300_000, 200_000, 100_000), counts(300, 300, 250, 150))
    assert wide == pytest.approx(0.1158732118, abs=0.01)


def test_v_of_clean_samples_of_unequal_size_stays_small() -> None:
    rng = np.random.default_rng(5)
    shares = [0.4, 0.25, 0.2, 0.1, 0.05]
    found = [cramers_v(rng.multinomial(100_000, shares), rng.multinomial(200, shares)) for _ in range(300)]
    assert np.mean(np.square(found)) < 0.004  # uncorrected it is 4 / 798 and more


def test_v_is_between_0_and_1_for_tiny_tables() -> None:
    assert cramers_v(counts(1), counts(1)) == 0.0
    assert cramers_v(counts(1, 0), counts(0, 1)) in (0.0, 1.0)
    assert cramers_v(counts(200, 0), counts(0, 10)) == pytest.approx(1.0)
