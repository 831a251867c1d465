"""Prompt-like adapters over the encoders, straight from their papers' equations, and the golden files of each.

Every folder holds only expected.safetensors: the batch, `adapter.<tensor>` with the adapter's values under Inlay's names,
logits, loss and gradients at gate 1, and `logits.gate`, the logits where the weight of the virtual keys is multiplied by GATE.
"""
import math

import numpy
import torch

from encoders import HEADS, HIDDEN, LAYERS, Encoder

GATE = 0.3


class PromptedEncoder(Encoder):
    """An encoder whose attention may read virtual keys and whose sequences may hold virtual tokens.

    Weights of virtual keys are multiplied by `gate` before the softmax is normalised: softmax(s + log gate).
    """

    def __init__(self, family, parameters, prefix, adapter, gate=1.0):
        super().__init__(family, parameters, prefix)
        self.adapter = adapter
        self.gate = gate

    def attend_with(self, q, k, v, weights):
        """As Encoder.attend, the exponential of key j's score multiplied by weights[j]."""
        size = HIDDEN // HEADS
        outputs = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            e = torch.exp(q[:, part] @ k[:, part].T / math.sqrt(size)) * weights
            outputs.append((e / e.sum(dim=-1, keepdim=True)) @ v[:, part])
        return torch.cat(outputs, dim=-1)


class PrefixEncoder(PromptedEncoder):
    """Li & Liang 2021 (arXiv:2101.00190): attention(Q, [P_K; K], [P_V; V]); P = W_2 tanh(W_1 E + b_1) + b_2 or trained itself.

    UniPELT's gates (Mao et al. 2021, arXiv:2110.07577): g = mean over the tokens of sigmoid(W_g x + b_g), times keys and values.
    With PEFT prefixes are past keys, behind which Hugging Face's BERT counts positions on: past_key_values_length.
    """

    def __init__(self, *arguments, past=0, **named):
        super().__init__(*arguments, **named)
        table = self.prefix + "embeddings.position_embeddings.weight"
        self.parameters = {**self.parameters, table: self.parameters[table][past:]}

    def pairs(self):
        if "prompt_embeddings" in self.adapter:
            return self.adapter["prompt_embeddings"]
        h = self.adapter["wte.weight"] @ self.adapter["control_trans.0.weight"].T + self.adapter["control_trans.0.bias"]
        return torch.tanh(h) @ self.adapter["control_trans.2.weight"].T + self.adapter["control_trans.2.bias"]

    def gate_of(self, index, part, x):
        at = f"encoder.layer.{index}.attention.self.{part}"
        if at + ".weight" not in self.adapter:
            return 1.0
        return torch.sigmoid(x @ self.adapter[at + ".weight"].T + self.adapter[at + ".bias"]).mean()

    def layer(self, index, x):
        self.index, self.x = index, x
        return super().layer(index, x)

    def attend(self, q, k, v):
        # PEFT's view (n, 2 L, heads, D): keys of layer 0, values of layer 0, keys of layer 1 ...
        pairs = self.pairs().reshape(-1, 2 * LAYERS, HIDDEN)
        key = pairs[:, 2 * self.index] * self.gate_of(self.index, "prefix_gate", self.x)
        value = pairs[:, 2 * self.index + 1] * self.gate_of(self.index, "prefix_gate_value", self.x)
        weights = torch.ones(len(key) + len(k), dtype=torch.float64)
        weights[: len(key)] = self.gate
        return self.attend_with(q, torch.cat([key, k]), torch.cat([value, v]), weights)


class ZeroInitEncoder(PromptedEncoder):
    """Zhang et al. 2023 (arXiv:2303.16199): attention(Q, K, V) + g softmax(Q K_P' / sqrt(D)) V_P in the upper layers."""

    def __init__(self, *arguments, per_head, **named):
        super().__init__(*arguments, **named)
        self.per_head = per_head

    def layer(self, index, x):
        self.index = index
        return super().layer(index, x)

    def attend(self, q, k, v):
        plain = super().attend(q, k, v)
        at = f"encoder.layer.{self.index}.attention.self."
        if at + "adaption_gate" not in self.adapter:
            return plain
        prompt, module = self.adapter[at + "adaption_prompt"][0], self.prefix + at
        virtual = super().attend(q, self.linear(module + "key", prompt), self.linear(module + "value", prompt))
        gate = self.adapter[at + "adaption_gate"]
        factors = torch.tanh(gate).repeat_interleave(HIDDEN // HEADS) if self.per_head else gate
        return plain + self.gate * factors * virtual


class PromptEncoder(PromptedEncoder):
    """Lester et al. 2021 (arXiv:2104.08691): [P; X]; P-tuning (Liu et al. 2021, arXiv:2103.10385) makes P by a ReLU network.

    after_embeddings: what the first layer reads. inputs_embeds: word embeddings, before types, positions and norm.
    """

    def __init__(self, *arguments, placement, at=0, **named):
        super().__init__(*arguments, **named)
        self.placement = placement
        self.at = at

    def prompt(self):
        if "prompt_embeddings" in self.adapter:
            return self.adapter["prompt_embeddings"]
        x = self.adapter["embedding.weight"]
        for layer in (0, 2, 4):
            x = x @ self.adapter[f"mlp_head.{layer}.weight"].T + self.adapter[f"mlp_head.{layer}.bias"]
            x = torch.relu(x) if layer < 4 else x
        return x

    def embed(self, ids, types):
        prompt = self.prompt()
        if self.placement == "after_embeddings":
            x = super().embed(ids, types)
            return torch.cat([x[: self.at], prompt, x[self.at :]])
        table = self.prefix + "embeddings."
        x = torch.cat([prompt, self.parameters[table + "word_embeddings.weight"][ids]])
        types = torch.cat([torch.zeros(len(prompt), dtype=torch.int64), types])
        x = x + self.parameters[table + "position_embeddings.weight"][torch.arange(len(x))]
        return self.norm(table + "LayerNorm", x + self.parameters[table + "token_type_embeddings.weight"][types])

    def attend(self, q, k, v):
        weights = torch.ones(len(k), dtype=torch.float64)
        weights[self.at : self.at + len(self.prompt())] = self.gate
        return self.attend_with(q, k, v, weights)

    def hidden_states(self, ids, types):
        """The last states without the virtual tokens; PEFT's head reads the first virtual one."""
        states = super().hidden_states(ids, types)
        after = self.at + len(self.prompt())
        if self.placement == "inputs_embeds":
            return [torch.cat([x[:1], x[after + 1 :]]) for x in states]
        return [torch.cat([x[: self.at], x[after:]]) for x in states]


def network_shapes(sizes, names):
    """Weights and biases of linear layers from sizes[0] to sizes[-1]."""
    shapes = {}
    for name, inputs, outputs in zip(names, sizes, sizes[1:]):
        shapes[name + ".weight"] = (outputs, inputs)
        shapes[name + ".bias"] = (outputs,)
    return shapes


def gate_shapes(parts):
    at = [f"encoder.layer.{index}.attention.self.{part}" for index in range(LAYERS) for part in parts]
    return {key: shape for name in at for key, shape in ((name + ".weight", (1, HIDDEN)), (name + ".bias", (1,)))}


def zero_init_shapes(first, gates):
    shapes = {}
    for index in range(first, LAYERS):
        at = f"encoder.layer.{index}.attention.self."
        shapes[at + "adaption_prompt"] = (1, 3, HIDDEN)
        shapes[at + "adaption_gate"] = (gates,)
    return shapes


WIDTH = 2 * LAYERS * HIDDEN
PROMPT = {"prompt_embeddings": (3, HIDDEN)}
# Folder: encoder, its settings, the adapter's tensors.
CASES = {
    "bert-prefix-flat": (PrefixEncoder, {}, {"prompt_embeddings": (3, WIDTH)}),
    "bert-prefix-peft": (PrefixEncoder, {"past": 3}, {"prompt_embeddings": (3, WIDTH)}),
    "bert-prefix-network": (
        PrefixEncoder,
        {},
        {"wte.weight": (2, HIDDEN), **network_shapes((HIDDEN, 6, WIDTH), ("control_trans.0", "control_trans.2"))},
    ),
    "bert-prefix-gated": (
        PrefixEncoder,
        {},
        {"prompt_embeddings": (3, WIDTH), **gate_shapes(("prefix_gate", "prefix_gate_value"))},
    ),
    "bert-zero-init": (ZeroInitEncoder, {"per_head": True}, zero_init_shapes(0, HEADS)),
    "bert-zero-init-scalar": (ZeroInitEncoder, {"per_head": False}, zero_init_shapes(1, 1)),
    "bert-prompt": (PromptEncoder, {"placement": "after_embeddings"}, PROMPT),
    "bert-prompt-after-bos": (PromptEncoder, {"placement": "after_embeddings", "at": 1}, PROMPT),
    "bert-prompt-peft": (PromptEncoder, {"placement": "inputs_embeds"}, PROMPT),
    "bert-p-tuning": (
        PromptEncoder,
        {"placement": "inputs_embeds"},
        {
            "embedding.weight": (2, HIDDEN),
            **network_shapes((HIDDEN, 6, 6, HIDDEN), ("mlp_head.0", "mlp_head.2", "mlp_head.4")),
        },
    ),
}


def peft_config(peft_type, tokens, **own):
    """As PEFT writes it for a BERT classifier."""
    common = {
        "auto_mapping": None,
        "base_model_name_or_path": "bert-single-label",
        "inference_mode": True,
        "modules_to_save": ["classifier", "score"],
        "num_transformer_submodules": 1,
        "num_virtual_tokens": tokens,
        "peft_type": peft_type,
        "revision": None,
        "task_type": "SEQ_CLS",
        "token_dim": HIDDEN,
    }
    return {**common, **own}


# Of these cases PEFT's files are written, too: the rows that the base reads, and the classifier of a model that prompts
# leave unwrapped ("base_model.classifier.weight").
PEFT = {
    "bert-prefix-peft": peft_config(
        "PREFIX_TUNING",
        3,
        encoder_hidden_size=None,
        num_attention_heads=HEADS,
        num_layers=LAYERS,
        prefix_projection=False,
    ),
    "bert-prompt-peft": peft_config(
        "PROMPT_TUNING",
        3,
        prompt_tuning_init="RANDOM",
        prompt_tuning_init_text=None,
        tokenizer_name_or_path=None,
    ),
}


def gated_logits(encoder, batch):
    encoder.gate = GATE
    rows = [encoder.classify(encoder.hidden_states(torch.tensor(i), torch.tensor(t))[-1]) for i, t in zip(*batch)]
    return torch.stack(rows).detach().numpy()


def with_adapter(expected, values):
    """Without what these tests do not read."""
    kept = {name: value for name, value in expected.items() if not name.startswith("hidden.")}
    return {**kept, **{"adapter." + name: numpy.asarray(value) for name, value in values.items()}}
