import pytest

from ml_regress.core.statistics import wilson, wilson_lower

# Two-sided 95% Wilson intervals; the last four are published examples (Newcombe 1998).
INTERVALS = [
    (0, 10, 0.000000, 0.277533),
    (5, 10, 0.236593, 0.763407),
    (7, 10, 0.396778, 0.892209),
    (9, 10, 0.595850, 0.982124),
    (10, 10, 0.722467, 1.000000),
    (12, 15, 0.548146, 0.929525),
    (15, 15, 0.796117, 1.000000),
    (0, 20, 0.000000, 0.161125),
    (1, 29, 0.006113, 0.171755),
    (15, 148, 0.062386, 0.160487),
    (81, 263, 0.255289, 0.366210),
]
LOWER = [(9, 10, 0.652281), (10, 10, 0.787058), (14, 15, 0.749249), (15, 15, 0.847192), (755, 1000, 0.731961)]


@pytest.mark.parametrize(("k", "n", "low", "high"), INTERVALS)
def test_wilson_gives_the_reference_interval(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-7)


@pytest.mark.parametrize(("k", "n", "low"), LOWER)
def test_wilson_lower_gives_the_one_sided_reference_bound(k: int, n: int, low: float) -> None:
    assert wilson_lower(k, n) == pytest.approx(low, abs=5e-7)


@pytest.mark.parametrize(
    ("bound", "two_sided", "one_sided"), [(0.7, 9, 7), (0.8, 16, 11), (0.9, 35, 25), (0.95, 73, 52)]
)
def test_the_least_number_of_passes_that_certifies_a_rate(bound: float, two_sided: int, one_sided: int) -> None:
    assert next(n for n in range(1, 400) if wilson(n, n)[0] >= bound) == two_sided
    assert next(n for n in range(1, 400) if wilson_lower(n, n) >= bound) == one_sided


def test_nothing_counted_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson_lower(0, 0) == 0.0


def test_the_ends_are_exact() -> None:
    assert all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 1.0 for n in range(1, 200))


@pytest.mark.parametrize(("k", "n"), [(2, 1), (-1, 5), (0, -1), (-1, -1)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(k, n)
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson_lower(k, n)


def test_an_impossible_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, confidence=1.0)
