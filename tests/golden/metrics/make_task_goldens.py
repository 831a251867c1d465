#!/usr/bin/python3
"""Writes tasks.json beside it: inputs and figures of the tasks over several texts, from plain implementations of their
definitions: SQuAD's exact match and F1 (Rajpurkar et al. 2016, section 6.1), recall among the first k and the mean
reciprocal rank by cosine, the share of triplets in the right order, and Spearman's rank correlation of cosines.
"""
import collections
import json
import math
import pathlib
import random
import re
import string

ARTICLES = re.compile(r"\b(a|an|the)\b")

# Context, what was picked, what people picked (none: the question has no answer).
ANSWERS = [
    ("The Amazon rainforest, in South America.", "The Amazon rainforest", ["Amazon rainforest", "the Amazon"]),
    ("The Amazon rainforest, in South America.", "South America.", ["in South America"]),
    ("It was built in 1889, not in 1887.", "1887", ["1889", "in 1889"]),
    ("He said an apple a day keeps the doctor away.", "apple a day keeps the doctor", ["an apple", "the doctor"]),
    ("Zwölf Boxkämpfer jagen Viktor.", "Boxkämpfer jagen", ["Zwölf Boxkämpfer jagen Viktor"]),
    ("Nobody knows who wrote the poem.", "", []),
    ("Nobody knows who wrote the poem.", "who wrote", []),
    ("Twice two words: two words.", "two words: two words", ["two words two"]),
    ("She left the U.S. in May.", "", ["May"]),
    ("She left the U.S. in May.", "U.S.", ["the US"]),
]


def normalised(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(ARTICLES.sub(" ", text).split())


def exact(found, truths):
    return float(any(normalised(found) == normalised(truth) for truth in truths or [""]))


def overlap(found, truth):
    a, b = normalised(found).split(), normalised(truth).split()
    if not a or not b:
        return float(a == b)
    shared = sum((collections.Counter(a) & collections.Counter(b)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(a), shared / len(b)
    return 2 * precision * recall / (precision + recall)


def f1(found, truths):
    return max(overlap(found, truth) for truth in truths or [""])


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def questions():
    rows = [
        {"context": c, "start": c.index(found) if found else 0, "length": len(found), "truths": truths}
        for c, found, truths in ANSWERS
    ]
    judged = [(exact(found, truths), f1(found, truths), bool(truths)) for _, found, truths in ANSWERS]
    return {
        "rows": rows,
        "exact_match": mean(e for e, _, _ in judged),
        "f1": mean(f for _, f, _ in judged),
        "answerable_exact_match": mean(e for e, _, known in judged if known),
        "answerable_f1": mean(f for _, f, known in judged if known),
        "no_answer_accuracy": mean(e for e, _, known in judged if not known),
    }


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))


def vector(source):
    """Multiples of 1/8, exact in float32."""
    return [source.randint(-16, 16) / 8 for _ in range(5)]


def near(source, a):
    return [x + source.randint(-9, 9) / 8 for x in a]


def retrieval(source):
    """Anchor, its own text, one that does not belong to it; every text has tokens of its own."""
    rows = []
    for _ in range(24):
        anchor = vector(source)
        rows.append([anchor, near(source, anchor), near(source, anchor)])
    candidates = [text for row in rows for text in row[1:]]
    ranks = []
    for row in rows:
        own = cosine(row[0], row[1])
        better = sum(1 for text in candidates if text is not row[1] and cosine(row[0], text) >= own)
        ranks.append(1 + better)
    figures = {f"recall_at_{k}": mean(float(rank <= k) for rank in ranks) for k in (1, 5, 10)}
    return {"rows": rows, **figures, "mean_reciprocal_rank": mean(1 / rank for rank in ranks)}


def triplets(source):
    rows = []
    for _ in range(20):
        anchor = vector(source)
        rows.append([anchor, near(source, anchor), near(source, anchor)])
    leads = [cosine(a, p) - cosine(a, n) for a, p, n in rows]
    return {
        "rows": rows,
        "cosine_accuracy": mean(float(lead > 0) for lead in leads),
        "euclidean_accuracy": mean(float(distance(a, p) < distance(a, n)) for a, p, n in rows),
        "mean_cosine_advantage": mean(leads),
    }


def ranks_of(values):
    """From 1; equal values share the mean of their places."""
    return [1 + sum(w < v for w in values) + (sum(w == v for w in values) - 1) / 2 for v in values]


def correlation(a, b):
    ma, mb = mean(a), mean(b)
    cross = sum((x - ma) * (y - mb) for x, y in zip(a, b))
    return cross / math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))


def similarity(source):
    rows, scores = [], []
    for _ in range(20):
        a = vector(source)
        rows.append([a, near(source, a)])
        scores.append(source.randint(0, 8) / 8)
    found = [cosine(a, b) for a, b in rows]
    return {
        "rows": rows,
        "scores": scores,
        "spearman": correlation(ranks_of(found), ranks_of(scores)),
        "pearson": correlation(found, scores),
        "mse": mean((x - y) ** 2 for x, y in zip(found, scores)),
    }


def main():
    source = random.Random(5)
    figures = {
        "question-answering": questions(),
        "sentence-retrieval": retrieval(source),
        "sentence-triplets": triplets(source),
        "sentence-similarity": similarity(source),
    }
    path = pathlib.Path(__file__).resolve().parent / "tasks.json"
    path.write_text(json.dumps(figures, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
