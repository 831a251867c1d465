#!/usr/bin/python3
"""Writes the model folders and expected values beside this file; see ../README.md.

Weights are random float32; everything computed from them is computed in float64 by PyTorch and rounded once.
"""
import pathlib
import zlib

import numpy
import torch

from adapters import (
    PRESETS,
    BottleneckEncoder,
    LoraEncoder,
    adapterhub_file,
    head_config,
    lora_config,
    lora_plan,
)
from adapters_low_rank import AdaLoraEncoder, VeraEncoder, adalora_config, adalora_shapes, vera_config, vera_shapes
import adapters_prompt
from adapters_tokens import TokensEncoder, tokens_config, tokens_shapes
from adapters_weight import PREFIX, WEIGHT_METHODS, WeightEncoder, weight_config
from configs import model_config
from encoders import FAMILIES, HIDDEN, VOCABULARY, Encoder, backbone_shapes, head_shapes
from tensor_file import read_safetensors, write_json, write_safetensors

FOLDER = pathlib.Path(__file__).resolve().parent
LENGTHS = (7, 3, 12, 5)  # rows 0 and 1, 2 and 3 are pairs for the sentence embedding's loss
CLASSES = {"single-label": 3, "multi-label": 4, "regression": 1, "token-classification": 5}
IGNORED = -100
MASK_TOKEN = 4
FIRST_ORDINARY_TOKEN = 5


def random_source(name):
    return numpy.random.RandomState(zlib.crc32(name.encode()))


def random_parameters(shapes, source):
    """N(0, 0.15); norm weights, magnitudes and learned scalings N(1, 0.15); rounded to float32."""
    values = {}
    for name, shape in shapes.items():
        value = source.normal(0.0, 0.15, shape)
        if name.endswith(("scaling", "magnitude_vector")) or (len(shape) == 1 and name.endswith("weight")):
            value += 1.0
        values[name] = value.astype(numpy.float32)
    return values


def random_batch(family, source):
    ids, types = [], []
    for length in LENGTHS:
        row = source.randint(FIRST_ORDINARY_TOKEN, VOCABULARY, length)
        row[0] = family.first_token
        ids.append(row)
        second = (numpy.arange(length) > length // 2) & (family.segments > 1)
        types.append(second.astype(numpy.int64))
    return ids, types


def random_labels(head, ids, source):
    rows, tokens = len(LENGTHS), sum(LENGTHS)
    if head == "single-label":
        return source.randint(0, CLASSES[head], rows)
    if head == "multi-label":
        return source.randint(0, 2, (rows, CLASSES[head])).astype(numpy.float64)
    if head == "regression":
        return source.normal(0.0, 1.0, rows).astype(numpy.float32).astype(numpy.float64)
    if head == "sentence-embedding":
        return source.uniform(-1.0, 1.0, rows // 2).astype(numpy.float32).astype(numpy.float64)
    if head == "token-classification":
        labels = source.randint(0, CLASSES[head], tokens)
        return numpy.where(source.uniform(size=tokens) < 0.3, IGNORED, labels)
    return mask_words(ids, source)


def mask_words(ids, source):
    """Masks some ordinary tokens in place; the labels are what stood there."""
    labels = []
    for row in ids:
        masked = (source.uniform(size=len(row)) < 0.4) & (row >= FIRST_ORDINARY_TOKEN)
        labels.append(numpy.where(masked, row, IGNORED))
        row[masked] = MASK_TOKEN
    return numpy.concatenate(labels)


def loss_of(head, logits, labels):
    """The means that Hugging Face's heads take, over what is not ignored."""
    if head == "multi-label":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    if head == "regression":
        return ((logits[:, 0] - labels) ** 2).mean()
    if head == "sentence-embedding":
        cosines = torch.nn.functional.cosine_similarity(logits[0::2], logits[1::2])
        return ((cosines - labels) ** 2).mean()
    kept = labels != IGNORED
    chosen = torch.log_softmax(logits[kept], dim=-1)[torch.arange(int(kept.sum())), labels[kept]]
    return -chosen.mean()


def output_of(encoder, head, states):
    if head == "token-classification":
        return encoder.linear("classifier", torch.cat([s[-1] for s in states]))
    if head in ("masked-lm", "causal-lm"):
        return encoder.predict_words(torch.cat([s[-1] for s in states]))
    if head == "sentence-embedding":
        return torch.stack([s[-1].mean(dim=0) for s in states])
    return torch.stack([encoder.classify(s[-1]) for s in states])


def as_leaves(values, trainable):
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    for tensor in tensors.values():
        tensor.requires_grad_(trainable)
    return tensors


def expected_values(encoder, head, batch, labels, leaves):
    """Runs forward and backward; `leaves` are the parameters whose gradients are wanted."""
    ids, types = batch
    rows = zip(ids, types)
    states = [encoder.hidden_states(torch.tensor(i), torch.tensor(t)) for i, t in rows]
    logits = output_of(encoder, head, states)
    logits.retain_grad()
    loss = loss_of(head, logits, torch.tensor(labels))
    loss.backward()
    expected = {
        "input_ids": numpy.concatenate(ids),
        "token_type_ids": numpy.concatenate(types),
        "offsets": numpy.cumsum([0, *map(len, ids)]),
        "labels": labels,
        "logits": logits.detach().numpy(),
        "grad_logits": logits.grad.numpy(),
        "loss": loss.detach().numpy(),
    }
    for depth in range(len(states[0])):
        expected[f"hidden.{depth}"] = torch.cat([s[depth] for s in states]).detach().numpy()
    for name, leaf in leaves.items():
        # A pooler's gradient and the like always exist: every stored parameter takes part in its loss.
        expected["grad." + name] = leaf.grad.numpy()
    return expected


def backbone_prefix(family, head):
    return "" if head == "sentence-embedding" else family.module + "."


def make_model(family_name, head):
    """One Hugging Face model folder with expected.safetensors beside the weights."""
    family, name = FAMILIES[family_name], f"{family_name}-{head}"
    source = random_source(name)
    prefix, labels = backbone_prefix(family, head), CLASSES.get(head, 0)
    shapes = {**backbone_shapes(family, prefix), **head_shapes(family, head, labels)}
    values = random_parameters(shapes, source)
    batch = random_batch(family, source)
    targets = random_labels(head, batch[0], source)
    leaves = as_leaves(values, trainable=True)
    expected = expected_values(Encoder(family, leaves, prefix), head, batch, targets, leaves)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", model_config(family, head, labels))
    write_safetensors(folder / "model.safetensors", values)
    write_safetensors(folder / "expected.safetensors", expected)
    return values


def make_lora(name, base, config):
    """A PEFT folder over a model folder, with the classifier's weights of its own."""
    family = FAMILIES[base.split("-")[0]]
    values = read_model(base)
    plan = lora_plan(config, [key[: -len(".weight")] for key in values if key.endswith(".weight")])
    assert plan
    shapes = {}
    for module, (rank, _) in plan.items():
        outputs, inputs = values[module + ".weight"].shape
        shapes[f"{LoraEncoder.PREFIX}{module}.lora_A.weight"] = (rank, inputs)
        shapes[f"{LoraEncoder.PREFIX}{module}.lora_B.weight"] = (outputs, rank)
        if config.get("lora_bias", False):
            shapes[f"{LoraEncoder.PREFIX}{module}.lora_B.bias"] = (outputs,)
        if config["use_dora"]:
            shapes[f"{LoraEncoder.PREFIX}{module}.lora_magnitude_vector"] = (outputs,)
    for key, value in values.items():
        if key.startswith("classifier."):
            shapes[LoraEncoder.PREFIX + key] = value.shape
    source = random_source(name)
    adapter_values = random_parameters(shapes, source)
    adapter = as_leaves(adapter_values, trainable=True)
    frozen = as_leaves(values, trainable=False)
    for key in adapter:
        if ".classifier." in key:
            frozen[key[len(LoraEncoder.PREFIX) :]] = adapter[key]
    scales = {module: scale for module, (_, scale) in plan.items()}
    encoder = LoraEncoder(family, frozen, family.module + ".", scales, adapter)
    folder = write_adapter_expected(name, encoder, family, source, adapter, merged_values(encoder))
    write_json(folder / "adapter_config.json", config)
    write_safetensors(folder / "adapter_model.safetensors", adapter_values)


def make_low_rank(name, base, encoder_class, config, shapes, fixed=()):
    """A PEFT folder of another method over a model folder, with the classifier's weights of its own."""
    family, values, source = FAMILIES[base.split("-")[0]], read_model(base), random_source(name)
    shapes = {**shapes(config, values), **{LoraEncoder.PREFIX + k: v.shape for k, v in values.items() if "classifier" in k}}
    adapter_values = random_parameters(shapes, source)
    adapter = as_leaves(adapter_values, trainable=True)
    frozen = as_leaves(values, trainable=False)
    frozen.update({key[len(LoraEncoder.PREFIX) :]: leaf for key, leaf in adapter.items() if ".classifier." in key})
    encoder = encoder_class(family, frozen, family.module + ".", config, adapter)
    folder = write_adapter_expected(name, encoder, family, source, adapter, merged_values(encoder))
    for tensor in fixed:
        adapter_values["base_model." + tensor] = getattr(encoder, tensor[-1].lower()).numpy().astype(numpy.float32)
    write_json(folder / "adapter_config.json", config)
    write_safetensors(folder / "adapter_model.safetensors", adapter_values)


def make_weight_method(name, method, targets):
    """A PEFT folder over bert-single-label with the weights that some of its layers have together with the adapter."""
    base, folder_name = "bert-single-label", "bert-" + name
    values, source = read_model(base), random_source(folder_name)
    modules = [key[: -len(".weight")] for key in values if key.endswith(".weight")]
    modules = [module for module in modules if any(module.endswith("." + target) for target in targets)]
    adapter_values = {}
    for module in modules:
        for part, shape in method.shapes(*values[module + ".weight"].shape, module).items():
            adapter_values[f"{PREFIX}{module}.{part}"] = method.values(part, shape, source)
    for part, shape in method.shared.items():
        adapter_values["base_model." + part] = method.values(part, shape, source)
    for key, value in values.items():
        if key.startswith("classifier."):
            adapter_values[PREFIX + key] = random_parameters({key: value.shape}, source)[key]
    fixed = {key for key in adapter_values if key.endswith(method.fixed)} if method.fixed else set()
    adapter = as_leaves({key: value for key, value in adapter_values.items() if key not in fixed}, trainable=True)
    frozen = as_leaves(values, trainable=False)
    for key in adapter:
        if ".classifier." in key:
            frozen[key[len(PREFIX) :]] = adapter[key]
    tensors = {**adapter, **as_leaves({key: adapter_values[key] for key in fixed}, trainable=False)}
    encoder = WeightEncoder(FAMILIES["bert"], frozen, "bert.", method, set(modules), tensors)
    merged = {
        "merged." + module: encoder.weight(module).detach().numpy()
        for module in ("bert.encoder.layer.0.intermediate.dense", "bert.encoder.layer.1.output.dense")
    }
    folder = write_adapter_expected(folder_name, encoder, FAMILIES["bert"], source, adapter, merged)
    write_json(folder / "adapter_config.json", weight_config(base, method, targets))
    write_safetensors(folder / "adapter_model.safetensors", adapter_values)


def make_bottleneck(preset):
    """An AdapterHub folder over bert-single-label, adapter and head."""
    family, name, labels = FAMILIES["bert"], "bert-" + preset.name.replace("_", "-"), CLASSES["single-label"]
    source = random_source(name)
    adapter_values = random_parameters(preset.shapes("bert."), source)
    head_values = random_parameters(preset.head_shapes(labels), source)
    leaves = as_leaves({**adapter_values, **head_values}, trainable=True)
    frozen = as_leaves(read_model("bert-single-label"), trainable=False)
    encoder = BottleneckEncoder(family, frozen, "bert.", preset, leaves)
    folder = write_adapter_expected(name, encoder, family, source, leaves)
    write_json(folder / "adapter_config.json", adapterhub_file(preset.name, preset.config))
    write_json(folder / "head_config.json", adapterhub_file(preset.name, head_config(labels)))
    write_safetensors(folder / "adapter.safetensors", adapter_values)
    write_safetensors(folder / "model_head.safetensors", head_values)


def make_invertible():
    """seq_bn_inv over bert-masked-lm, whose decoder reads what the inverse of the embeddings' adapter gives."""
    family, name = FAMILIES["bert"], "bert-seq-bn-inv-masked-lm"
    source = random_source(name)
    preset = next(preset for preset in PRESETS if preset.name == "seq_bn_inv")
    values = random_parameters(preset.shapes("bert."), source)
    leaves = as_leaves(values, trainable=True)
    frozen = as_leaves(read_model("bert-masked-lm"), trainable=False)
    encoder = BottleneckEncoder(family, frozen, "bert.", preset, leaves)
    batch = random_batch(family, source)
    targets = random_labels("masked-lm", batch[0], source)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_safetensors(
        folder / "expected.safetensors", expected_values(encoder, "masked-lm", batch, targets, leaves)
    )
    write_json(folder / "adapter_config.json", adapterhub_file(preset.name, preset.config))
    write_safetensors(folder / "adapter.safetensors", values)


def make_prompt(name):
    """The expected values of a prompt-like adapter over bert-single-label, whose classifier stays as it is."""
    encoder_class, settings, shapes = adapters_prompt.CASES[name]
    family, source = FAMILIES["bert"], random_source(name)
    values = random_parameters(shapes, source)
    leaves = as_leaves(values, trainable=True)
    frozen = as_leaves(read_model("bert-single-label"), trainable=False)
    encoder = encoder_class(family, frozen, "bert.", leaves, **settings)
    batch = random_batch(family, source)
    targets = random_labels("single-label", batch[0], source)
    expected = expected_values(encoder, "single-label", batch, targets, leaves)
    expected["logits.gate"] = adapters_prompt.gated_logits(encoder, batch)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", adapters_prompt.with_adapter(expected, values))
    if name in adapters_prompt.PEFT:
        base = read_model("bert-single-label")
        head = {f"base_model.classifier.{part}": base[f"classifier.{part}"] for part in ("weight", "bias")}
        write_json(folder / "adapter_config.json", adapters_prompt.PEFT[name])
        write_safetensors(folder / "adapter_model.safetensors", {**values, **head})


def make_tokens_masked_lm(family_name, tokens):
    """The expected values of trained tokens under a masked-LM head whose decoder is tied to their table."""
    family, base = FAMILIES[family_name], family_name + "-masked-lm"
    name = family_name + "-trainable-tokens-masked-lm"
    source, config = random_source(name), tokens_config(base, tokens)
    model = read_model(base)
    values = random_parameters(tokens_shapes(config, model), source)
    leaves = as_leaves(values, trainable=True)
    encoder = TokensEncoder(family, as_leaves(model, trainable=False), family.module + ".", config, leaves)
    batch = random_batch(family, source)
    targets = random_labels("masked-lm", batch[0], source)
    expected = expected_values(encoder, "masked-lm", batch, targets, leaves)
    prefix = len(PREFIX + family.module + ".")
    expected.update({"value." + key[prefix:]: value for key, value in values.items()})
    expected = {key.replace("grad." + PREFIX + family.module + ".", "grad."): value for key, value in expected.items()}
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", expected)


# Among them the first token of every text, and [MASK]; in no order.
TRAINED_TOKENS = [30, 2, 4, 17, 9, 41, 5]


def read_model(name):
    return read_safetensors(FOLDER / name / "model.safetensors")


def make_adamw():
    """Three steps of torch.optim.AdamW in float64 on one vector, the gradient given at each step."""
    source = random_source("adamw")
    start = source.normal(0.0, 1.0, 9).astype(numpy.float32)
    gradients = source.normal(0.0, 1.0, (3, 9)).astype(numpy.float32)
    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch.optim.AdamW([parameter], lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    tensors = {"parameter.0": start, "gradients": gradients}
    for step, gradient in enumerate(gradients):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        tensors[f"parameter.{step + 1}"] = parameter.detach().numpy().copy()
    folder = FOLDER.parent / "optimizers"
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "adamw.safetensors", tensors)


def merged_values(encoder):
    return {"merged." + name: value.detach().numpy() for name, value in encoder.merged().items()}


def write_adapter_expected(name, encoder, family, source, leaves, more=None):
    batch = random_batch(family, source)
    targets = random_labels("single-label", batch[0], source)
    expected = expected_values(encoder, "single-label", batch, targets, leaves)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", {**expected, **(more or {})})
    return folder


# The loss over the logits is the same code for every family, so not every pair of family and problem is here.
MODELS = {
    "bert": (
        "single-label",
        "multi-label",
        "regression",
        "token-classification",
        "masked-lm",
        "sentence-embedding",
    ),
    "roberta": ("single-label", "multi-label", "token-classification", "masked-lm", "sentence-embedding"),
    "xlm-roberta": ("single-label",),
    "distilbert": ("single-label", "regression", "token-classification", "masked-lm", "sentence-embedding"),
}


# rsLoRA on every linear layer of the encoder, with a rank and an alpha of their own for some of them.
PATTERNED_LORA = {
    "use_rslora": True,
    "rank_pattern": {"layer.1.attention.self.query": 6, "output.dense": 3},
    "alpha_pattern": {"key": 5},
}


def main():
    torch.set_num_threads(1)
    for family, heads in MODELS.items():
        for head in heads:
            make_model(family, head)
    make_lora("bert-lora", "bert-single-label", lora_config("bert-single-label", 4, 8, ["query", "value"]))
    targets = ["query", "key", "value", "output.dense", "intermediate.dense"]
    config = lora_config("roberta-single-label", 4, 8, targets, **PATTERNED_LORA)
    make_lora("roberta-rslora-patterns", "roberta-single-label", config)
    config = lora_config("bert-single-label", 4, 8, ["query", "output.dense"], use_dora=True)
    make_lora("bert-dora", "bert-single-label", config)
    config = {**lora_config("bert-single-label", 4, 8, ["query", "value"]), "lora_bias": True}
    make_lora("bert-lora-bias", "bert-single-label", config)
    config = vera_config("bert-single-label", 6, ["query", "output.dense"], projection_prng_key=7)
    make_low_rank("bert-vera", "bert-single-label", VeraEncoder, config, vera_shapes, ("vera_A", "vera_B"))
    config = vera_config("bert-single-label", 6, ["query", "output.dense"], projection_prng_key=7, save_projection=False)
    make_low_rank("bert-vera-drawn", "bert-single-label", VeraEncoder, config, vera_shapes)
    pruned = {f"bert.encoder.layer.{i}.attention.self.{n}.lora_E": [True] * r + [False] * (4 - r)
              for i, n, r in ((0, "query", 3), (0, "value", 4), (1, "query", 1), (1, "value", 2))}
    config = adalora_config("bert-single-label", 4, 8, ["query", "value"], pruned)
    make_low_rank("bert-adalora", "bert-single-label", AdaLoraEncoder, config, adalora_shapes)
    config = tokens_config("bert-single-label", TRAINED_TOKENS)
    make_low_rank("bert-trainable-tokens", "bert-single-label", TokensEncoder, config, tokens_shapes)
    for family in ("bert", "roberta", "distilbert"):
        make_tokens_masked_lm(family, TRAINED_TOKENS)
    for name, method in WEIGHT_METHODS.items():
        make_weight_method(name, method, ["query", "intermediate.dense", "output.dense"])
    for preset in PRESETS:
        make_bottleneck(preset)
    make_invertible()
    for name in adapters_prompt.CASES:
        make_prompt(name)
    make_adamw()


if __name__ == "__main__":
    main()
