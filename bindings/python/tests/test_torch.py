"""The operator and the search in PyTorch, against its own convolutions."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from conftest import TINY, waves  # noqa: E402
from dashnas import DashClassifier, DashRegressor  # noqa: E402
from dashnas import torch as dt  # noqa: E402

#: Relative to the largest value: sums of float32.
TOLERANCE = 1e-5


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    wanted = wanted.detach()
    scale = max(float(wanted.abs().max()), 1e-3)
    assert found.shape == wanted.shape
    assert float((found.detach().double() - wanted).abs().max()) <= TOLERANCE * scale


def cases() -> list[tuple[int, ...]]:
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(12):
        dims, groups = int(rng.integers(1, 3)), int(rng.choice([1, 1, 2, 4]))
        drawn.append((dims, groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3)), groups,
                      int(rng.integers(1, 4)), int(rng.integers(0, 2)), int(rng.integers(1, 20))))
    return drawn


@pytest.mark.parametrize(("dims", "c_in", "c_out", "groups", "stride", "bias", "size"), cases())
def test_outputs_and_gradients_are_those_of_convolutions(
    dims: int, c_in: int, c_out: int, groups: int, stride: int, bias: int, size: int
) -> None:
    torch.manual_seed(size)
    kind = dt.AggConv1d if dims == 1 else dt.AggConv2d
    layer = kind(c_in, c_out, [3, 5], stride, [1, 2], groups, bool(bias))
    layer.alpha.data.normal_()
    x = torch.randn(2, c_in, *[size, size + 3][:dims], requires_grad=True)
    y = layer(x)
    dy = torch.randn_like(y)
    y.backward(dy)

    # The same in float64, as a sum of PyTorch's own convolutions.
    mirror, x64 = copy.deepcopy(layer).double(), x.detach().double().requires_grad_()
    conv = torch.nn.functional.conv1d if dims == 1 else torch.nn.functional.conv2d
    wanted = sum(
        share * conv(x64, mirror.kernel(k, d), None, stride, d * (k - 1) // 2, d, groups)
        for share, (k, d) in zip(mirror.shares(), mirror.pairs())
    )
    if bias:
        wanted = wanted + mirror.bias.reshape(-1, *[1] * dims)
    mirror.zero_grad()
    wanted.backward(dy.double())
    close(y, wanted)
    close(x.grad, x64.grad)
    for name, own in layer.named_parameters():
        close(own.grad, dict(mirror.named_parameters())[name].grad)


def test_one_kernel_is_a_convolution_of_torch() -> None:
    for dims, conv in [(1, nn.Conv1d(3, 4, 5, stride=2, padding=4, dilation=2)), (2, nn.Conv2d(3, 4, 3, padding=1))]:
        kind = dt.AggConv1d if dims == 1 else dt.AggConv2d
        layer = kind(3, 4, conv.kernel_size[0], conv.stride[0], conv.dilation[0])
        layer.weight.data.copy_(conv.weight.detach().flatten(2))
        layer.bias.data.copy_(conv.bias.detach())
        x = torch.randn(2, 3, *[11, 9][:dims])
        close(layer(x), conv(x).detach().double())


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="sizes are odd"):
        dt.AggConv1d(2, 2, 4)
    with pytest.raises(ValueError, match="groups"):
        dt.AggConv1d(2, 3, 3, groups=2)
    with pytest.raises(TypeError, match="float32 tensors on the CPU"):
        dt.AggConv1d(2, 2, 3)(torch.zeros(1, 2, 5, dtype=torch.float64))


@pytest.mark.skipif(not hasattr(torch.library, "custom_op"), reason="this PyTorch cannot register operations")
def test_the_operation_is_registered_as_pytorch_wants_it() -> None:
    layer = dt.AggConv1d(2, 3, [3, 5], 2, [1, 2])
    x = torch.randn(2, 2, 9, requires_grad=True)
    arguments = (x, layer.weight, layer.alpha, layer.bias, layer.kernel_sizes, layer.dilations, 2, 1, "auto")
    torch.library.opcheck(torch.ops.dashnas.agg_conv.default, arguments)
    network = nn.Sequential(layer, nn.ReLU())
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), network(x))
    compiled(x).sum().backward()
    assert layer.weight.grad is not None


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(1, 6, 3, padding=1), nn.BatchNorm1d(6), nn.ReLU())
        self.twice = nn.Conv1d(6, 6, 3, padding="same")
        self.again = self.twice
        self.valid = nn.Conv1d(6, 6, 3)
        self.point = nn.Conv1d(6, 6, 1)
        self.head = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.point(self.valid(self.again(torch.relu(self.twice(self.body(x))))))
        return self.head(x.mean(-1))


def test_a_network_is_searched_and_gets_convolutions() -> None:
    torch.manual_seed(0)
    x, y = waves(64)
    batches = list(zip(torch.from_numpy(x).split(16), torch.from_numpy(y).split(16)))
    module, seen = Net(), []
    before = copy.deepcopy(module.state_dict())
    result = dt.search(module, batches, epochs=3, kernel_sizes=[3, 7], dilations=[1, 2], lr=0.05, alpha_lr=0.3,
                       progress=lambda *now: seen.append(now))
    assert all((now == old).all() for now, old in zip(module.state_dict().values(), before.values()))
    assert [f.layer for f in result.found] == ["body.0", "twice"] and len(seen) == len(result.losses) == 3
    assert result.losses[-1] < result.losses[0]
    net = result.network
    assert net.again is net.twice and not any(isinstance(m, dt._AggConv) for m in net.modules())
    for found in result.found:
        conv = net.get_submodule(found.layer)
        assert isinstance(conv, nn.Conv1d) and (conv.kernel_size, conv.dilation) == ((found.kernel_size,), (found.dilation,))
        assert found.chance == 0.25 <= found.share <= 1
    assert (net.head.weight == module.head.weight).all() and net(torch.from_numpy(x)).shape == (64, 2)
    kept = dt.search(module, batches, epochs=1, kernel_sizes=[3], dilations=[1], keep_weights=True).network
    assert not (kept.head.weight == module.head.weight).all()
    with pytest.raises(ValueError, match="no convolution to search"):
        dt.search(nn.Linear(2, 2), batches)
    with pytest.raises(ValueError, match="gives no batch"):
        dt.search(module, iter(()), epochs=1)


def test_a_trained_model_is_a_module() -> None:
    x, y = waves(24, channels=2)
    config = {"preset": "quick", "config": TINY}
    model = DashClassifier(**config).fit(x, y)
    network = model.to_torch()
    with torch.no_grad():
        np.testing.assert_allclose(network(torch.from_numpy(x)).numpy(), model.predict_proba(x), atol=1e-5)
    numbers = DashRegressor(**config).fit(x, x.mean(axis=(1, 2)))
    with torch.no_grad():
        found = numbers.to_torch()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found.reshape(-1), numbers.predict(x), atol=1e-5)
    assert any(p.requires_grad for p in network.parameters()) and not network.training
