"""Outputs of the networks of public libraries, which `twins.rs` compares with those of the backbones.

    pip install torch timm
    python3 make.py

The weights and inputs are not stored: both sides compute them by `numbers` from the names and the positions of the
weights in a model of dashnas.
"""

import json
import pathlib

import numpy as np
import timm
import torch

CLASSES = 7


def numbers(name, count):
    """Numbers from -1 to 1: the FNV-1a hash of the name plus multiples of a constant, mixed."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 % 2**32
    h = (seed + np.arange(count, dtype=np.uint64) * 0x9E3779B1) % 2**32
    for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35)]:
        h = (h ^ (h >> np.uint64(shift))) * factor % 2**32
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2**31 - 1


def values(name, shape):
    """The values of a parameter of a model of dashnas."""
    u = numbers(name, int(np.prod(shape)))
    part = name.rsplit(".", 1)[-1]
    if part in ("gamma", "running_var"):
        u = 1 + 0.5 * u
    elif part == "factor":
        u = 0.5 + 0.25 * u
    elif part == "head_weight":
        u = u * (3 / shape[0]) ** 0.5
    elif part == "weight":
        u = u * (3 / np.prod(shape[1:])) ** 0.5
    else:
        u = 0.2 * u
    return u.reshape(shape).astype(np.float32)


class Counter:
    """The names of the parameters of dashnas: a number for each parameter of a kind."""

    def __init__(self):
        self.counts = {}

    def next(self, kind):
        self.counts[kind] = self.counts.get(kind, -1) + 1
        return f"{kind}.{self.counts[kind]}"


def put(parameter, name, transposed=False):
    shape = parameter.shape[::-1] if transposed else parameter.shape
    array = values(name, tuple(shape))
    parameter.data = torch.from_numpy(array.T.copy() if transposed else array)


def put_layer(layer, name, norm=False):
    weight, bias = ("gamma", "beta") if norm else ("weight", "bias")
    put(layer.weight, f"{name}.{weight}")
    put(layer.bias, f"{name}.{bias}")


def convnext(name):
    net = timm.create_model(name, num_classes=CLASSES)
    counter = Counter()
    put_layer(net.stem[0], counter.next("unsearched"))
    put_layer(net.stem[1], counter.next("layer_norms"), norm=True)
    for stage in net.stages:
        if len(list(stage.downsample.children())) > 0:
            put_layer(stage.downsample[0], counter.next("layer_norms"), norm=True)
            put_layer(stage.downsample[1], counter.next("unsearched"))
        for block in stage.blocks:
            put_layer(block.conv_dw, counter.next("convs"))
            put_layer(block.norm, counter.next("layer_norms"), norm=True)
            put_layer(block.mlp.fc1, counter.next("pointwise"))
            put_layer(block.mlp.fc2, counter.next("pointwise"))
            put(block.gamma, counter.next("layer_scales") + ".factor")
    put_layer(net.head.norm, counter.next("layer_norms"), norm=True)
    put(net.head.fc.weight, "head_weight", transposed=True)
    put(net.head.fc.bias, "head_bias")
    return net


def twin(net, shape):
    x = torch.from_numpy(numbers("input", int(np.prod(shape))).astype(np.float32).reshape(shape))
    net.eval()
    with torch.no_grad():
        outputs = net(x)
    return {
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "input": list(shape),
        "outputs": [[float(f"{value:.8g}") for value in row] for row in outputs.double().tolist()],
    }


if __name__ == "__main__":
    twins = {
        "convnext-atto": twin(convnext("convnext_atto"), (2, 3, 160, 128)),
        "convnext-t": twin(convnext("convnext_tiny"), (1, 3, 128, 160)),
    }
    path = pathlib.Path(__file__).with_name("twins.json")
    path.write_text(json.dumps(twins, indent=2) + "\n")
