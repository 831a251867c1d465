"""Writes torch_state.bin with PyTorch: a state dict of the kinds of tensors that adapters hold.

    python3 make_torch_state.py    (made with PyTorch 1.13)
"""

import collections

import torch

values = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = collections.OrderedDict(
    [
        ("weight", values.clone()),
        ("transposed", values.clone().t()),  # saved as it lies in memory, with strides (1, 4)
        ("row", values[1]),  # a view: shares the storage of "all"
        ("all", values),
        ("half", torch.tensor([0.5, -2.0]).half()),
        ("bf16", torch.tensor([1.0, 3.0]).bfloat16()),
        ("ids", torch.tensor([[1], [-(2**40)]])),
        ("flag", torch.tensor([True, False])),
        ("scalar", torch.tensor(7, dtype=torch.uint8)),
        ("empty", torch.zeros(0, 3)),
        ("parameter", torch.nn.Parameter(torch.tensor([0.25]))),
    ]
)
state._metadata = collections.OrderedDict([("", {"version": 1})])  # as Module.state_dict() has it
torch.save(state, "torch_state.bin")
