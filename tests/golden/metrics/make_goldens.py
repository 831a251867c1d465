#!/usr/bin/python3
"""Writes expected.json beside it: inputs and the values scikit-learn and SciPy give for them.

Needs Debian's python3-sklearn and python3-scipy; the tests do not. Scores are multiples of 1/8 and probabilities of
1/64, so they are exact in float32 and there are ties.
"""
import json
import pathlib
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics

warnings.simplefilter("ignore")  # classes that are absent on purpose


def classification(seed, n, classes, absent):
    random = np.random.RandomState(seed)
    present = [c for c in range(classes) if c not in absent]
    truth = random.choice(present, n)
    predicted = np.where(random.rand(n) < 0.6, truth, random.choice(present, n))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(classes), zero_division=0)
    macro = metrics.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    return {
        "classes": classes, "truth": truth.tolist(), "predicted": predicted.tolist(),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=range(classes)).ravel().tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted), "mcc": metrics.matthews_corrcoef(truth, predicted),
        "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist(),
        "macro_precision": macro[0], "macro_recall": macro[1], "macro_f1": macro[2],
        "micro_f1": metrics.f1_score(truth, predicted, average="micro"),
    }


def ranking(seed, n):
    random = np.random.RandomState(seed)
    positive = random.randint(0, 2, n)
    scores = (random.randint(0, 12, n) + 3 * positive) / 8
    return {"positive": positive.tolist(), "scores": scores.tolist(), "ranks": stats.rankdata(scores).tolist(),
            "auc": metrics.roc_auc_score(positive, scores)}


def probabilities(seed, n, classes):
    random = np.random.RandomState(seed)
    truth = random.randint(0, classes, n)
    rows = np.stack([random.multinomial(64, random.dirichlet(np.ones(classes) + 2 * np.eye(classes)[t])) for t in truth])
    rows = rows / 64
    return {"classes": classes, "truth": truth.tolist(), "probabilities": rows.ravel().tolist(),
            "log_loss": metrics.log_loss(truth, rows, labels=range(classes)),
            "auc_one_vs_rest": metrics.roc_auc_score(truth, rows, multi_class="ovr")}


def regression(seed, n):
    random = np.random.RandomState(seed)
    truth = random.randint(-20, 20, n) / 8
    predicted = (truth * 8 + random.randint(-10, 10, n)) / 8
    return {"truth": truth.tolist(), "predicted": predicted.tolist(),
            "mse": metrics.mean_squared_error(truth, predicted), "mae": metrics.mean_absolute_error(truth, predicted),
            "pearson": stats.pearsonr(truth, predicted)[0], "spearman": stats.spearmanr(truth, predicted)[0]}


def multi_label(seed, n, labels):
    random = np.random.RandomState(seed)
    truth = (random.rand(n, labels) < 0.4).astype(int)
    scores = np.clip(random.randint(0, 65, (n, labels)) + 16 * truth, 0, 64) / 64
    predicted = (scores >= 0.5).astype(int)
    return {"labels": labels, "truth": truth.ravel().tolist(), "predicted": predicted.ravel().tolist(),
            "scores": scores.ravel().tolist(),
            "micro_f1": metrics.f1_score(truth, predicted, average="micro"),
            "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
            "auc": [metrics.roc_auc_score(truth[:, i], scores[:, i]) for i in range(labels)]}


def statistics():
    wilson = []
    for hits, n in [(0, 10), (1, 10), (5, 10), (10, 10), (277, 300), (2790, 3000)]:
        interval = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
        wilson.append({"hits": hits, "n": n, "low": interval.low, "high": interval.high})
    mcnemar = [{"only_a": a, "only_b": b, "p": stats.binomtest(a, a + b, 0.5).pvalue}
               for a, b in [(0, 5), (3, 9), (4, 4), (10, 25), (900, 1000)]]
    values = sorted((np.random.RandomState(9).randint(0, 100, 23) / 8).tolist())
    quantiles = [{"q": q, "value": float(np.quantile(values, q))} for q in [0, 0.025, 0.3, 0.5, 0.975, 1]]
    return {"wilson": wilson, "mcnemar": mcnemar, "values": values, "quantiles": quantiles}


expected = {
    "classification": [classification(1, 60, 2, []), classification(2, 90, 4, []), classification(3, 80, 5, [1, 4])],
    "ranking": [ranking(4, 50), ranking(5, 7)],
    "probabilities": [probabilities(6, 60, 3), probabilities(7, 40, 5)],
    "regression": [regression(8, 40), regression(9, 5)],
    "multi_label": [multi_label(10, 40, 4)],
    "statistics": statistics(),
}
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text("{\n" + ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in expected.items()) + "\n}\n")
