#!/usr/bin/python3
"""One LoRA training step of a BERT encoder in PyTorch, as its users run it: the contender `pytorch` of this benchmark.

Weights are random (only the speed counts), the base is frozen, dropout is off, the attention is softmax(QK')V in three
calls, the optimizer is AdamW on the adapters and the head. Prints one JSON line.

    bench/train_step/pytorch.py --model minilm-l6 --targets qv --dtype f32
    bench/train_step/pytorch.py --model minilm-l6 --targets qv --dtype bf16 --lengths FILE

Each line of FILE is a batch: the token counts of its sentences. A batch is padded to its longest sentence.
"""
import argparse
import json
import math
import pathlib
import resource
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from pytorch_lora import adapt, measure, require_optimized_blas  # before torch

import torch
from torch import nn

MODELS = {
    "minilm-l6": {"hidden": 384, "layers": 6, "heads": 12, "intermediate": 1536},
    "bert-base": {"hidden": 768, "layers": 12, "heads": 12, "intermediate": 3072},
}
VOCABULARY, POSITIONS, CLASSES = 30522, 512, 2


class Layer(nn.Module):
    def __init__(self, hidden, heads, intermediate):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(hidden, hidden) for _ in range(4))
        self.attention_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.up = nn.Linear(hidden, intermediate)
        self.down = nn.Linear(intermediate, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-12)

    def split(self, x):
        rows, tokens, hidden = x.shape
        return x.view(rows, tokens, self.heads, hidden // self.heads).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores + mask
        context = (scores.softmax(-1) @ v).permute(0, 2, 1, 3).reshape(x.shape)
        x = self.attention_norm(self.output(context) + x)
        return self.norm(self.down(nn.functional.gelu(self.up(x))) + x)


class Classifier(nn.Module):
    def __init__(self, hidden, layers, heads, intermediate):
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, hidden)
        self.positions = nn.Embedding(POSITIONS, hidden)
        self.types = nn.Embedding(2, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(hidden, heads, intermediate) for _ in range(layers))
        self.pooler = nn.Linear(hidden, hidden)
        self.classifier = nn.Linear(hidden, CLASSES)

    def forward(self, ids, mask):
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1])) + self.types(torch.zeros_like(ids))
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


def adapted_model(shape, targets):
    model = Classifier(**shape)
    model.requires_grad_(False)
    names = ("query", "value") if targets == "qv" else ("query", "key", "value", "output", "up", "down")
    adapt(model.layers, names)
    # The pooler is part of the base.
    model.classifier.requires_grad_(True)
    return model


def make_batch(lengths):
    """Ids, additive mask (None when nothing is padded) and labels of one batch."""
    longest = max(lengths)
    ids = torch.randint(5, VOCABULARY, (len(lengths), longest))
    mask = None
    if min(lengths) < longest:
        padded = torch.arange(longest)[None] >= torch.tensor(lengths)[:, None]
        mask = torch.zeros(len(lengths), 1, 1, longest).masked_fill(padded[:, None, None], torch.finfo(torch.float32).min)
        ids = ids.masked_fill(padded, 0)
    return ids, mask, torch.randint(0, CLASSES, (len(lengths),))


def train_step(model, optimizer, batch, dtype):
    ids, mask, labels = batch
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bf16"):
        logits = model(ids, mask)
        loss = nn.functional.cross_entropy(logits.float(), labels)
    loss.backward()
    optimizer.step()


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--targets", choices=("qv", "all"), default="qv")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--lengths", help="a file of sentence lengths, one batch per line; without it, 8 rows of 128 tokens")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    require_optimized_blas()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    batch_lengths = [[128] * 8]
    if arguments.lengths:
        with open(arguments.lengths, encoding="utf-8") as file:
            batch_lengths = [[int(word) for word in line.split()] for line in file if line.strip()]
    model = adapted_model(MODELS[arguments.model], arguments.targets)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    batches = [make_batch(lengths) for lengths in batch_lengths]
    passes = measure(lambda batch: train_step(model, optimizer, batch, arguments.dtype), batches, arguments.seconds)
    typical = statistics.median(passes)
    result = {
        "contender": "pytorch",
        "model": arguments.model,
        "targets": arguments.targets,
        "dtype": arguments.dtype,
        "work": "text" if arguments.lengths else "8x128",
        "tokens_per_second": sum(map(sum, batch_lengths)) / typical,
        "ms_per_step": 1000 * typical / len(batches),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
