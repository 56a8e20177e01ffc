"""The operator by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dashnas import _dashnas
from dashnas.errors import OperatorError

if TYPE_CHECKING:
    from dashnas._dashnas import _Options

F32 = NDArray[np.float32]
Weights = ArrayLike | Sequence[ArrayLike]


def agg_conv(
    x: ArrayLike,
    weights: Weights,
    alpha: ArrayLike,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    *,
    bias: ArrayLike | None = None,
    stride: int = 1,
    groups: int = 1,
    formulation: str = "auto",
) -> F32:
    """The weighted sum of one convolution for every kernel size and dilation.

    With c = softmax(alpha), this is sum(c[k, d] * conv(x, weights[k, d], dilation=d)) + bias, where each `conv` is a
    cross-correlation with zero padding that keeps the size: at stride s, every s-th position of it. It is computed
    as one convolution, with the formulation that is fastest for the shape.

    Parameters
    ----------
    x : array, N×C×L or N×C×H×W
    weights : a list of arrays, O×(C/groups)×k or O×(C/groups)×k×k, one for each kernel size and dilation, dilations
        running fastest; or all of them flat, O×(C/groups)×T
    alpha : array of as many logits as there are pairs, [pairs] or [kernel sizes, dilations]
    kernel_sizes : odd and distinct
    dilations : at least 1 and distinct
    bias : array, O
    stride : the same on each axis
    groups : divides the channels; C for a depthwise convolution
    formulation : "auto", or one of the paper's: "mixed-results" (Eq. 2), "mixed-weights" (Eq. 3), "fourier" (Eq. 4),
        "mixed-weights-kronecker", "fourier-kronecker". All give the same to rounding.

    Returns
    -------
    array, N×O×⌈L/s⌉ or N×O×⌈H/s⌉×⌈W/s⌉, float32

    Raises
    ------
    OperatorError
        if the operands do not fit together
    """
    x, flat, logits, options = _operands(x, weights, alpha, kernel_sizes, dilations, stride, groups, formulation)
    return _dashnas.agg_conv(x, flat, logits, None if bias is None else _f32(bias), options)


def agg_conv_backward(
    dy: ArrayLike,
    x: ArrayLike,
    weights: Weights,
    alpha: ArrayLike,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    *,
    stride: int = 1,
    groups: int = 1,
    formulation: str = "auto",
) -> tuple[F32, F32 | list[F32], F32]:
    """The gradients of sum(dy * agg_conv(x, weights, alpha, …)) by x, weights and alpha, in the shapes of each.

    That by the bias is `dy.sum(axis=(0, 2))`, or `axis=(0, 2, 3)` in two dimensions.
    """
    x, flat, logits, options = _operands(x, weights, alpha, kernel_sizes, dilations, stride, groups, formulation)
    dx, dw, da = _dashnas.agg_conv_backward(_f32(dy), x, flat, logits, options)
    return dx, _like(dw, weights), da.reshape(np.shape(alpha))


def _operands(
    x: ArrayLike,
    weights: Weights,
    alpha: ArrayLike,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    stride: int,
    groups: int,
    formulation: str,
) -> tuple[F32, F32, F32, _Options]:
    sizes, spread = [int(k) for k in kernel_sizes], [int(d) for d in dilations]
    options: _Options = {
        "kernel_sizes": sizes,
        "dilations": spread,
        "stride": int(stride),
        "groups": int(groups),
        "formulation": formulation,
    }
    if min([*sizes, *spread, options["stride"], options["groups"]], default=1) < 0:
        raise OperatorError("kernel sizes, dilations, stride and groups cannot be negative")
    if np.ndim(x) not in (3, 4):
        raise OperatorError(f"x has shape {np.shape(x)}, not [N, C, L] or [N, C, H, W]")
    return _f32(x), _flat(weights, sizes, spread, np.ndim(x) - 2), _f32(alpha).reshape(-1), options


def _flat(weights: Weights, kernel_sizes: list[int], dilations: list[int], dims: int) -> F32:
    """All kernels behind one another on the last axis."""
    if not isinstance(weights, (list, tuple)):
        return _f32(cast(ArrayLike, weights))
    pairs = [(k, d) for k in kernel_sizes for d in dilations]
    if len(weights) != len(pairs):
        raise OperatorError(f"{len(weights)} kernels for {len(pairs)} pairs of kernel size and dilation")
    kernels = [_f32(w) for w in weights]
    for kernel, (k, d) in zip(kernels, pairs, strict=True):
        if kernel.shape != kernels[0].shape[:2] + (k,) * dims:
            expected = "×".join(["outputs", "inputs/groups"] + [str(k)] * dims)
            raise OperatorError(f"the kernel for size {k} and dilation {d} has shape {kernel.shape}, not {expected}")
    return np.concatenate([w.reshape(*w.shape[:2], -1) for w in kernels], axis=2)


def _like(flat: F32, weights: Weights) -> F32 | list[F32]:
    """Flat gradients in the shapes of the weights they belong to."""
    if not isinstance(weights, (list, tuple)):
        return flat
    shapes = [np.shape(w) for w in weights]
    ends = np.cumsum([int(np.prod(shape[2:])) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1], axis=2), shapes, strict=True)]


def _f32(values: ArrayLike) -> F32:
    return np.ascontiguousarray(values, dtype=np.float32)
