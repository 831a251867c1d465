#!/usr/bin/python3
"""Writes llama-preference: the losses of two answers to a prompt under llama-lora, and their gradients; see ../README.md."""
import numpy
import torch

from adapters import lora_config, lora_plan
from decoders import FAMILIES, decoder
from make_decoder_goldens import LLAMA_LAYERS, lora_weights, random_row
from make_goldens import FOLDER, as_leaves, random_source, read_model
from tensor_file import read_safetensors, write_safetensors

# Tokens of the prompt, the chosen and the rejected answer.
PAIRS = ((3, 4, 2), (1, 2, 5), (4, 6, 3))
BETA = 0.5
SMOOTHING = 0.2


def draw_pairs(family, source):
    """The rows of all answers behind their prompts, the chosen one first."""
    rows = []
    for prompt, chosen, rejected in PAIRS:
        begin = random_row(family, prompt, source)
        rows += [numpy.append(begin, random_row(family, 1 + answer, source)[1:]) for answer in (chosen, rejected)]
    return rows


def token_log_probabilities(model, rows):
    """Of the tokens behind the prompt, each given all before it."""
    logs = []
    for index, row in enumerate(rows):
        ids = torch.tensor(row)
        scores = torch.log_softmax(model.predict_words(model.hidden_states(ids)[-1]), dim=-1)
        places = torch.arange(PAIRS[index // 2][0] - 1, len(row) - 1)
        logs.append(scores[places, ids[places + 1]])
    return logs


def dpo(logs, reference, smoothing):
    """Rafailov et al. 2023 (arXiv:2305.18290), eq. (7), by ratios of probabilities; a share of the pairs the other way round."""
    ratios = [torch.exp(log.sum() - base) for log, base in zip(logs, reference)]
    losses = []
    for chosen, rejected in zip(ratios[0::2], ratios[1::2]):
        preferred = chosen**BETA / (chosen**BETA + rejected**BETA)
        losses.append(-(1 - smoothing) * torch.log(preferred) - smoothing * torch.log(1 - preferred))
    return torch.stack(losses).mean()


def orpo(logs):
    """Hong, Lee and Thorne 2024 (arXiv:2403.07691), eqs. (6) and (7), by the odds themselves."""
    likelihoods = [torch.exp(log.mean()) for log in logs]
    losses = []
    for chosen, rejected in zip(likelihoods[0::2], likelihoods[1::2]):
        ratio = (chosen / (1 - chosen)) / (rejected / (1 - rejected))
        losses.append(-torch.log(chosen) - BETA * torch.log(ratio / (1 + ratio)))
    return torch.stack(losses).mean()


def main():
    torch.set_num_threads(1)
    family, source = FAMILIES["llama"], random_source("llama-preference")
    rows = draw_pairs(family, source)
    values = read_model("llama-causal-lm")
    config = lora_config("llama-causal-lm", 4, 8, LLAMA_LAYERS)
    plan = lora_plan(config, [key[: -len(".weight")] for key in values if key.endswith(".weight")])
    frozen = as_leaves(values, trainable=False)
    with torch.no_grad():
        reference = [log.sum() for log in token_log_probabilities(decoder(family, frozen), rows)]
    expected = {
        "input_ids": numpy.concatenate(rows),
        "token_type_ids": numpy.zeros(sum(map(len, rows)), dtype=numpy.int64),
        "offsets": numpy.cumsum([0, *map(len, rows)]),
        "prompts": numpy.array([prompt for prompt, _, _ in PAIRS]),
        "reference": torch.stack(reference).numpy(),
    }
    losses = {
        "dpo": lambda logs: dpo(logs, reference, 0.0),
        "dpo-smoothed": lambda logs: dpo(logs, reference, SMOOTHING),
        "orpo": orpo,
    }
    for name, loss_of in losses.items():
        leaves = as_leaves(read_safetensors(FOLDER / "llama-lora/adapter_model.safetensors"), trainable=True)
        merged = lora_weights(plan, frozen, leaves, transposed=False)
        model = decoder(family, {**frozen, **{module + ".weight": weight for module, weight in merged.items()}})
        loss = loss_of(token_log_probabilities(model, rows))
        loss.backward()
        expected[f"loss.{name}"] = loss.detach().numpy()
        expected.update({f"grad.{name}.{key}": leaf.grad.numpy() for key, leaf in leaves.items()})
    folder = FOLDER / "llama-preference"
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", expected)


if __name__ == "__main__":
    main()
