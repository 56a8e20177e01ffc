"""{{task}}, as a PyTorch module.

Written by dashnas; the weights are in the safetensors file beside this one.

    model = load()
    y = model({{arguments}})  # x: {{input}}, {{units}}{{lengths}}
"""

import json
import pathlib
import struct

import torch
import torch.nn.functional as F
from torch import nn

DATA = {{data}}
CLASSES = {{classes}}
WEIGHTS = {{weights}}
{{centers}}


{{masks}}
{{standardize}}
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        {{buffers}}
        {{modules}}

    def outputs(self, {{arguments}}):
        """The outputs of the network itself, before any softmax, sigmoid or change of units."""
        {{transforms}}
        {{normalize}}
        {{steps}}
        return x

    def forward(self, {{arguments}}):
        y = self.outputs({{arguments}})
        return {{finish}}


def load(path=None, device="cpu"):
    """The trained network, ready to predict."""
    path = pathlib.Path(__file__).with_name(WEIGHTS) if path is None else pathlib.Path(path)
    network = Network()
    # Batch normalization also counts its batches, which nothing here depends on.
    missing, unexpected = network.load_state_dict(read_safetensors(path), strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    return network.to(device).eval()


def read_safetensors(path):
    """The float32 tensors of a safetensors file, by name."""
    data = bytearray(pathlib.Path(path).read_bytes())
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    state = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            start, end = (8 + size + n for n in tensor["data_offsets"])
            values = torch.frombuffer(data[start:end], dtype=torch.float32)
            state[name] = values.reshape(tensor["shape"]).clone()
    return state
