#!/usr/bin/python3
"""Writes the folders of bases that read images; see ../README.md."""
import pathlib

import numpy
import torch

from tensor_file import write_json, write_safetensors
from vision import NETWORKS, Shapes, Values

FOLDER = pathlib.Path(__file__).resolve().parent
CLASSES, IMAGES = 3, 3

MOBILE = {
    "model_type": "mobilenet_v2", "depth_multiplier": 0.125, "depth_divisible_by": 4, "min_depth": 4, "expand_ratio": 2.0,
    "finegrained_output": False, "output_stride": 32, "tf_padding": True, "hidden_act": "relu6", "layer_norm_eps": 0.001,
}
RESNET = {
    "model_type": "resnet", "embedding_size": 8, "hidden_sizes": [16, 24], "depths": [1, 2], "layer_type": "bottleneck",
    "hidden_act": "relu", "downsample_in_first_stage": False,
}
VIT = {
    "model_type": "vit", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "image_size": 12, "patch_size": 4, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": True,
}
CONVNEXT = {
    "model_type": "convnext", "num_stages": 3, "hidden_sizes": [8, 12, 16], "depths": [1, 2, 1], "patch_size": 4,
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "layer_scale_init_value": 1e-6,
}
DINOV2 = {
    "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2,
    "image_size": 12, "patch_size": 4, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": True, "use_swiglu_ffn": False,
}
# Folder: configuration, height and width, the name of the head.
CASES = {
    "mobilenet-v2-image": (MOBILE, (33, 36), "classifier"),
    "mobilenet-v2-dilated-image": ({**MOBILE, "output_stride": 8, "tf_padding": False}, (32, 29), "classifier"),
    "resnet-bottleneck-image": (RESNET, (37, 32), "classifier.1"),
    "resnet-basic-image": ({**RESNET, "layer_type": "basic", "downsample_in_first_stage": True}, (40, 41), "classifier.1"),
    "vit-image": (VIT, (12, 12), "classifier"),
    "deit-image": ({**VIT, "model_type": "deit"}, (12, 12), "classifier"),
    "convnext-image": (CONVNEXT, (37, 32), "classifier"),
    "convnext-unscaled-image": (
        {**CONVNEXT, "num_stages": 2, "hidden_sizes": [8, 12], "depths": [1, 1], "patch_size": 2, "layer_scale_init_value": 0.0},
        (13, 16), "classifier",
    ),
    "dinov2-image": (DINOV2, (12, 12), "classifier"),
    "dinov2-resized-image": ({**DINOV2, "image_size": 20}, (12, 19), "classifier"),
}


def drawn(name, shape, source):
    if name.endswith("running_var"):
        return 0.5 + source.rand(*shape)
    if name.endswith((".bias", "running_mean", "_token", "position_embeddings")):
        return 0.1 * source.randn(*shape)
    if len(shape) == 1:
        return 1 + 0.1 * source.randn(*shape)
    return source.randn(*shape) * (2.0 / numpy.prod(shape[1:])) ** 0.5


def make(folder, config, size, head, seed):
    source = numpy.random.RandomState(seed)
    network = NETWORKS[config["model_type"]]
    pixels = numpy.float32(source.randn(IMAGES, *size, 3))
    x = torch.tensor(pixels, dtype=torch.float64).permute(0, 3, 1, 2)
    shapes = Shapes()
    _, read = network(shapes, config, x)
    shapes[head + ".weight"], shapes[head + ".bias"] = (CLASSES, read.shape[1]), (CLASSES,)
    stored = {name: numpy.float32(drawn(name, shape, source)) for name, shape in shapes.items()}
    leaves = Values({name: torch.tensor(value, dtype=torch.float64) for name, value in stored.items()})
    trained = {name: leaf for name, leaf in leaves.items() if "running_" not in name}
    for leaf in trained.values():
        leaf.requires_grad_(True)
    hidden, read = network(leaves, config, x)
    logits = read @ leaves[head + ".weight"].T + leaves[head + ".bias"]
    logits.retain_grad()
    labels = torch.arange(IMAGES) % CLASSES
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    path = FOLDER / folder
    path.mkdir(exist_ok=True)
    write_json(path / "config.json", config)
    write_safetensors(path / "model.safetensors", stored)
    expected = {
        "pixels": pixels, "labels": labels.numpy(), "hidden": hidden.detach().numpy(), "logits": logits.detach().numpy(),
        "grad_logits": logits.grad.numpy(), "loss": loss.detach().numpy().reshape(1),
    }
    expected.update({"grad." + name: leaf.grad.numpy() for name, leaf in trained.items() if leaf.grad is not None})
    write_safetensors(path / "expected.safetensors", expected)


def main():
    for seed, (folder, (config, size, head)) in enumerate(CASES.items(), 1):
        make(folder, config, size, head, seed)


if __name__ == "__main__":
    main()
