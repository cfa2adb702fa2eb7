"""Kinds of rows, rows that show the same, and where they are drawn."""

import numpy as np
import pytest

from ml_regress.core.clusters import Plane, clusters_of, near_limit, patches_of, plane, without_near_duplicates


def crowds(sizes: list[int], width: int = 4, apart: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """Crowds of unit spread, far apart, in mixed order; and which crowd each point is of."""
    random = np.random.default_rng(0)
    centres = np.eye(max(width, len(sizes)))[: len(sizes), :width] * apart
    of = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (centres[of] + random.normal(size=(len(of), width))).astype(np.float32), of


@pytest.mark.parametrize("sizes", [[300, 200], [300, 200, 100], [150, 140, 130, 120]])
def test_crowds_that_are_apart_are_the_clusters_the_largest_first(sizes: list[int]) -> None:
    points, of = crowds(sizes)
    assert np.array_equal(clusters_of(points), of)


@pytest.mark.parametrize("width", [1, 2, 10])
def test_one_crowd_is_one_cluster(width: int) -> None:
    assert set(clusters_of(np.random.default_rng(1).normal(size=(600, width)))) == {0}
    assert set(clusters_of(np.random.default_rng(1).random((600, width)))) == {0}


def test_there_are_no_more_clusters_than_asked_for() -> None:
    points, _ = crowds([80] * 6, width=6)
    assert len(set(clusters_of(points))) == 6
    assert len(set(clusters_of(points, largest=3))) <= 3
    assert set(clusters_of(points, largest=1)) == {0}


def test_rows_of_a_few_contents_have_a_cluster_a_content() -> None:
    of = np.repeat([0, 1, 2], [50, 30, 20])
    assert np.array_equal(clusters_of(np.eye(3)[of]), of)


def test_few_and_equal_points_are_one_cluster() -> None:
    assert clusters_of(np.zeros((0, 3))).tolist() == []
    assert clusters_of(np.ones((1, 3))).tolist() == [0]
    assert clusters_of(np.eye(2)).tolist() == [0, 0]
    assert clusters_of(np.ones((40, 3))).tolist() == [0] * 40


def test_many_points_are_clustered_by_a_sample_and_each_has_its_cluster() -> None:
    points, of = crowds([20_000, 10_000])
    assert np.array_equal(clusters_of(points), of)


def test_clusters_are_the_same_each_time() -> None:
    points = np.random.default_rng(2).random((700, 5)) ** 4
    assert np.array_equal(clusters_of(points), clusters_of(points))


def test_points_near_to_others_or_to_an_earlier_one_are_dropped() -> None:
    points = np.array([[0.0], [0.5], [1.0], [5.0], [5.4], [9.0]])
    nothing = np.zeros((0, 1))
    assert without_near_duplicates(points, nothing, 0.9).tolist() == [0, 2, 3, 5]
    assert without_near_duplicates(points, np.array([[5.2], [0.1]]), 0.9).tolist() == [2, 5]
    assert without_near_duplicates(points, nothing, 0.0).tolist() == [0, 1, 2, 3, 4, 5]
    assert without_near_duplicates(nothing, points, 1.0).tolist() == []


def test_a_point_that_is_dropped_drops_no_other() -> None:
    chain = np.array([[0.0], [0.8], [1.6], [2.4]])
    assert without_near_duplicates(chain, np.zeros((0, 1)), 1.0).tolist() == [0, 2]


def test_the_same_point_is_a_duplicate_whatever_the_limit() -> None:
    points = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    assert without_near_duplicates(points, np.array([[3.0, 4.0]]), 0.0).tolist() == [0]


def test_many_points_keep_only_those_that_are_apart() -> None:
    random = np.random.default_rng(0)
    points, among = random.random((4000, 2)), random.random((50, 2))
    kept = points[without_near_duplicates(points, among, 0.1)]
    every = np.vstack([kept, among])
    distances = np.sqrt(((kept[:, None] - every[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distances, np.inf)
    assert distances.min() >= 0.1 - 1e-6
    # None could be added: each that was dropped is near to one that is there.
    assert np.sqrt(((points[:, None] - every[None]) ** 2).sum(axis=2)).min(axis=1).max() < 0.1


def test_near_is_what_so_large_a_share_of_rows_is_to_its_nearest() -> None:
    line = np.concatenate([[0.0, 1.0], 10 + 3 * np.arange(6)])[:, None]
    assert near_limit(line, share=0.0) == pytest.approx(1.0)
    assert near_limit(line) == pytest.approx(3.0)
    grid = np.arange(500, dtype=float)[:, None]
    assert near_limit(grid) == pytest.approx(1.0)
    assert near_limit(grid * 7) == pytest.approx(7.0)


def test_where_rows_are_repeated_near_is_half_of_the_smallest_step() -> None:
    assert near_limit(np.repeat([[0.0], [4.0], [7.0]], 20, axis=0)) == pytest.approx(1.5)


def test_near_is_never_nothing() -> None:
    for points in (np.zeros((0, 2)), np.ones((1, 2)), np.ones((30, 2))):
        assert 0 < near_limit(points) < 1e-3


def test_points_are_drawn_in_the_plane_in_which_they_are_widest() -> None:
    random = np.random.default_rng(0)
    flat = random.normal(size=(400, 2)) * [9.0, 3.0]
    turn = np.linalg.qr(random.normal(size=(6, 6)))[0]
    points = np.hstack([flat, random.normal(size=(400, 4)) * 0.01]) @ turn
    drawn = plane(points)
    assert drawn.shape == (400, 2)
    centred = flat - flat.mean(axis=0)
    for axis in range(2):
        assert abs(np.corrcoef(drawn[:, axis], centred[:, axis])[0, 1]) > 0.98
    assert drawn.std(axis=0) == pytest.approx(flat.std(axis=0), rel=0.05)


def test_a_drawing_is_the_same_each_time_and_for_any_rows() -> None:
    points = np.random.default_rng(3).normal(size=(3000, 8)).astype(np.float32)
    assert np.array_equal(plane(points), plane(points))
    fitted = Plane.of(points)
    assert np.allclose(fitted.places(points[10:20]), plane(points)[10:20])
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in fitted.axes.T)


def test_points_that_vary_along_one_line_or_not_at_all_are_drawn_too() -> None:
    assert (plane(np.arange(5.0)[:, None])[:, 1] == 0).all()
    assert np.ptp(plane(np.arange(5.0)[:, None])[:, 0]) == pytest.approx(4.0)
    for points in (np.ones((9, 3)), np.ones((1, 3)), np.zeros((0, 3)), np.zeros((4, 0))):
        assert plane(points).tolist() == [[0.0, 0.0]] * len(points)


def test_an_image_of_many_pixels_is_drawn() -> None:
    points = np.random.default_rng(0).random((40, 20_000)).astype(np.float32)
    points[:20] += 1
    drawn = plane(points)
    assert (drawn[:20, 0].min() > drawn[20:, 0].max()) or (drawn[:20, 0].max() < drawn[20:, 0].min())


def test_patches_cut_a_crowd_without_kinds_and_keep_kinds_apart() -> None:
    crowd = np.random.default_rng(4).normal(size=(400, 3))
    patches = patches_of(crowd)
    assert len(set(patches)) == 12 and np.bincount(patches).argmax() == 0
    # A patch is a place: its rows are nearer to its centre than to that of any other.
    centres = np.array([crowd[patches == patch].mean(axis=0) for patch in range(12)])
    nearest = ((crowd[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == patches).mean() > 0.95
    apart = np.concatenate([crowd, crowd[:100] + 100.0])
    assert not set(patches_of(apart)[:400]) & set(patches_of(apart)[400:])


def test_too_few_or_equal_rows_are_one_patch() -> None:
    assert patches_of(np.zeros((0, 3))).tolist() == []
    assert set(patches_of(np.random.default_rng(5).normal(size=(19, 2)))) == {0}
    assert set(patches_of(np.ones((500, 2)))) == {0}
