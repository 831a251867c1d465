#!/usr/bin/python3
"""Writes folders as AdapterHub keeps adapters, over bert-single-label, with expected values; see ../README.md."""
import json

import numpy
import torch

from adapters import adapterhub_file, head_config
from adapters_adapterhub import (
    CASES,
    FUSED,
    AdapterHubEncoder,
    bottleneck_config,
    bottleneck_shapes,
    fusion_config,
    fusion_shapes,
    head_shapes,
    under,
)
from encoders import FAMILIES, LAYERS
from make_goldens import (
    CLASSES,
    FOLDER,
    as_leaves,
    random_parameters,
    random_source,
    read_model,
    write_adapter_expected,
)
from tensor_file import write_json, write_safetensors

LABELS = CLASSES["single-label"]
BELOW_LAYERS = "bert.encoder.layer.{}.attention.self.prefix_tuning.pool.prefix_tunings."


def write_head(folder, values):
    write_json(folder / "head_config.json", adapterhub_file("tiny", head_config(LABELS)))
    write_safetensors(folder / "model_head.safetensors", values)


def write_torch(path, values):
    """As torch.save keeps a state dict, where the pool of prefixes shows below every layer as well."""
    tensors = {name: torch.tensor(value) for name, value in values.items()}
    for name, tensor in list(tensors.items()):
        if ".prefix_tunings." in name:
            for index in range(LAYERS):
                tensors[BELOW_LAYERS.format(index) + name.split(".prefix_tunings.")[1]] = tensor
    torch.save(tensors, path)


def expected_of(name, encoder, source, leaves):
    return write_adapter_expected(name, encoder, FAMILIES["bert"], source, leaves)


def make_case(name):
    configs, shapes = CASES[name]
    source = random_source(name)
    values, head = random_parameters(shapes, source), random_parameters(head_shapes(LABELS), source)
    if name == "bert-hub-ia3":
        values = {key: value + numpy.float32(1) for key, value in values.items()}
    leaves = as_leaves({**values, **head}, trainable=True)
    frozen = as_leaves(read_model("bert-single-label"), trainable=False)
    folder = expected_of(name, AdapterHubEncoder(frozen, "tiny", configs, leaves), source, leaves)
    config = configs[0] if len(configs) == 1 else {"architecture": "union", "configs": configs}
    write_json(folder / "adapter_config.json", adapterhub_file("tiny", config))
    if name == "bert-hub-prefix":
        write_torch(folder / "pytorch_adapter.bin", values)
    else:
        write_safetensors(folder / "adapter.safetensors", values)
    write_head(folder, head)


def make_fusion():
    name, fused = "bert-hub-fusion", ",".join(FUSED)
    source, config = random_source(name), bottleneck_config()
    parts = {child: random_parameters(bottleneck_shapes(child), source) for child in FUSED}
    places = [f"bert.encoder.layer.{i}.output.adapter_fusion_layer.{fused}." for i in range(LAYERS)]
    fusion = random_parameters(under(places, fusion_shapes()), source)
    head = random_parameters(head_shapes(LABELS), source)
    trained = as_leaves({**fusion, **head}, trainable=True)
    fixed = as_leaves({key: value for values in parts.values() for key, value in values.items()}, trainable=False)
    frozen = as_leaves(read_model("bert-single-label"), trainable=False)
    encoder = AdapterHubEncoder(frozen, None, [config], {**trained, **fixed}, FUSED)
    folder = expected_of(name, encoder, source, trained)
    for child, values in parts.items():
        (folder / child).mkdir(exist_ok=True)
        write_json(folder / child / "adapter_config.json", adapterhub_file(child, config))
        write_safetensors(folder / child / "adapter.safetensors", values)
    (folder / fused).mkdir(exist_ok=True)
    write_json(folder / fused / "adapter_fusion_config.json", adapterhub_file(fused, fusion_config()))
    write_safetensors(folder / fused / "model_adapter_fusion.safetensors", fusion)
    setup = {"type": "Fuse", "children": [{"type": "single", "children": [child]} for child in FUSED]}
    whole = {"adapter_setup": setup, "head_setup": None, "version": "adapters.1.2.0"}
    (folder / "adapter_setup.json").write_text(json.dumps(whole, indent=2) + "\n")
    write_head(folder, head)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in CASES:
        make_case(case)
    make_fusion()
