#!/usr/bin/python3
"""Writes the folders of decoder-only language models and of LoRA over them; see ../README.md."""
import numpy
import torch

from adapters import LoraEncoder, lora_config, lora_plan
from decoder_checks import check_all
from decoder_configs import decoder_config
from decoders import FAMILIES, VOCABULARY, backbone_shapes, decoder, head_shapes
from make_goldens import (
    CLASSES,
    FIRST_ORDINARY_TOKEN,
    FOLDER,
    IGNORED,
    LENGTHS,
    as_leaves,
    expected_values,
    random_labels,
    random_parameters,
    random_source,
    read_model,
)
from tensor_file import write_json, write_safetensors

CONTINUED = 8  # tokens that are appended to every row
MARGIN = 0.02  # between the two best of every such token, so that rounding to float32 cannot choose another one
DISTINCT = 3  # of these tokens at least, so that they tell more than what a text ends in
# With its table scaled and tied and nothing that holds it back, nearly every text repeats its last token.
WITHOUT_GREEDY = ("gemma",)


def random_values(family, shapes, source):
    values = random_parameters(shapes, source)
    if family.offset_norms:
        return {name: value - 1 if value.ndim == 1 else value for name, value in values.items()}
    return values


def random_row(family, length, source):
    row = source.randint(FIRST_ORDINARY_TOKEN, VOCABULARY, length)
    row[0] = family.first_token
    return row


def next_tokens(rows):
    """The labels of a causal language model: a row's last token has none."""
    return numpy.concatenate([numpy.append(row[1:], IGNORED) for row in rows])


def continue_greedily(model, row):
    """The tokens that are appended one by one, each the likeliest, and the least margin between the two best."""
    ids, margins = torch.tensor(row), []
    for _ in range(CONTINUED):
        best = torch.topk(model.predict_words(model.hidden_states(ids)[-1])[-1], 2)
        margins.append(float(best.values[0] - best.values[1]))
        ids = torch.cat([ids, best.indices[:1]])
    return ids[len(row) :].numpy(), min(margins)


def row_with_greedy(family, length, model, source):
    """A row is drawn again while a choice on the way is close or gives a special token, which would end the text, or while
    the text repeats itself too soon."""
    while True:
        row = random_row(family, length, source)
        tokens, margin = continue_greedily(model, row)
        if margin > MARGIN and tokens.min() >= FIRST_ORDINARY_TOKEN and len(set(tokens)) >= DISTINCT:
            return row, tokens


def decoder_values(model, head, rows, labels, leaves):
    """The table of ../README.md, with what the last norm gives under its own name."""
    types = [numpy.zeros_like(row) for row in rows]
    expected = expected_values(model, head, (rows, types), labels, leaves)
    expected["hidden.final"] = expected.pop(f"hidden.{model.family.layers + 1}")
    if head == "causal-lm":
        del expected["labels"]
    return expected


def make_model(family_name, head):
    """One Hugging Face model folder with expected.safetensors beside the weights."""
    family, name = FAMILIES[family_name], f"{family_name}-{head}"
    source, labels = random_source(name), CLASSES.get(head, 0)
    values = random_values(family, {**backbone_shapes(family), **head_shapes(family, head, labels)}, source)
    leaves = as_leaves(values, trainable=True)
    model = decoder(family, leaves)
    greedy = {}
    if head == "causal-lm" and family_name not in WITHOUT_GREEDY:
        with torch.no_grad():
            rows, continued = zip(*(row_with_greedy(family, length, model, source) for length in LENGTHS))
        greedy["greedy"] = numpy.stack(continued)
    else:
        rows = [random_row(family, length, source) for length in LENGTHS]
    targets = next_tokens(rows) if head == "causal-lm" else random_labels(head, rows, source)
    expected = {**decoder_values(model, head, rows, targets, leaves), **greedy}
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", decoder_config(family, head, labels))
    write_safetensors(folder / "model.safetensors", values)
    write_safetensors(folder / "expected.safetensors", expected)


def lora_weights(plan, frozen, adapter, transposed):
    """{module: W + s BA} of Hu et al. 2021 (arXiv:2106.09685), eq. (3), in the layout of the base."""
    weights = {}
    for module, (_, scale) in plan.items():
        a, b = (adapter[f"{LoraEncoder.PREFIX}{module}.lora_{part}.weight"] for part in "AB")
        update = scale * b @ a
        weights[module] = frozen[module + ".weight"] + (update.T if transposed else update)
    return weights


def make_lora(name, family_name, config):
    """A PEFT folder over a causal language model."""
    family, base, source = FAMILIES[family_name], config["base_model_name_or_path"], random_source(name)
    model_values, transposed = read_model(base), config["fan_in_fan_out"]
    plan = lora_plan(config, [key[: -len(".weight")] for key in model_values if key.endswith(".weight")])
    shapes = {}
    for module, (rank, _) in plan.items():
        outputs, inputs = model_values[module + ".weight"].shape[:: -1 if transposed else 1]
        shapes[f"{LoraEncoder.PREFIX}{module}.lora_A.weight"] = (rank, inputs)
        shapes[f"{LoraEncoder.PREFIX}{module}.lora_B.weight"] = (outputs, rank)
    values = random_parameters(shapes, source)
    leaves, frozen = as_leaves(values, trainable=True), as_leaves(model_values, trainable=False)
    merged = lora_weights(plan, frozen, leaves, transposed)
    model = decoder(family, {**frozen, **{module + ".weight": weight for module, weight in merged.items()}})
    rows = [random_row(family, length, source) for length in LENGTHS]
    expected = decoder_values(model, "causal-lm", rows, next_tokens(rows), leaves)
    expected.update({"merged." + module: weight.detach().numpy() for module, weight in merged.items()})
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_json(folder / "adapter_config.json", config)
    write_safetensors(folder / "adapter_model.safetensors", values)
    write_safetensors(folder / "expected.safetensors", expected)


LLAMA_LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def main():
    torch.set_num_threads(1)
    check_all()
    for family in FAMILIES:
        make_model(family, "causal-lm")
    for family in ("gemma", "gpt2", "llama", "phi3"):
        make_model(family, "single-label")
    make_model("gpt2", "token-classification")
    changes = {"modules_to_save": None, "task_type": "CAUSAL_LM"}
    make_lora("llama-lora", "llama", lora_config("llama-causal-lm", 4, 8, LLAMA_LAYERS, **changes))
    changes["fan_in_fan_out"] = True
    make_lora("gpt2-lora", "gpt2", lora_config("gpt2-causal-lm", 4, 8, ["c_attn", "c_proj"], **changes))


if __name__ == "__main__":
    main()
