"""The operator against a definition written out in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dashnas
from dashnas.errors import OperatorError

FORMULATIONS = ["auto", "mixed-results", "mixed-weights", "mixed-weights-kronecker", "fourier", "fourier-kronecker"]
#: float32 sums of a few hundred products, against float64.
TOLERANCE = 1e-5

F64 = NDArray[np.float64]


def conv(x: F64, w: F64, d: int, stride: int, groups: int) -> F64:
    """One dilated cross-correlation with zero padding that keeps the size."""
    dims, k = x.ndim - 2, w.shape[2]
    r = k // 2 * d
    padded = np.pad(x, [(0, 0), (0, 0)] + [(r, r)] * dims)
    per_in, per_out = x.shape[1] // groups, w.shape[0] // groups
    y = np.zeros((x.shape[0], w.shape[0], *x.shape[2:]))
    for o in range(w.shape[0]):
        first = o // per_out * per_in
        for tap in itertools.product(range(k), repeat=dims):
            window = tuple(slice(t * d, t * d + n) for t, n in zip(tap, x.shape[2:]))
            seen = padded[(slice(None), slice(first, first + per_in), *window)]
            y[:, o] += np.tensordot(seen, w[(o, slice(None), *tap)], axes=([1], [0]))
    return y[(slice(None), slice(None)) + (slice(None, None, stride),) * dims]


def case(dims: int, stride: int, groups: int) -> dict[str, Any]:
    rng = np.random.default_rng(dims * 100 + stride * 10 + groups)
    shape = (2, 4, 13) if dims == 1 else (2, 4, 6, 7)
    ks, ds = [3, 5], [1, 3]
    weights = [rng.normal(size=(6, 4 // groups) + (k,) * dims) for k in ks for _ in ds]
    return {
        "x": rng.normal(size=shape),
        "weights": weights,
        "alpha": rng.normal(size=(2, 2)),
        "kernel_sizes": ks,
        "dilations": ds,
        "bias": rng.normal(size=6),
        "stride": stride,
        "groups": groups,
    }


def expected(c: dict[str, Any]) -> F64:
    share = np.exp(c["alpha"]) / np.exp(c["alpha"]).sum()
    pairs = itertools.product(c["kernel_sizes"], c["dilations"])
    terms = [
        p * conv(c["x"], w, d, c["stride"], c["groups"]) for w, p, (_, d) in zip(c["weights"], share.ravel(), pairs)
    ]
    return sum(terms[1:], terms[0]) + c["bias"].reshape((-1,) + (1,) * (c["x"].ndim - 2))


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize(("dims", "stride", "groups"), [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 3, 2)])
def test_every_formulation_is_the_weighted_sum_of_convolutions(
    formulation: str, dims: int, stride: int, groups: int
) -> None:
    c = case(dims, stride, groups)
    want = expected(c)
    y = dashnas.agg_conv(**c, formulation=formulation)
    assert y.dtype == np.float32 and y.shape == want.shape
    np.testing.assert_allclose(y, want, atol=TOLERANCE * np.abs(want).max(), rtol=0)


def test_flat_weights_are_the_kernels_behind_one_another() -> None:
    c = case(2, 1, 1)
    flat = np.concatenate([w.reshape(6, 4, -1) for w in c["weights"]], axis=2)
    np.testing.assert_array_equal(dashnas.agg_conv(**c), dashnas.agg_conv(**{**c, "weights": flat}))


@pytest.mark.parametrize("dims", [1, 2])
def test_gradients_are_the_differences_of_the_output(dims: int) -> None:
    c = case(dims, 2, 2)
    bias = c.pop("bias")
    dy = np.random.default_rng(1).normal(size=expected({**c, "bias": bias}).shape)
    dx, dw, da = dashnas.agg_conv_backward(dy, **c)
    assert dx.shape == c["x"].shape and da.shape == (2, 2)
    assert [w.shape for w in dw] == [w.shape for w in c["weights"]]

    def loss(**changed: Any) -> float:
        return float((dy * expected({**c, "bias": 0 * bias, **changed})).sum())

    def slope(array: F64, index: tuple[int, ...], change: Any) -> float:
        step = np.zeros_like(array)
        step[index] = 1e-4
        return (loss(**change(array + step)) - loss(**change(array - step))) / 2e-4

    index = (1, 2) + (3,) * dims
    assert dx[index] == pytest.approx(slope(c["x"], index, lambda x: {"x": x}), rel=1e-3)
    index = (5, 1) + (1,) * dims
    weights = c["weights"]
    found = slope(weights[2], index, lambda w: {"weights": [*weights[:2], w, weights[3]]})
    assert dw[2][index] == pytest.approx(found, rel=1e-3)
    assert da[1, 0] == pytest.approx(slope(c["alpha"], (1, 0), lambda a: {"alpha": a}), rel=1e-3)


def test_inputs_of_any_layout_and_type_are_taken() -> None:
    c = case(1, 1, 1)
    for x in (np.asfortranarray(c["x"]), c["x"].astype(np.float32), c["x"].tolist(), c["x"][::-1][::-1]):
        np.testing.assert_array_equal(dashnas.agg_conv(**{**c, "x": x}), dashnas.agg_conv(**c))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((2, 4))}, r"x has shape \(2, 4\)"),
        ({"x": np.zeros((2, 3, 13))}, "channels"),
        ({"kernel_sizes": [3, 4], "weights": np.zeros((6, 4, 14))}, "not odd"),
        ({"dilations": [1, 0]}, "dilation 0"),
        ({"dilations": [1, -1]}, "negative"),
        ({"alpha": np.zeros(3)}, "3 mixing coefficients for 4"),
        ({"bias": np.zeros(5)}, "5 biases"),
        ({"stride": 0}, "stride"),
        ({"groups": 3}, "groups"),
        ({"formulation": "magic"}, "magic"),
        ({"weights": [np.zeros((6, 4, 3))]}, "1 kernels for 4"),
        ({"weights": [np.zeros((6, 4, 3))] * 4}, "size 5 and dilation 1"),
    ],
)
def test_operands_that_do_not_fit_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(OperatorError, match=message) as caught:
        dashnas.agg_conv(**{**case(1, 1, 1), **change})
    assert isinstance(caught.value, ValueError)


def test_a_gradient_of_the_wrong_shape_is_named() -> None:
    c = case(1, 1, 1)
    del c["bias"]
    with pytest.raises(OperatorError, match=r"dy has shape \[2, 6, 12\], but the output has \[2, 6, 13\]"):
        dashnas.agg_conv_backward(np.zeros((2, 6, 12)), **c)
