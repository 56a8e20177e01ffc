"""The operator in PyTorch, and the search of the paper for any network of PyTorch. It needs the package `torch`.

`AggConv1d` and `AggConv2d` are modules that take the place of `torch.nn.Conv1d` and `Conv2d`: the weighted sum of one
convolution for every kernel size and dilation, computed as one. `search` replaces the convolutions of a network by them,
trains weights and architecture parameters, and returns the network with the convolutions that were found.

They compute on the CPU in float32, with the kernels of this package.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

try:
    import torch
except ImportError as error:
    raise ImportError("dashnas.torch needs PyTorch, which is not installed: pip install torch") from error

from torch import Tensor, nn
from torch.nn import functional

from dashnas import _dashnas

__all__ = ["AggConv1d", "AggConv2d", "Found", "SearchResult", "agg_conv", "search"]

#: The default kernel sizes and dilations, by the number of spatial axes.
KERNEL_SIZES = {1: (3, 7, 11, 15, 19), 2: (3, 5, 7, 9)}
DILATIONS = (1, 3, 7, 15)


def _options(kernel_sizes: Sequence[int], dilations: Sequence[int], stride: int, groups: int, formulation: str) -> Any:
    return {
        "kernel_sizes": list(kernel_sizes),
        "dilations": list(dilations),
        "stride": stride,
        "groups": groups,
        "formulation": formulation,
    }


def _array(tensor: Tensor) -> Any:
    """The memory of a tensor as an array."""
    if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
        raise TypeError(f"agg_conv takes float32 tensors on the CPU, not {tensor.dtype} on {tensor.device}")
    return tensor.detach().contiguous().numpy()


def _forward(
    x: Tensor,
    weight: Tensor,
    alpha: Tensor,
    bias: Tensor | None,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    stride: int,
    groups: int,
    formulation: str,
) -> Tensor:
    options = _options(kernel_sizes, dilations, stride, groups, formulation)
    given = None if bias is None else _array(bias)
    return torch.from_numpy(_dashnas.agg_conv(_array(x), _array(weight), _array(alpha), given, options))


def _backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    alpha: Tensor,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    stride: int,
    groups: int,
    formulation: str,
) -> tuple[Tensor, Tensor, Tensor]:
    options = _options(kernel_sizes, dilations, stride, groups, formulation)
    found = _dashnas.agg_conv_backward(_array(dy), _array(x), _array(weight), _array(alpha), options)
    dx, dw, da = (torch.from_numpy(gradient) for gradient in found)
    return dx, dw, da


def _setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, weight, alpha, bias, *options = inputs
    ctx.save_for_backward(x, weight, alpha)
    ctx.has_bias, ctx.options = bias is not None, options


if hasattr(torch.library, "custom_op"):
    # Registered, so that `torch.compile` treats it as one operation and knows its shape.
    _agg_conv = torch.library.custom_op("dashnas::agg_conv", _forward, mutates_args=())
    _agg_conv_backward = torch.library.custom_op("dashnas::agg_conv_backward", _backward, mutates_args=())

    @_agg_conv.register_fake
    def _(x, weight, alpha, bias, kernel_sizes, dilations, stride, groups, formulation):  # type: ignore[no-untyped-def]
        grid = [(size + stride - 1) // stride for size in x.shape[2:]]
        return x.new_empty([x.shape[0], weight.shape[0], *grid])

    @_agg_conv_backward.register_fake
    def _(dy, x, weight, alpha, kernel_sizes, dilations, stride, groups, formulation):  # type: ignore[no-untyped-def]
        return x.new_empty(x.shape), weight.new_empty(weight.shape), alpha.new_empty(alpha.shape)

    def _gradients(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
        dx, dw, da = _agg_conv_backward(dy, *ctx.saved_tensors, *ctx.options)
        db = dy.sum((0, *range(2, dy.dim()))) if ctx.has_bias else None
        return dx, dw, da, db, *[None] * 5

    _agg_conv.register_autograd(_gradients, setup_context=_setup)
    _apply: Callable[..., Tensor] = _agg_conv
else:

    class _Function(torch.autograd.Function):
        """The operation in versions of PyTorch that cannot register it."""

        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Tensor:
            _setup(ctx, inputs, None)
            return _forward(*inputs)

        @staticmethod
        def backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
            dx, dw, da = _backward(dy, *ctx.saved_tensors, *ctx.options)
            db = dy.sum((0, *range(2, dy.dim()))) if ctx.has_bias else None
            return dx, dw, da, db, *[None] * 5

    _apply = _Function.apply


def agg_conv(
    x: Tensor,
    weight: Tensor,
    alpha: Tensor,
    kernel_sizes: Sequence[int],
    dilations: Sequence[int],
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    groups: int = 1,
    formulation: str = "auto",
) -> Tensor:
    """`dashnas.agg_conv` of tensors, with gradients: sum(softmax(alpha)[k, d] * conv(x, weight[k, d], dilation=d)) + bias.

    `weight` holds all kernels flat, O×(C/groups)×T, dilations running fastest; `alpha` has one logit for each.
    """
    sizes, spread = [int(k) for k in kernel_sizes], [int(d) for d in dilations]
    return _apply(x, weight, alpha.reshape(-1), bias, sizes, spread, stride, groups, formulation)


def _several(given: int | Sequence[int] | None, usual: Sequence[int]) -> list[int]:
    """One number or several as a list."""
    return [given] if isinstance(given, int) else [int(one) for one in (usual if given is None else given)]


class _AggConv(nn.Module):
    """What both modules share."""

    #: Spatial axes.
    dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] | None = None,
        stride: int = 1,
        dilation: int | Sequence[int] | None = None,
        groups: int = 1,
        bias: bool = True,
        formulation: str = "auto",
    ) -> None:
        super().__init__()
        self.kernel_sizes = _several(kernel_size, KERNEL_SIZES[self.dims])
        self.dilations = _several(dilation, DILATIONS)
        if any(k < 1 or k % 2 == 0 for k in self.kernel_sizes) or any(d < 1 for d in self.dilations):
            raise ValueError(
                f"kernel sizes {self.kernel_sizes} and dilations {self.dilations}: sizes are odd, dilations at least 1"
            )
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{groups} groups do not divide {in_channels} and {out_channels} channels")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.stride, self.groups, self.formulation = stride, groups, formulation
        #: Divides the logits; set in a search.
        self.temperature = 1.0
        #: Whether noise is added to the logits in training, as in a search.
        self.sampled = False
        #: Its places in the network, in a search.
        self.names: list[str] = []
        pairs = len(self.kernel_sizes) * len(self.dilations)
        taps = sum(k**self.dims for k in self.kernel_sizes) * len(self.dilations)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, taps))
        self.alpha = nn.Parameter(torch.zeros(pairs))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the weights of each kernel as PyTorch does those of a convolution, and makes all kernels equally likely."""
        per_channel = self.in_channels // self.groups
        with torch.no_grad():
            for k, d in self.pairs():
                bound = 1 / math.sqrt(per_channel * k**self.dims)
                self.weight[:, :, self._taps(k, d)].uniform_(-bound, bound)
            if self.bias is not None:
                bound = 1 / math.sqrt(per_channel * min(self.kernel_sizes) ** self.dims)
                self.bias.uniform_(-bound, bound)
            self.alpha.zero_()

    def pairs(self) -> list[tuple[int, int]]:
        """Every kernel size and dilation, in the order of `alpha`."""
        return [(k, d) for k in self.kernel_sizes for d in self.dilations]

    def _taps(self, kernel_size: int, dilation: int) -> slice:
        """The place of a kernel in the flat weights."""
        start = 0
        for k, d in self.pairs():
            if (k, d) == (kernel_size, dilation):
                return slice(start, start + k**self.dims)
            start += k**self.dims
        raise ValueError(f"kernel size {kernel_size} and dilation {dilation} are not among those of the layer")

    def kernel(self, kernel_size: int, dilation: int) -> Tensor:
        """The weights of one kernel, in the shape that a convolution has."""
        flat = self.weight[:, :, self._taps(kernel_size, dilation)]
        return flat.reshape(*flat.shape[:2], *[kernel_size] * self.dims)

    def shares(self) -> Tensor:
        """The share of each kernel, of the sum 1."""
        return torch.softmax(self.alpha, 0)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.alpha
        if self.sampled and self.training:
            logits = logits - torch.empty_like(logits).exponential_().log()
        logits = logits / self.temperature
        options = (self.kernel_sizes, self.dilations, self.stride, self.groups, self.formulation)
        return _apply(x, self.weight, logits, self.bias, *options)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_sizes={self.kernel_sizes}, dilations={self.dilations}, "
            f"stride={self.stride}, groups={self.groups}, bias={self.bias is not None}"
        )


class AggConv1d(_AggConv):
    """The weighted sum of a convolution N×C×L for every kernel size and dilation, with the padding that keeps the length.

    It takes the place of `nn.Conv1d(C, O, k, padding=d * (k - 1) // 2, dilation=d)`, which it is with one kernel size and
    one dilation; `kernel_size` and `dilation` may be lists. `alpha` has the logits of the shares.
    """

    dims = 1


class AggConv2d(_AggConv):
    """The weighted sum of a convolution N×C×H×W for every kernel size and dilation, with the padding that keeps the size.

    It takes the place of `nn.Conv2d(C, O, k, padding=d * (k - 1) // 2, dilation=d)`, which it is with one kernel size and
    one dilation; `kernel_size` and `dilation` may be lists. `alpha` has the logits of the shares.
    """

    dims = 2


class Found(NamedTuple):
    """The kernel that was found for a layer."""

    #: The name of the layer in the network.
    layer: str
    kernel_size: int
    dilation: int
    #: Its share at the end of the search.
    share: float
    #: The share of chance, one in the number of kernels.
    chance: float


class SearchResult(NamedTuple):
    """What `search` returns."""

    #: The network with `nn.Conv1d` and `nn.Conv2d` of the kernels that were found, to be trained.
    network: nn.Module
    found: list[Found]
    #: The mean loss of each epoch.
    losses: list[float]


def search(
    module: nn.Module,
    loader: Iterable[Any],
    *,
    loss: Callable[[Tensor, Any], Tensor] = functional.cross_entropy,
    epochs: int = 10,
    kernel_sizes: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    lr: float = 0.1,
    alpha_lr: float = 0.05,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    temperature: float = 1.0,
    clip: float = 1.0,
    where: Callable[[str, nn.Module], bool] | None = None,
    keep_weights: bool = False,
    progress: Callable[[int, float], object] | None = None,
) -> SearchResult:
    """Searches kernel sizes and dilations for the convolutions of a network, as Algorithm 1 of the paper does.

    In a copy of the network, each convolution is replaced by an `AggConv`. At every batch, the weights descend by SGD and
    the logits of the shares by Adam, by the gradients of one and the same loss, with Gumbel noise on the logits. Then each
    layer keeps the kernel of the largest share. `module` itself is not changed.

    Parameters
    ----------
    module : the network; its convolutions are replaced where zero padding keeps the size of the output
    loader : an iterable of batches (inputs, targets), such as a DataLoader; it is gone through once in each epoch
    loss : a function of outputs and targets
    epochs : how often
    kernel_sizes, dilations : the kernels to choose from; by default 3, 7, 11, 15, 19 for series and 3, 5, 7, 9 for images,
        with dilations 1, 3, 7, 15
    lr, momentum, weight_decay : of SGD for the weights
    alpha_lr : of Adam for the logits
    temperature : divides the logits
    clip : the largest norm of the gradient of the weights
    where : a function of the name of a convolution and the convolution that says whether it is replaced; by default all
        with kernels larger than 1 are
    keep_weights : whether the network keeps the weights of the search, those of the kernels that were found included;
        otherwise it has those of `module` and new ones for the kernels, since the paper trains it anew
    progress : a function that is called with the number of each epoch and its mean loss

    Returns
    -------
    SearchResult : the network to train, what was found for each layer, and the losses
    """
    supernet = copy.deepcopy(module)
    replaced = _replace(supernet, kernel_sizes, dilations, temperature, where)
    if not replaced:
        raise ValueError(
            "the network has no convolution to search: nn.Conv1d or nn.Conv2d with odd kernels larger than 1 of equal "
            "sides, and zero padding that keeps the size"
        )
    logits = [layer.alpha for layer in replaced.values()]
    of_logits = {id(one) for one in logits}
    weights = [one for one in supernet.parameters() if id(one) not in of_logits and one.requires_grad]
    descend = torch.optim.SGD(weights, lr=lr, momentum=momentum, weight_decay=weight_decay)
    choose = torch.optim.Adam(logits, lr=alpha_lr)
    losses: list[float] = []
    supernet.train()
    for epoch in range(epochs):
        total, batches = 0.0, 0
        for inputs, targets in loader:
            descend.zero_grad()
            choose.zero_grad()
            value = loss(supernet(inputs), targets)
            if not torch.isfinite(value):
                raise FloatingPointError(f"the loss of the search is {float(value)} in epoch {epoch}: lower lr")
            value.backward()
            nn.utils.clip_grad_norm_(weights, clip)
            descend.step()
            choose.step()
            total, batches = total + float(value.detach()), batches + 1
        if batches == 0:
            raise ValueError("the loader gives no batch: an iterator is used up after one epoch; give a list or a DataLoader")
        losses.append(total / batches)
        if progress is not None:
            progress(epoch, losses[-1])
    found = [_choice(name, layer) for name, layer in replaced.items()]
    network = supernet if keep_weights else copy.deepcopy(module)
    for layer, choice in zip(replaced.values(), found):
        conv = _convolution(layer, choice, keep_weights)
        for name in layer.names:
            _put(network, name, conv)
    return SearchResult(network.train(module.training), found, losses)


def _replace(
    network: nn.Module,
    kernel_sizes: Sequence[int] | None,
    dilations: Sequence[int] | None,
    temperature: float,
    where: Callable[[str, nn.Module], bool] | None,
) -> dict[str, _AggConv]:
    """Replaces the convolutions of a network; returns what took their places, by name."""
    found: dict[str, _AggConv] = {}
    seen: dict[nn.Module, _AggConv] = {}
    for name, layer in list(network.named_modules(remove_duplicate=False)):
        if layer in seen:
            # A layer in several places stays one.
            seen[layer].names.append(name)
            _put(network, name, seen[layer])
            continue
        if not isinstance(layer, (nn.Conv1d, nn.Conv2d)) or not _keeps_size(layer):
            continue
        if not (layer.kernel_size[0] > 1 if where is None else where(name, layer)):
            continue
        kind = AggConv1d if isinstance(layer, nn.Conv1d) else AggConv2d
        mixed = kind(
            layer.in_channels,
            layer.out_channels,
            kernel_sizes,
            layer.stride[0],
            dilations,
            layer.groups,
            layer.bias is not None,
        )
        mixed.temperature, mixed.sampled = temperature, True
        found[name], seen[layer] = mixed, mixed
        mixed.names.append(name)
        _put(network, name, mixed)
    return found


def _keeps_size(layer: nn.Conv1d | nn.Conv2d) -> bool:
    """Whether a convolution has odd kernels of equal sides, and zero padding that keeps the size of the output."""
    equal = len(set(layer.kernel_size)) == len(set(layer.stride)) == len(set(layer.dilation)) == 1
    if not equal or layer.kernel_size[0] % 2 == 0 or layer.padding_mode != "zeros":
        return False
    kept = layer.dilation[0] * (layer.kernel_size[0] - 1) // 2
    return layer.padding == "same" or all(side == kept for side in layer.padding)


def _choice(name: str, layer: _AggConv) -> Found:
    shares = layer.shares().detach()
    best = int(shares.argmax())
    k, d = layer.pairs()[best]
    return Found(name, k, d, float(shares[best]), 1 / len(shares))


def _convolution(layer: _AggConv, choice: Found, keep_weights: bool) -> nn.Module:
    """The convolution of a kernel of the layer."""
    kind = nn.Conv1d if layer.dims == 1 else nn.Conv2d
    k, d = choice.kernel_size, choice.dilation
    conv = kind(
        layer.in_channels,
        layer.out_channels,
        k,
        stride=layer.stride,
        padding=d * (k - 1) // 2,
        dilation=d,
        groups=layer.groups,
        bias=layer.bias is not None,
    )
    if keep_weights:
        with torch.no_grad():
            conv.weight.copy_(layer.kernel(k, d))
            if conv.bias is not None and layer.bias is not None:
                conv.bias.copy_(layer.bias)
    return conv


def _put(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Puts a layer in the place of that of a name."""
    parent, _, last = name.rpartition(".")
    if not name:
        raise ValueError("the network is a single convolution: put it into an nn.Sequential")
    setattr(network.get_submodule(parent), last, layer)
