#!/usr/bin/python3
"""The best of 20 products of 1024x768 with 768x3072 in PyTorch, in f32 and bf16: the contender `pytorch`."""
import json
import os
import time

# Both are read when the libraries load.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
os.environ.setdefault("OMP_PROC_BIND", "true")

import torch

M, K, N, REPEATS = 1024, 768, 3072, 20


def best_gflops(dtype):
    x, w = torch.randn(M, K).to(dtype), torch.randn(N, K).to(dtype)
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        torch.nn.functional.linear(x, w)
        times.append(time.perf_counter() - begin)
    return 2 * M * K * N / min(times) / 1e9


def main():
    torch.set_num_threads(2)
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        print(json.dumps({"contender": "pytorch", "dtype": name, "gflops": best_gflops(dtype)}))


if __name__ == "__main__":
    main()
