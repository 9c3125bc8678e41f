import numpy as np
import pytest

from myopia import superposition as sp
from myopia.superposition.metrics import geometry


def polygon(corners):
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)])


def product(*blocks):
    rows, cols = (sum(block.shape[k] for block in blocks) for k in (0, 1))
    whole, row, col = np.zeros((rows, cols)), 0, 0
    for block in blocks:
        whole[row : row + block.shape[0], col : col + block.shape[1]] = block
        row, col = row + block.shape[0], col + block.shape[1]
    return whole


SHAPES = {
    "single": np.ones((1, 1)),
    "digon": np.array([[1.0, -1.0]]),
    "triangle": polygon(3),
    "tetrahedron": np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / np.sqrt(3),
    "pentagon": polygon(5),
    "square antiprism": geometry._antiprism(),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_read_whatever_its_turn_and_order(name):
    generator = np.random.default_rng(0)
    W = SHAPES[name]
    Q = np.linalg.qr(generator.normal(size=(len(W), len(W)))).Q
    read = sp.read_geometry((Q @ W)[:, generator.permutation(W.shape[1])])
    assert read.name == name
    assert read.distance < 1e-12
    fraction = len(W) / W.shape[1]
    assert np.allclose(sp.feature_dimensionality(W), fraction)


def test_products_and_small_columns():
    W = product(SHAPES["digon"], SHAPES["pentagon"], SHAPES["digon"], 0.3 * np.eye(1))
    read = sp.read_geometry(W)
    assert read.name == "pentagon x 2 digon"
    assert read.parts[0].features == (2, 3, 4, 5, 6)
    assert sp.read_geometry(np.zeros((2, 3))).name == "none"


def test_a_square_is_two_digons_and_a_hexagon_is_irregular():
    assert sp.read_geometry(polygon(4)).name == "2 digon"
    read = sp.read_geometry(polygon(6))
    assert (read.name, read.distance) == ("irregular", np.inf)


def test_distance_grows_with_the_bend():
    bent = polygon(5)
    bent[:, 0] = [np.cos(0.1), np.sin(0.1)]
    read = sp.read_geometry(bent)
    assert read.name == "pentagon"
    assert 0.05 < read.distance < 0.12


def test_one_matrix_at_a_time():
    with pytest.raises(ValueError, match="one matrix"):
        sp.read_geometry(np.ones((2, 2, 2)))
