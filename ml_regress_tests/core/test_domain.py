"""All columns together: a classifier that tells the sides apart, and one that does not cry wolf."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, mannwhitneyu

from ml_regress.core.domain import SAMPLE, auc_of, domain_drift, permuted_aucs
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, DomainDrift
from ml_regress.core.production import DriftRules
from ml_regress.core.sampling import sample_of

RULES = DriftRules()


def mixed(count: int, seed: int) -> pd.DataFrame:
    """Every kind of column, with gaps, and none of them says which side it is from."""
    random = np.random.default_rng(seed)
    temp = random.normal(10, 5, count)
    temp[random.random(count) < 0.1] = np.nan
    carrier = random.choice(np.array(["AA", "B6", "UA", None], dtype=object), count, p=[0.5, 0.3, 0.15, 0.05])
    return pd.DataFrame(
        {
            "temp": temp,
            "hour": pd.array(random.integers(0, 24, count), dtype="Int64"),
            "late": pd.array(random.random(count) < 0.2, dtype="boolean"),
            "carrier": pd.Series(carrier, dtype=object),
            "day": pd.Series([f"2024-01-{day:02d}" for day in random.integers(1, 29, count)], dtype=object),
        }
    )


def normal(count: int, seed: int, columns: int = 4) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(count, columns))
    return pd.DataFrame(values, columns=[f"c{place}" for place in range(columns)])


def names(found: DomainDrift) -> list[str]:
    return [name for name, _ in found.drivers]


@pytest.mark.parametrize(
    ("rows", "expected"), [(25, 0.6356), (50, 0.5954), (100, 0.5673), (250, 0.5425), (500, 0.5300), (1000, 0.5212)]
)
def test_the_bound_is_that_of_the_null_distribution_of_an_auc(rows: int, expected: float) -> None:
    scores = np.random.default_rng(rows).normal(size=2 * rows)
    null = permuted_aucs(scores, np.repeat([False, True], rows))
    assert len(null) == 2000
    assert np.quantile(null, 0.95) == pytest.approx(expected, abs=0.01)
    assert null.mean() == pytest.approx(0.5, abs=0.01)


def test_the_bound_of_sides_of_different_size_is_that_of_the_formula() -> None:
    scores = np.random.default_rng(5).normal(size=550)
    null = permuted_aucs(scores, np.repeat([False, True], [500, 50]))
    assert null.std() == pytest.approx(np.sqrt(551 / (12 * 500 * 50)), rel=0.05)


def test_an_auc_counts_ties_half_as_mann_whitney_does() -> None:
    random = np.random.default_rng(0)
    scores, positive = random.integers(0, 5, 300).astype(float), random.random(300) < 0.3
    u = mannwhitneyu(scores[positive], scores[~positive]).statistic
    assert auc_of(scores, positive) == pytest.approx(u / (positive.sum() * (~positive).sum()))
    assert auc_of(np.array([1.0, 2.0, 3.0]), np.array([False, False, True])) == 1.0


def test_columns_of_every_kind_that_did_not_drift_do_not_drift() -> None:
    found = domain_drift(mixed(600, 1), mixed(400, 2), RULES)
    assert found.state == NO_DRIFT
    assert found.held_out == (300, 200)
    assert found.auc is not None and found.bound is not None and found.p is not None
    assert found.auc < found.bound
    assert 0.05 < found.p <= 1
    assert found.drivers == ()


def _warmer(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(temp=frame["temp"] + 8)


def _emptied(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(hour=pd.array([None] * len(frame), dtype="Int64"))


def _another_carrier(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(carrier=frame["carrier"].where(frame["carrier"] != "B6", "ZZ"))


def _always(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(late=pd.array([True] * len(frame), dtype="boolean"))


def _later(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(day=frame["day"].str.replace("2024-01", "2024-02"))


@pytest.mark.parametrize(
    ("change", "driver"),
    [(_warmer, "temp"), (_emptied, "hour"), (_another_carrier, "carrier"), (_always, "late"), (_later, "day")],
)
def test_the_column_that_changed_is_found_and_named(change: Any, driver: str) -> None:
    found = domain_drift(mixed(600, 1), change(mixed(400, 2)), RULES)
    assert found.state == DRIFT
    assert names(found)[0] == driver
    assert driver in found.reason
    assert found.p == pytest.approx(1 / 2001)


def test_a_change_that_no_column_shows_alone_is_found() -> None:
    reference, current = normal(2000, 1, 2), normal(2000, 2, 2)
    # The same normal numbers, but of one sign on one side: only both columns together tell.
    current["c1"] = current["c1"].abs() * np.sign(current["c0"])
    found = domain_drift(reference, current, RULES)
    assert found.state == DRIFT
    assert set(names(found)) == {"c0", "c1"}


def test_drivers_are_ordered_by_how_much_they_drive_and_clean_columns_are_none() -> None:
    current = normal(1500, 2)
    current["c1"] += 0.8
    current["c3"] += 2.0
    found = domain_drift(normal(1500, 1), current, RULES)
    assert names(found)[:2] == ["c3", "c1"]
    assert all(fall >= 0.005 for _, fall in found.drivers)
    assert not {"c0", "c2"} & set(names(found)[:2])


def test_at_most_ten_columns_are_named() -> None:
    current = normal(1000, 2, 15) + 0.5
    assert len(domain_drift(normal(1000, 1, 15), current, RULES).drivers) <= 10


def test_a_significant_difference_without_practical_size_is_no_drift() -> None:
    current = normal(5000, 2, 1) + 0.12
    found = domain_drift(normal(5000, 1, 1), current, RULES)
    assert found.p is not None and found.p <= 0.05
    assert found.auc is not None and found.auc - 0.5 < 0.05
    assert found.state == NO_DRIFT
    assert "by less than" in found.reason


def test_fewer_rows_than_twice_the_fewest_are_not_enough() -> None:
    found = domain_drift(normal(39, 1), normal(500, 2) + 100, RULES)
    assert found.state == NOT_ENOUGH
    assert found.auc is None
    assert "39 rows in the reference" in found.reason
    assert domain_drift(normal(40, 1), normal(40, 2) + 100, RULES).state == DRIFT


def test_ignored_columns_are_left_out() -> None:
    current = normal(500, 2).assign(c1=9.0)
    assert domain_drift(normal(500, 1), current, RULES).state == DRIFT
    assert domain_drift(normal(500, 1), current, DriftRules(ignored=("c1",))).state == NO_DRIFT
    found = domain_drift(normal(500, 1, 1), normal(500, 2, 1), DriftRules(ignored=("c0",)))
    assert (found.state, found.reason) == (NOT_COMPARED, "all columns are ignored")


def test_columns_that_say_nothing_are_a_state_of_their_own() -> None:
    frame = pd.DataFrame({"same": [5.0] * 100, "empty": [np.nan] * 100, "none": pd.Series([None] * 100, dtype=object)})
    found = domain_drift(frame, frame, RULES)
    assert found.state == NOT_COMPARED
    assert "no column varies" in found.reason
    nothing = pd.DataFrame(index=range(100))
    assert domain_drift(nothing, nothing, RULES).reason == "there are no columns"


def test_a_constant_that_becomes_another_constant_drifts() -> None:
    found = domain_drift(pd.DataFrame({"flag": ["0"] * 100}), pd.DataFrame({"flag": ["1"] * 100}), RULES)
    assert (found.state, found.auc, names(found)) == (DRIFT, 1.0, ["flag"])


def test_a_column_that_was_retyped_is_compared_as_text() -> None:
    reference = pd.DataFrame({"code": [1, 2] * 100})
    found = domain_drift(reference, pd.DataFrame({"code": ["1", "2"] * 100}), RULES)
    assert found.state == NO_DRIFT
    odd = pd.DataFrame({"code": pd.Series(["1", 2, None, True] * 50, dtype=object)})
    assert domain_drift(reference, odd, RULES).state == DRIFT


def test_texts_of_which_each_row_has_its_own_are_not_learned_by_heart() -> None:
    def keys(start: int, extra: str = "") -> pd.DataFrame:
        return pd.DataFrame({"key": [f"K{place:06d}{extra}" for place in range(start, start + 1000)]})

    assert domain_drift(keys(0), keys(5000), RULES).state == NOT_COMPARED
    assert names(domain_drift(keys(0), keys(5000, "-new"), RULES)) == ["key"]


def test_columns_that_are_not_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="c3 is only in one"):
        domain_drift(normal(100, 1, 4), normal(100, 1, 3), RULES)


def test_infinite_values_stop_nothing() -> None:
    reference = normal(300, 1)
    reference.loc[:3, "c0"] = [np.inf, -np.inf, 1e308, -1e308]
    assert domain_drift(reference, normal(300, 2), RULES).state == NO_DRIFT


def test_the_same_frames_give_the_same_answer_and_leave_global_random_numbers_alone() -> None:
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    first = domain_drift(mixed(7000, 1), _warmer(mixed(300, 2)), RULES)
    assert np.random.random() == expected
    assert domain_drift(mixed(7000, 1), _warmer(mixed(300, 2)), RULES) == first
    assert first.held_out == (SAMPLE // 2, 150)


def test_a_sample_has_no_row_twice() -> None:
    taken = sample_of(SAMPLE * 2, SAMPLE)
    assert len(taken) == len(set(taken.tolist())) == SAMPLE
    assert (np.diff(taken) > 0).all()
    assert sample_of(10, SAMPLE).tolist() == list(range(10))
    assert taken.tolist() == sample_of(SAMPLE * 2, SAMPLE).tolist() != sample_of(SAMPLE * 2, SAMPLE, seed=1).tolist()


def _alarms(pairs: int, sizes: list[tuple[int, int]]) -> int:
    states = []
    for seed in range(pairs):
        rows, batch = sizes[seed % len(sizes)]
        states.append(domain_drift(mixed(rows, 2 * seed), mixed(batch, 2 * seed + 1), RULES, seed).state)
    return states.count(DRIFT)


def test_clean_pairs_rarely_alarm() -> None:
    assert _alarms(100, [(40, 40), (200, 50), (400, 100)]) <= binom.ppf(0.999, 100, 0.05)


@pytest.mark.slow
def test_clean_pairs_alarm_at_most_as_often_as_is_said() -> None:
    sizes = [(60, 60), (200, 50), (1000, 100), (2000, 100), (1000, 1000)]
    assert _alarms(500, sizes) <= binom.ppf(0.999, 500, 0.05)
