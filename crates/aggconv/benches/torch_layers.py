"""The layers of `kernels.rs` in PyTorch: forward + backward, milliseconds of processor time on one core.

Convolutions go to oneDNN. AggConv layers (a list of kernel sizes) are computed the fast way that
PyTorch offers: reachable taps only, FFT lengths of factors 2, 3 and 5, a batched complex product.

Needs: torch, numpy.
"""
import time

import torch
import torch.nn.functional as F

K2, K1, MAX_DILATION = [3, 5, 7, 9], [3, 7, 11, 15, 19], 15


def smooth(n):
    """Smallest m >= n whose prime factors are 2, 3 and 5."""
    while True:
        m = n
        for p in (2, 3, 5):
            while m % p == 0:
                m //= p
        if m == 1:
            return n
        n += 1


def fourier(x, w, radius, groups, stride, dims):
    n = x.shape[2:]
    keep = [min(radius, m - 1) for m in n]
    for i, r in enumerate(keep):
        w = w.narrow(2 + i, radius - r, 2 * r + 1)
    size, dim = [smooth(m + r) for m, r in zip(n, keep)], tuple(range(-dims, 0))
    X, W = torch.fft.rfftn(x, s=size, dim=dim), torch.fft.rfftn(w, s=size, dim=dim).conj()
    if groups > 1:
        Y = X * W.transpose(0, 1)
    else:
        b, ci = X.shape[:2]
        bins = X[0, 0].numel()
        Y = torch.bmm(X.reshape(b, ci, bins).permute(2, 0, 1), W.reshape(W.shape[0], ci, bins).permute(2, 1, 0))
        Y = Y.permute(1, 2, 0).reshape(b, W.shape[0], *X.shape[2:])
    y = torch.roll(torch.fft.irfftn(Y, s=size, dim=dim), keep, dims=dim)
    for i, m in enumerate(n):
        y = y.narrow(2 + i, 0, m)
    return y[(Ellipsis,) + (slice(None, None, stride),) * dims] if stride > 1 else y


def measure(name, batch, channels, n, stride, k, d=None):
    (ci, co, groups), dims = channels, len(n)
    x = torch.randn(batch, ci, *n, requires_grad=True)
    if d is None:
        radius = (max(k) - 1) * MAX_DILATION // 2
        w = torch.randn(co, ci // groups, *[2 * radius + 1] * dims, requires_grad=True)
        run = lambda: fourier(x, w, radius, groups, stride, dims)
    else:
        w = torch.randn(co, ci // groups, *[k] * dims, requires_grad=True)
        conv = F.conv1d if dims == 1 else F.conv2d
        run = lambda: conv(x, w, stride=stride, padding=k // 2 * d, dilation=d, groups=groups)
    best = float("inf")
    for _ in range(3):
        x.grad = w.grad = None
        start = time.process_time()
        y = run()
        y.backward(torch.ones_like(y))
        best = min(best, time.process_time() - start)
    print(f"{name:24} {best * 1e3:9.2f}", flush=True)


torch.set_num_threads(1)
measure("cifar stem 3-16", 64, (3, 16, 1), (32, 32), 1, K2)
measure("cifar 16-16", 64, (16, 16, 1), (32, 32), 1, K2)
measure("cifar 32-32 s2", 64, (32, 32, 1), (32, 32), 2, K2)
measure("cifar 64-64 8x8", 64, (64, 64, 1), (8, 8), 1, K2)
measure("cifar 16 depthwise", 64, (16, 16, 16), (32, 32), 1, K2)
measure("darcy 16-16 85x85", 10, (16, 16, 1), (85, 85), 1, K2)
measure("darcy29 64-64", 10, (64, 64, 1), (29, 29), 1, K2)
measure("ninapro 16-16", 128, (16, 16, 1), (16, 52), 1, K2)
measure("satellite 128-128", 256, (128, 128, 1), (46,), 1, K1)
measure("ecg 8-8", 128, (8, 8, 1), (1000,), 1, K1)
measure("conv 64 k3 32x32", 64, (64, 64, 1), (32, 32), 1, 3, 1)
measure("conv 256 k3 8x8", 64, (256, 256, 1), (8, 8), 1, 3, 1)
measure("conv 128 k9 d7 16x16", 64, (128, 128, 1), (16, 16), 1, 9, 7)
measure("conv 64 k7 d15 32x32", 64, (64, 64, 1), (32, 32), 1, 7, 15)
measure("conv 128 k3 s2", 64, (128, 128, 1), (32, 32), 2, 3, 1)
measure("conv 16-64 k1", 64, (16, 64, 1), (32, 32), 1, 1, 1)
measure("conv 64-128 k1 s2", 64, (64, 128, 1), (32, 32), 2, 1, 1)
measure("conv1d 128 k7", 256, (128, 128, 1), (46,), 1, 7, 1)
measure("conv1d 8 k5", 128, (8, 8, 1), (1000,), 1, 5, 1)
