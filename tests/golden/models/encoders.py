"""BERT, RoBERTa and DistilBERT encoders and heads in float64, written from their papers' equations.

Devlin et al. 2019 (arXiv:1810.04805), Liu et al. 2019 (arXiv:1907.11692), Sanh et al. 2019 (arXiv:1910.01108). The
names, shapes and head layouts are those of Hugging Face model folders. There is no dropout: evaluation mode.
Each sequence is computed on its own, so no padding and no mask is involved. x: (tokens, channels).
"""
import math

import torch

HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCABULARY, POSITIONS = 32, 4, 2, 40, 48, 16

BERT_NAMES = {
    "layer": "encoder.layer.{}.",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}
DISTILBERT_NAMES = {
    "layer": "transformer.layer.{}.",
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention_output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "up": "ffn.lin1",
    "down": "ffn.lin2",
    "output_norm": "output_layer_norm",
}


class Family:
    """What differs between the families: names, positions, segments, the layer norm's epsilon."""

    def __init__(self, model_type, module, names, epsilon, segments, first_position, pad, first_token):
        self.model_type = model_type
        self.module = module  # the backbone's name inside a model with a head
        self.names = names
        self.epsilon = epsilon
        self.segments = segments  # rows of the token type table; 0: none
        self.first_position = first_position
        self.pad = pad
        self.first_token = first_token


FAMILIES = {
    "bert": Family("bert", "bert", BERT_NAMES, 1e-12, 2, 0, 0, 2),
    # Position ids start after the padding id: padding_idx + 1 + index.
    "roberta": Family("roberta", "roberta", BERT_NAMES, 1e-5, 1, 2, 1, 0),
    "xlm-roberta": Family("xlm-roberta", "roberta", BERT_NAMES, 1e-5, 1, 2, 1, 0),
    "distilbert": Family("distilbert", "distilbert", DISTILBERT_NAMES, 1e-12, 0, 0, 0, 2),
}


def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


class Encoder:
    """Forward pass over a dictionary of parameters; adapters override `linear` and `close_block`."""

    def __init__(self, family, parameters, prefix):
        self.family = family
        self.parameters = parameters
        self.prefix = prefix  # "" for a bare backbone, else "bert."

    def linear(self, name, x):
        return x @ self.parameters[name + ".weight"].T + self.parameters[name + ".bias"]

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = (centred * centred).mean(-1, keepdim=True)
        scaled = centred / torch.sqrt(variance + self.family.epsilon)
        return scaled * self.parameters[name + ".weight"] + self.parameters[name + ".bias"]

    def close_block(self, dense, norm, h, x):
        """Ends a sub-layer: h is its output, x its input. Post-norm: LN(h + x)."""
        return self.norm(norm, h + x)

    def embed(self, ids, types):
        table = self.prefix + "embeddings."
        x = self.parameters[table + "word_embeddings.weight"][ids]
        first = self.family.first_position
        positions = torch.arange(first, first + len(ids))
        x = x + self.parameters[table + "position_embeddings.weight"][positions]
        if self.family.segments:
            x = x + self.parameters[table + "token_type_embeddings.weight"][types]
        return self.norm(table + "LayerNorm", x)

    def attend(self, q, k, v):
        """softmax(QK'/sqrt(d))V per head, heads side by side in the channels."""
        size = HIDDEN // HEADS
        outputs = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            weights = torch.softmax(q[:, part] @ k[:, part].T / math.sqrt(size), dim=-1)
            outputs.append(weights @ v[:, part])
        return torch.cat(outputs, dim=-1)

    def layer(self, index, x):
        names = self.family.names
        at = {role: self.prefix + names["layer"].format(index) + name for role, name in names.items()}
        q, k, v = (self.linear(at[role], x) for role in ("query", "key", "value"))
        h = self.linear(at["attention_output"], self.attend(q, k, v))
        x = self.close_block(at["attention_output"], at["attention_norm"], h, x)
        h = self.linear(at["down"], gelu(self.linear(at["up"], x)))
        return self.close_block(at["down"], at["output_norm"], h, x)

    def hidden_states(self, ids, types):
        """The embeddings' output, then every layer's."""
        states = [self.embed(ids, types)]
        for index in range(LAYERS):
            states.append(self.layer(index, states[-1]))
        return states

    def classify(self, last):
        """Sequence classification logits of one sequence."""
        if self.family.model_type == "bert":
            return self.linear("classifier", torch.tanh(self.linear("bert.pooler.dense", last[0])))
        if self.family.model_type == "distilbert":
            return self.linear("classifier", torch.relu(self.linear("pre_classifier", last[0])))
        return self.linear("classifier.out_proj", torch.tanh(self.linear("classifier.dense", last[0])))

    def before_decoder(self, h):
        return h

    def predict_words(self, last):
        """Masked language model logits; the decoder's weight is the word embedding."""
        dense, norm, bias = MASKED_LM_NAMES[self.family.module]
        h = self.before_decoder(self.norm(norm, gelu(self.linear(dense, last))))
        words = self.parameters[self.prefix + "embeddings.word_embeddings.weight"]
        return h @ words.T + self.parameters[bias]


MASKED_LM_NAMES = {
    "bert": ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"),
    "roberta": ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
    "distilbert": ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
}


def linear_shapes(name, outputs, inputs):
    return {name + ".weight": (outputs, inputs), name + ".bias": (outputs,)}


def norm_shapes(name):
    return {name + ".weight": (HIDDEN,), name + ".bias": (HIDDEN,)}


def backbone_shapes(family, prefix):
    table = prefix + "embeddings."
    shapes = {table + "word_embeddings.weight": (VOCABULARY, HIDDEN)}
    shapes[table + "position_embeddings.weight"] = (POSITIONS, HIDDEN)
    if family.segments:
        shapes[table + "token_type_embeddings.weight"] = (family.segments, HIDDEN)
    shapes.update(norm_shapes(table + "LayerNorm"))
    for index in range(LAYERS):
        at = prefix + family.names["layer"].format(index)
        for role in ("query", "key", "value", "attention_output"):
            shapes.update(linear_shapes(at + family.names[role], HIDDEN, HIDDEN))
        shapes.update(linear_shapes(at + family.names["up"], INTERMEDIATE, HIDDEN))
        shapes.update(linear_shapes(at + family.names["down"], HIDDEN, INTERMEDIATE))
        shapes.update(norm_shapes(at + family.names["attention_norm"]))
        shapes.update(norm_shapes(at + family.names["output_norm"]))
    return shapes


def head_shapes(family, head, labels):
    if head == "sentence-embedding":
        return {}
    if head == "masked-lm":
        dense, norm, bias = MASKED_LM_NAMES[family.module]
        return {**linear_shapes(dense, HIDDEN, HIDDEN), **norm_shapes(norm), bias: (VOCABULARY,)}
    if head == "token-classification":
        return linear_shapes("classifier", labels, HIDDEN)
    inner = {"bert": "bert.pooler.dense", "distilbert": "pre_classifier", "roberta": "classifier.dense"}
    outer = "classifier.out_proj" if family.module == "roberta" else "classifier"
    return {**linear_shapes(inner[family.module], HIDDEN, HIDDEN), **linear_shapes(outer, labels, HIDDEN)}
