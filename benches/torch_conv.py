"""Times AggConv1d and AggConv2d of `dashnas.torch` beside the convolutions of PyTorch, forward and backward, on one thread
or as many as are asked for.

    python benches/torch_conv.py [THREADS]

It needs the Python package and PyTorch. The rows "one kernel" compare one wide, dilated convolution; "all kernels" compare
the weighted sum over the whole space with the same sum of PyTorch's convolutions.
"""

import sys
import time

import torch
from torch import nn

import dashnas
from dashnas.torch import AggConv1d, AggConv2d

#: Dimensions, batch, channels in and out, size, and the kernels.
CASES = [
    (1, 32, 64, 64, 1024, [19], [15]),
    (1, 32, 64, 64, 1024, [101], [1]),
    (2, 16, 32, 32, 64, [9], [15]),
    (1, 32, 64, 64, 1024, [3, 7, 11, 15, 19], [1, 3, 7, 15]),
    (2, 8, 32, 32, 32, [3, 5, 7, 9], [1, 3, 7, 15]),
]


def seconds(step, clock) -> float:
    step()
    taken = []
    for _ in range(7):
        begun = clock()
        step()
        taken.append(clock() - begun)
    return min(taken)


def training_step(layer, x):
    def step() -> None:
        layer(x).sum().backward()

    return step


class Sum(nn.Module):
    """The weighted sum of one convolution of PyTorch for each kernel."""

    def __init__(self, dims, c_in, c_out, sizes, dilations) -> None:
        super().__init__()
        kind = nn.Conv1d if dims == 1 else nn.Conv2d
        pairs = [(k, d) for k in sizes for d in dilations]
        self.layers = nn.ModuleList(kind(c_in, c_out, k, padding=d * (k - 1) // 2, dilation=d) for k, d in pairs)
        self.alpha = nn.Parameter(torch.zeros(len(pairs)))

    def forward(self, x):
        shares = torch.softmax(self.alpha, 0)
        return sum(share * layer(x) for share, layer in zip(shares, self.layers))


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    torch.set_num_threads(threads)
    dashnas.set_threads(threads)
    # The time of the processor, on one thread: what else runs on the machine does not count.
    clock = time.process_time if threads == 1 else time.perf_counter
    print(f"forward and backward in ms on {threads} thread(s), torch {torch.__version__}\n")
    print("| input | kernels | nn.Conv | AggConv | times faster |\n|---|---|---|---|---|")
    for dims, n, c_in, c_out, size, sizes, dilations in CASES:
        x = torch.randn(n, c_in, *[size] * dims, requires_grad=True)
        ours = (AggConv1d if dims == 1 else AggConv2d)(c_in, c_out, sizes, dilation=dilations)
        theirs = Sum(dims, c_in, c_out, sizes, dilations)
        if len(theirs.layers) == 1:
            theirs = theirs.layers[0]
        one, other = seconds(training_step(theirs, x), clock), seconds(training_step(ours, x), clock)
        shape, space = "×".join(map(str, x.shape)), f"k {sizes}, d {dilations}"
        print(f"| {shape} | {space} | {1e3 * one:.1f} | {1e3 * other:.1f} | {one / other:.1f} |", flush=True)


if __name__ == "__main__":
    main()
