"""What the contenders in PyTorch share: the low-rank layer, the timing of steps, the check of the BLAS.

Import it before torch: the variables below are read when libraries load.
"""
import os
import time

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
os.environ.setdefault("OMP_PROC_BIND", "true")

import torch
from torch import nn

RANK, ALPHA = 8, 16
WARM_UP_SECONDS = 1.0


class LoraLinear(nn.Module):
    """y = Wx + b + (alpha / r) B A x, with W and b frozen."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.a = nn.Linear(base.in_features, RANK, bias=False)
        self.b = nn.Linear(RANK, base.out_features, bias=False)

    def forward(self, x):
        return self.base(x) + self.b(self.a(x)) * (ALPHA / RANK)


def adapt(layers, names):
    """Sets a low-rank layer in the place of these linear layers of every layer."""
    for layer in layers:
        for name in names:
            setattr(layer, name, LoraLinear(getattr(layer, name)))


def measure(step, batches, seconds):
    """Seconds of every pass over the batches, after a warm-up that is not counted; at least three passes."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < WARM_UP_SECONDS:
        for batch in batches:
            step(batch)
    passes, begin = [], time.perf_counter()
    while len(passes) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for batch in batches:
            step(batch)
        passes.append(time.perf_counter() - start)
    return passes


def require_optimized_blas():
    """Against the reference BLAS, thirty times slower in float32, every comparison would flatter us."""
    torch.ones(2, 2) @ torch.ones(2, 2)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        text = maps.read()
    if not any(name in text for name in ("openblas", "libmkl", "libblis")):
        raise SystemExit("PyTorch uses the reference BLAS here; install libopenblas0-openmp")
