#!/usr/bin/python3
"""Writes the folders of tasks whose examples are several sequences; see ../README.md."""
import numpy
import torch

from configs import CLASS_NAMES, model_config
from encoders import FAMILIES, HIDDEN, VOCABULARY, Encoder, backbone_shapes, linear_shapes
from make_goldens import (
    FIRST_ORDINARY_TOKEN,
    FOLDER,
    as_leaves,
    random_parameters,
    random_source,
    read_model,
)
from tensor_file import write_json, write_safetensors

# Tokens of every sequence, example by example: windows of a context, choices of a question, texts that are compared.
WINDOWS = ((9, 12), (7,), (11, 5, 6))
CHOICES = ((7, 5, 9), (4, 8), (6, 3, 5, 10))
PAIRS = ((6, 8), (4, 5, 7), (9, 3), (5, 8))
TRIPLETS = ((6, 8, 4), (4, 5, 7), (9, 3, 5), (5, 8, 10))


class HeadEncoder(Encoder):
    """The heads of Hugging Face's ...ForQuestionAnswering and ...ForMultipleChoice."""

    def span(self, last):
        """Start and end logits of every token."""
        return self.linear("qa_outputs", last)

    def score(self, last):
        """One number for a choice: BERT and RoBERTa pool the first token, DistilBERT has a dense layer of its own."""
        if self.family.model_type == "distilbert":
            return self.linear("classifier", torch.relu(self.linear("pre_classifier", last[0])))
        return self.linear("classifier", torch.tanh(self.linear(self.prefix + "pooler.dense", last[0])))


def head_shapes(family, head):
    if head == "question-answering":
        return linear_shapes("qa_outputs", 2, HIDDEN)
    inner = "pre_classifier" if family.model_type == "distilbert" else family.module + ".pooler.dense"
    return {**linear_shapes(inner, HIDDEN, HIDDEN), **linear_shapes("classifier", 1, HIDDEN)}


def random_sequences(family, lengths, source):
    ids, types = [], []
    for length in (count for example in lengths for count in example):
        row = source.randint(FIRST_ORDINARY_TOKEN, VOCABULARY, length)
        row[0] = family.first_token
        ids.append(row)
        types.append(((numpy.arange(length) > length // 2) & (family.segments > 1)).astype(numpy.int64))
    return ids, types


def span_labels(lengths, source):
    """First and last token of the answer in each window; the first token where it is not in this window."""
    labels = []
    for count in (count for example in lengths for count in example):
        first, last = sorted(source.randint(2, count, 2))
        labels.append((0, 0) if source.uniform() < 0.3 else (first, last))
    return numpy.array(labels)


def span_loss(logits, labels):
    """Devlin et al. 2018, section 4.2, with Hugging Face's mean of start and end, over the windows."""
    losses = []
    for window, (first, last) in zip(logits, labels):
        log_shares = torch.log_softmax(window, dim=0)
        losses.append(-(log_shares[first, 0] + log_shares[last, 1]) / 2)
    return torch.stack(losses).mean()


def choice_loss(scores, labels):
    """Softmax over the choices of a question."""
    return torch.stack([-torch.log_softmax(torch.cat(one), dim=0)[label] for one, label in zip(scores, labels)]).mean()


def cosine(a, b):
    return (a * b).sum() / torch.sqrt((a * a).sum() * (b * b).sum())


def retrieval_loss(texts, tokens, scale):
    """Henderson et al. 2017, section 4: each anchor against all second and further texts of the batch. A text of the
    same tokens as its own is not a wrong one."""
    losses = []
    for example, own in zip(texts, tokens):
        scores = [scale * cosine(example[0], example[1])]
        for others, other_tokens in zip(texts, tokens):
            for text, words in zip(others[1:], other_tokens[1:]):
                if list(words) != list(own[1]):
                    scores.append(scale * cosine(example[0], text))
        losses.append(-torch.log_softmax(torch.stack(scores), dim=0)[0])
    return torch.stack(losses).mean()


def triplet_loss(texts, distance, margin):
    """Schroff et al. 2015, eq. 2: max(0, d(a, p) - d(a, n) + margin)."""
    losses = [torch.relu(distance(a, p) - distance(a, n) + margin) for a, p, n in texts]
    assert any(loss > 0 for loss in losses)
    return torch.stack(losses).mean()


def cosine_distance(a, b):
    return 1 - cosine(a, b)


def euclidean_distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum())


def by_example(items, lengths):
    items, groups = list(items), []
    for example in lengths:
        groups.append(items[: len(example)])
        items = items[len(example) :]
    return groups


def write_expected(name, batch, lengths, labels, outputs, loss, leaves):
    """`outputs`: what the head or the pooling gives for each sequence."""
    ids, types = batch
    outputs = torch.cat([output.reshape(-1, output.shape[-1]) for output in outputs])
    loss.backward()
    expected = {
        "input_ids": numpy.concatenate(ids),
        "token_type_ids": numpy.concatenate(types),
        "offsets": numpy.cumsum([0, *map(len, ids)]),
        "examples": numpy.cumsum([0, *map(len, lengths)]),
        "labels": labels,
        "logits": outputs.detach().numpy(),
        "loss": loss.detach().numpy(),
    }
    for key, leaf in leaves.items():
        if leaf.grad is not None:
            expected["grad." + key] = leaf.grad.numpy()
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "expected.safetensors", expected)


def last_states(encoder, batch):
    return [encoder.hidden_states(torch.tensor(ids), torch.tensor(types))[-1] for ids, types in zip(*batch)]


def smooth_choices(family, encoder, source):
    """DistilBERT's head has a ReLU. Sequences are drawn until none of its units is so near zero that rounding to
    bfloat16 may switch it, and with it a whole column of gradients."""
    while True:
        batch = random_sequences(family, CHOICES, source)
        if family.model_type != "distilbert":
            return batch
        first = torch.stack([last[0] for last in last_states(encoder, batch)])
        if encoder.linear("pre_classifier", first).abs().min() > 0.02:
            return batch


def make_model(family_name, head):
    """A Hugging Face folder with the head, and what it gives."""
    family, name = FAMILIES[family_name], f"{family_name}-{head}"
    source, prefix = random_source(name), family.module + "."
    values = random_parameters({**backbone_shapes(family, prefix), **head_shapes(family, head)}, source)
    leaves = as_leaves(values, trainable=True)
    encoder = HeadEncoder(family, leaves, prefix)
    if head == "question-answering":
        batch = random_sequences(family, WINDOWS, source)
        labels, lengths = span_labels(WINDOWS, source), WINDOWS
        outputs = [encoder.span(last) for last in last_states(encoder, batch)]
        loss = span_loss(outputs, labels)
    else:
        batch = smooth_choices(family, encoder, source)
        labels, lengths = numpy.array([source.randint(len(example)) for example in CHOICES]), CHOICES
        outputs = [encoder.score(last) for last in last_states(encoder, batch)]
        loss = choice_loss(by_example(outputs, lengths), labels)
    write_expected(name, batch, lengths, labels, outputs, loss, leaves)
    config = model_config(family, head, 0)
    ending = "ForQuestionAnswering" if head == "question-answering" else "ForMultipleChoice"
    config["architectures"] = [CLASS_NAMES[family.model_type] + ending]
    write_json(FOLDER / name / "config.json", config)
    write_safetensors(FOLDER / name / "model.safetensors", values)


def make_sentences(name, lengths, loss_of):
    """What a task over mean-pooled embeddings makes of bert-sentence-embedding."""
    family, source = FAMILIES["bert"], random_source(name)
    leaves = as_leaves(read_model("bert-sentence-embedding"), trainable=True)
    batch = random_sequences(family, lengths, source)
    if name.endswith("retrieval"):
        batch[0][-1][:] = batch[0][1][: len(batch[0][-1])]  # the last pair's text is the first pair's
        batch[1][-1][:] = batch[1][1][: len(batch[1][-1])]
    outputs = [last.mean(dim=0) for last in last_states(Encoder(family, leaves, ""), batch)]
    scores = source.uniform(-1.0, 1.0, len(lengths)).astype(numpy.float32).astype(numpy.float64)
    loss = loss_of(by_example(outputs, lengths), by_example(batch[0], lengths), scores)
    write_expected(name, batch, lengths, scores, outputs, loss, leaves)


def main():
    torch.set_num_threads(1)
    for family in ("bert", "roberta", "distilbert"):
        for head in ("question-answering", "multiple-choice"):
            make_model(family, head)
    make_sentences("bert-sentence-retrieval", PAIRS, lambda texts, tokens, _: retrieval_loss(texts, tokens, 20.0))
    make_sentences(
        "bert-sentence-triplets", TRIPLETS, lambda texts, *_: triplet_loss(texts, cosine_distance, 0.5))
    make_sentences(
        "bert-sentence-triplets-euclidean", TRIPLETS, lambda texts, *_: triplet_loss(texts, euclidean_distance, 0.7))
    make_sentences(
        "bert-sentence-similarity",
        tuple(example[:2] for example in TRIPLETS),
        lambda texts, _, scores: torch.stack(
            [(cosine(a, b) - score) ** 2 for (a, b), score in zip(texts, scores)]).mean())


if __name__ == "__main__":
    main()
