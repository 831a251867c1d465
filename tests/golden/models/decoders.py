"""Decoder-only language models and heads in float64, written from their papers and their published definitions.

Llama (Touvron et al. 2023, arXiv:2302.13971), Mistral (Jiang et al. 2023, arXiv:2310.06825), Qwen2 and Qwen3
(arXiv:2407.10671, arXiv:2505.09388), Gemma 1 to 3 (arXiv:2403.08295, arXiv:2408.00118, arXiv:2503.19786), Phi-3 (Abdin et al.
2024, arXiv:2404.14219), GPT-2 (Radford et al. 2019). The names, shapes and layouts are those of Hugging Face model folders.
There is no dropout: evaluation mode. Each sequence is computed on its own and its positions start at 0. x: (tokens, channels).
"""
import dataclasses
import math
import typing

import torch

HIDDEN, HEADS, VOCABULARY, POSITIONS = 32, 4, 96, 64


@dataclasses.dataclass(frozen=True)
class Family:
    """What differs between the families. Where something is absent, the family is like the first Llama."""

    model_type: str
    class_name: str  # before "ForCausalLM" in config.json
    layers: int = 2
    key_heads: int = 2
    head_size: int = 8
    intermediate: int = 48
    epsilon: float = 1e-6
    activation: str = "silu"
    tied: bool = False
    fused: bool = False  # query, key and value are one layer, and so are gate and up
    biased: tuple = ()  # the linear layers that have a bias
    first_token: int = 1  # of every sequence
    theta: float = 10000.0
    local_theta: typing.Optional[float] = None  # of the layers that slide
    llama3: typing.Optional[dict] = None  # rope_scaling of this type
    window: typing.Optional[int] = None
    sliding: tuple = ()  # the layers that see no further back than the window
    scaled_embeddings: bool = False
    head_norms: bool = False  # of every query and key
    closing_norms: bool = False  # of what a sub-layer gives, before it is added
    offset_norms: bool = False  # a norm's weight is kept less one
    score_divisor: typing.Optional[float] = None  # scores are divided by its root; absent: the size of a head
    score_cap: typing.Optional[float] = None
    logit_cap: typing.Optional[float] = None


ATTENTION_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj")
# At these sizes and this base a pair of channels turns fast, one in between and two slowly; see decoder_checks.py.
LLAMA3_SCALING = {
    "factor": 8.0,
    "high_freq_factor": 4.0,
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 32,
    "rope_type": "llama3",
}
GEMMA = {
    "head_size": 16,
    "activation": "gelu_pytorch_tanh",
    "tied": True,
    "first_token": 2,
    "scaled_embeddings": True,
    "offset_norms": True,
}
FAMILIES = {
    "llama": Family("llama", "Llama", epsilon=1e-5),
    "llama-tied": Family(
        "llama",
        "Llama",
        epsilon=1e-5,
        tied=True,
        theta=100.0,
        llama3=LLAMA3_SCALING,
        biased=ATTENTION_LAYERS + ("gate_proj", "up_proj", "down_proj"),
    ),
    "mistral": Family("mistral", "Mistral", epsilon=1e-5, window=4, sliding=(0, 1)),
    "qwen2": Family("qwen2", "Qwen2", tied=True, theta=1000000.0, biased=ATTENTION_LAYERS[:3]),
    "qwen3": Family("qwen3", "Qwen3", head_size=16, theta=1000000.0, head_norms=True),
    "gemma": Family("gemma", "Gemma", key_heads=1, **GEMMA),
    "gemma2": Family(
        "gemma2",
        "Gemma2",
        layers=4,
        window=4,
        sliding=(0, 2),
        closing_norms=True,
        score_divisor=24,
        score_cap=1.5,
        logit_cap=2.5,
        **GEMMA,
    ),
    "gemma3": Family(
        "gemma3_text",
        "Gemma3",
        layers=4,
        theta=1000000.0,
        local_theta=10000.0,
        window=4,
        sliding=(0, 1, 3),
        head_norms=True,
        closing_norms=True,
        score_divisor=24,
        **GEMMA,
    ),
    "phi3": Family("phi3", "Phi3", epsilon=1e-5, fused=True),
    "gpt2": Family(
        "gpt2", "GPT2", key_heads=4, intermediate=4 * HIDDEN, epsilon=1e-5, activation="gelu_new", tied=True, first_token=0
    ),
}


def silu(x):
    return x * torch.sigmoid(x)


def gelu_tanh(x):
    """Hendrycks and Gimpel 2016 (arXiv:1606.08415), section 2: the approximation by tanh."""
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {"silu": silu, "gelu_new": gelu_tanh, "gelu_pytorch_tanh": gelu_tanh}


def soft_cap(x, cap):
    """Gemma 2, section 2: cap tanh(x / cap)."""
    return x if cap is None else cap * torch.tanh(x / cap)


def rotary_frequencies(size, theta, llama3=None):
    """Su et al. 2021 (arXiv:2104.09864), eq. (15): theta^(-2i / d), i < d / 2, in radians per position.

    Llama 3.1 divides the frequencies of long waves by a factor, leaves those of short ones, and mixes both in between
    by how many waves fit into the length that the model was first trained on.
    """
    frequencies = theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    if llama3 is None:
        return frequencies
    waves = llama3["original_max_position_embeddings"] * frequencies / (2.0 * math.pi)
    low, high = llama3["low_freq_factor"], llama3["high_freq_factor"]
    kept = ((waves - low) / (high - low)).clamp(0.0, 1.0)
    return frequencies * (kept + (1.0 - kept) / llama3["factor"])


def rotate(x, frequencies):
    """Eq. (34) of the same paper, with Hugging Face's pairs: channel i turns with i + d / 2. x: (tokens, d)."""
    angles = torch.arange(len(x), dtype=torch.float64)[:, None] * frequencies
    first, second = x.chunk(2, dim=-1)
    cos, sin = torch.cos(angles), torch.sin(angles)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Decoder:
    """Forward pass over a dictionary of parameters. An adapter that changes weights is a dictionary with other weights."""

    def __init__(self, family, parameters):
        self.family = family
        self.parameters = parameters

    def linear(self, name, x):
        y = x @ self.parameters[name + ".weight"].T
        bias = self.parameters.get(name + ".bias")
        return y if bias is None else y + bias

    def norm(self, name, x):
        """Zhang and Sennrich 2019 (arXiv:1910.07467), eq. (4), with a constant inside the root."""
        weight = self.parameters[name + ".weight"] + (1.0 if self.family.offset_norms else 0.0)
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.family.epsilon) * weight

    def embed(self, ids):
        x = self.parameters["model.embed_tokens.weight"][ids]
        return x * math.sqrt(HIDDEN) if self.family.scaled_embeddings else x

    def visible(self, index, tokens):
        """(queries, keys): query i sees the keys i - window < j <= i, and without a window all j <= i."""
        distance = torch.arange(tokens)[:, None] - torch.arange(tokens)[None, :]
        window = self.family.window if index in self.family.sliding else tokens
        return (distance >= 0) & (distance < window)

    def attend(self, index, queries, keys, values):
        """softmax(QK'/sqrt(d))V for lists of heads; neighbouring query heads share a key head (Ainslie et al. 2023,
        arXiv:2305.13245). Heads side by side in the channels."""
        hidden = ~self.visible(index, len(queries[0]))
        divisor = math.sqrt(self.family.score_divisor or self.family.head_size)
        outputs = []
        for head, query in enumerate(queries):
            shared = head // (len(queries) // len(keys))
            scores = soft_cap(query @ keys[shared].T / divisor, self.family.score_cap)
            weights = torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)
            outputs.append(weights @ values[shared])
        return torch.cat(outputs, dim=-1)

    def projections(self, at, x):
        """Queries, keys and values, each a tuple of heads."""
        size, keys = self.family.head_size, self.family.key_heads
        if self.family.fused:
            parts = self.linear(at + "qkv_proj", x).split([HEADS * size, keys * size, keys * size], dim=-1)
        else:
            parts = [self.linear(at + name, x) for name in ATTENTION_LAYERS[:3]]
        return [part.split(size, dim=-1) for part in parts]

    def attention(self, index, at, x):
        family = self.family
        queries, keys, values = self.projections(at, x)
        if family.head_norms:
            queries = [self.norm(at + "q_norm", head) for head in queries]
            keys = [self.norm(at + "k_norm", head) for head in keys]
        theta = family.local_theta if family.local_theta and index in family.sliding else family.theta
        frequencies = rotary_frequencies(family.head_size, theta, family.llama3)
        queries = [rotate(head, frequencies) for head in queries]
        keys = [rotate(head, frequencies) for head in keys]
        return self.linear(at + "o_proj", self.attend(index, queries, keys, values))

    def feed_forward(self, at, x):
        """Shazeer 2020 (arXiv:2002.05202), eq. (6): (f(x W) * x V) W2."""
        if self.family.fused:
            gate, up = self.linear(at + "gate_up_proj", x).chunk(2, dim=-1)
        else:
            gate, up = self.linear(at + "gate_proj", x), self.linear(at + "up_proj", x)
        return self.linear(at + "down_proj", ACTIVATIONS[self.family.activation](gate) * up)

    def layer(self, index, x):
        """x + f(LN(x)) twice. With closing norms x + LN(f(LN(x))): the name post_attention_layernorm then is that of the
        first closing norm, and without them that of the second opening norm."""
        at = f"model.layers.{index}."
        h = self.attention(index, at + "self_attn.", self.norm(at + "input_layernorm", x))
        if not self.family.closing_norms:
            x = x + h
            return x + self.feed_forward(at + "mlp.", self.norm(at + "post_attention_layernorm", x))
        x = x + self.norm(at + "post_attention_layernorm", h)
        h = self.feed_forward(at + "mlp.", self.norm(at + "pre_feedforward_layernorm", x))
        return x + self.norm(at + "post_feedforward_layernorm", h)

    def last_norm(self, x):
        return self.norm("model.norm", x)

    def hidden_states(self, ids, _types=None):
        """The embeddings' output, every layer's, and the last norm's."""
        states = [self.embed(ids)]
        for index in range(self.family.layers):
            states.append(self.layer(index, states[-1]))
        return [*states, self.last_norm(states[-1])]

    def vocabulary_rows(self):
        return self.parameters["model.embed_tokens.weight" if self.family.tied else "lm_head.weight"]

    def predict_words(self, last):
        return soft_cap(last @ self.vocabulary_rows().T, self.family.logit_cap)

    def classify(self, last):
        """Sequence classification logits of one sequence, from its last token."""
        return self.linear("score", last[-1])


class Gpt2(Decoder):
    """Learned positions, layer norms, and a feed-forward block without a gate."""

    def linear(self, name, x):
        """Hugging Face's Conv1D keeps the weights of the layers as (inputs, outputs)."""
        if not name.startswith("transformer."):
            return super().linear(name, x)
        return x @ self.parameters[name + ".weight"] + self.parameters[name + ".bias"]

    def norm(self, name, x):
        """Ba et al. 2016 (arXiv:1607.06450), eq. (4), with a constant inside the root."""
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + self.family.epsilon)
        return scaled * self.parameters[name + ".weight"] + self.parameters[name + ".bias"]

    def embed(self, ids):
        return self.vocabulary_rows()[ids] + self.parameters["transformer.wpe.weight"][: len(ids)]

    def layer(self, index, x):
        at = f"transformer.h.{index}."
        parts = self.linear(at + "attn.c_attn", self.norm(at + "ln_1", x)).chunk(3, dim=-1)
        heads = [part.split(self.family.head_size, dim=-1) for part in parts]
        x = x + self.linear(at + "attn.c_proj", self.attend(index, *heads))
        h = ACTIVATIONS[self.family.activation](self.linear(at + "mlp.c_fc", self.norm(at + "ln_2", x)))
        return x + self.linear(at + "mlp.c_proj", h)

    def last_norm(self, x):
        return self.norm("transformer.ln_f", x)

    def vocabulary_rows(self):
        return self.parameters["transformer.wte.weight"]


def decoder(family, parameters):
    return (Gpt2 if family.model_type == "gpt2" else Decoder)(family, parameters)


def attention_shapes(family, at):
    inner, keys = HEADS * family.head_size, family.key_heads * family.head_size
    shapes = {at + "qkv_proj.weight": (inner + 2 * keys, HIDDEN)} if family.fused else {
        at + "q_proj.weight": (inner, HIDDEN),
        at + "k_proj.weight": (keys, HIDDEN),
        at + "v_proj.weight": (keys, HIDDEN),
    }
    shapes[at + "o_proj.weight"] = (HIDDEN, inner)
    if family.head_norms:
        shapes.update({at + name: (family.head_size,) for name in ("q_norm.weight", "k_norm.weight")})
    return shapes


def feed_forward_shapes(family, at):
    inner = family.intermediate
    shapes = {at + "gate_up_proj.weight": (2 * inner, HIDDEN)} if family.fused else {
        at + "gate_proj.weight": (inner, HIDDEN),
        at + "up_proj.weight": (inner, HIDDEN),
    }
    return {**shapes, at + "down_proj.weight": (HIDDEN, inner)}


def backbone_shapes(family):
    if family.model_type == "gpt2":
        return gpt2_shapes(family)
    norms = ["input_layernorm", "post_attention_layernorm"]
    if family.closing_norms:
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for index in range(family.layers):
        at = f"model.layers.{index}."
        shapes.update({f"{at}{name}.weight": (HIDDEN,) for name in norms})
        shapes.update(attention_shapes(family, at + "self_attn."))
        shapes.update(feed_forward_shapes(family, at + "mlp."))
    for name, shape in list(shapes.items()):
        module = name[: -len(".weight")]
        if module.endswith(family.biased):
            shapes[module + ".bias"] = shape[:1]
    return {**shapes, "model.norm.weight": (HIDDEN,)}


def gpt2_shapes(family):
    shapes = {"transformer.wte.weight": (VOCABULARY, HIDDEN), "transformer.wpe.weight": (POSITIONS, HIDDEN)}
    for index in range(family.layers):
        at, inner = f"transformer.h.{index}.", family.intermediate
        for name, shape in (
            ("ln_1", (HIDDEN,)),
            ("attn.c_attn", (HIDDEN, 3 * HIDDEN)),
            ("attn.c_proj", (HIDDEN, HIDDEN)),
            ("ln_2", (HIDDEN,)),
            ("mlp.c_fc", (HIDDEN, inner)),
            ("mlp.c_proj", (inner, HIDDEN)),
        ):
            shapes.update({f"{at}{name}.weight": shape, f"{at}{name}.bias": shape[-1:]})
    return {**shapes, "transformer.ln_f.weight": (HIDDEN,), "transformer.ln_f.bias": (HIDDEN,)}


def head_shapes(family, head, labels):
    if head == "single-label":
        return {"score.weight": (labels, HIDDEN)}
    if head == "token-classification":
        return {"classifier.weight": (labels, HIDDEN), "classifier.bias": (labels,)}
    return {} if family.tied else {"lm_head.weight": (VOCABULARY, HIDDEN)}
