#!/usr/bin/python3
"""Writes expected.safetensors of the methods in methods.py over bert-single-label; see ../README.md."""
import numpy
import torch

from encoders import FAMILIES
from make_goldens import (
    FOLDER,
    as_leaves,
    expected_values,
    random_batch,
    random_labels,
    random_parameters,
    random_source,
    read_model,
)
from methods import METHODS, fixed
from tensor_file import write_safetensors


def start_values(shapes, source):
    """Random, with factors near one; a projection's base is orthogonal, its diagonal -1 as PyTorch has it."""
    values = random_parameters(shapes, source)
    for name, value in values.items():
        if name.endswith("ia3_l"):
            values[name] = value + numpy.float32(1)
        if name.endswith(".base"):
            values[name] = numpy.linalg.qr(value.astype(numpy.float64))[0].astype(numpy.float32)
        if name.endswith(".original"):
            numpy.fill_diagonal(value, -1)
    return values


def make_method(name, encoder_class, shapes):
    family, source = FAMILIES["bert"], random_source("bert-" + name)
    values = start_values(shapes, source)
    adapter = as_leaves(values, trainable=True)
    frozen = as_leaves(read_model("bert-single-label"), trainable=False)
    encoder = encoder_class(family, frozen, adapter)
    batch = random_batch(family, source)
    labels = random_labels("single-label", batch[0], source)
    trained = {key: leaf for key, leaf in adapter.items() if not fixed(key)}
    expected = expected_values(encoder, "single-label", batch, labels, trained)
    for key in [key for key in expected if key.startswith("hidden.")]:
        del expected[key]
    for key, value in values.items():
        expected["value." + key] = value
    if hasattr(encoder, "merged"):
        for key, value in encoder.merged().items():
            expected["merged." + key] = value.detach().numpy()
    folder = FOLDER / ("bert-" + name)
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", expected)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for method, (encoder, tensor_shapes) in METHODS.items():
        make_method(method, encoder, tensor_shapes)
