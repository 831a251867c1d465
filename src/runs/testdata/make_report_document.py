"""Writes report_document.json: a made-up run with every section of runs/report.h, for the tests of the report and for
looking at it. The figures are invented but fit together; nothing is random.

    python3 make_report_document.py > report_document.json
"""
import json
import math

LABELS = ["delivery", "product quality", "price", "service", "returns"]
COUNTS = [[121, 3, 1, 6, 2], [2, 148, 7, 2, 1], [1, 9, 88, 1, 0], [8, 2, 1, 117, 5], [3, 1, 0, 6, 85]]


def wobble(i, scale):
    """A fixed sequence that looks like noise."""
    return scale * (math.sin(i * 12.9898) * 43758.5453 % 1 - 0.5)


def classes():
    rows = []
    for k, label in enumerate(LABELS):
        predicted = sum(row[k] for row in COUNTS)
        support = sum(COUNTS[k])
        precision, recall = COUNTS[k][k] / predicted, COUNTS[k][k] / support
        rows.append({"label": label, "precision": round(precision, 4), "recall": round(recall, 4),
                     "f1": round(2 * precision * recall / (precision + recall), 4), "support": support})
    return rows


def curves():
    train = [{"step": s, "loss": round(0.21 + 1.42 * math.exp(-s / 85) + wobble(s, 0.30) * math.exp(-s / 400), 4)}
             for s in range(1, 481)]
    f1 = [0.611, 0.782, 0.853, 0.881, 0.896, 0.907, 0.904, 0.901]
    loss = [1.02, 0.66, 0.49, 0.41, 0.372, 0.355, 0.361, 0.378]
    validation = [{"step": 60 * (e + 1), "epoch": e + 1, "value": f1[e], "loss": loss[e]} for e in range(8)]
    return {"train": train, "validation": validation, "metric": "macro-F1", "best_step": 360}


MISTAKES = [
    ("Arrived two days early, and the driver even carried it upstairs. Shame about what was in the box.",
     "product quality", "delivery", 0.994),
    ("I would have paid twice as much for one that lasts.", "product quality", "price", 0.981),
    ("Nobody answers the phone, and now they want me to pay the postage for sending it back.", "returns", "service",
     0.977),
    ("Fine.", "service", "product quality", 0.962),
    ("<b>Great</b> & cheap, \"as described\" </section><script>alert(1)</script>", "price", "product quality", 0.951),
    ("Der Kundendienst war freundlich, aber das Paket kam nie an.", "delivery", "service", 0.948),
    ("The refund took five weeks. Five weeks!", "returns", "service", 0.936),
    ("It says 12 in the picture, I got 10, for the price of 12.", "price", "product quality", 0.921),
    ("التوصيل كان سريعا لكن السعر مرتفع", "price", "delivery", 0.904),
    ("Courier left it with a neighbour I have never met; when I complained I got a voucher, which I found rather "
     "generous and which I have since spent on a second one, so all is forgiven.", "delivery", "service", 0.887),
]


def calibration():
    confidence = [0.0, 0.0, 0.27, 0.36, 0.46, 0.55, 0.65, 0.76, 0.86, 0.97]
    accuracy = [0.0, 0.0, 0.33, 0.40, 0.41, 0.56, 0.58, 0.71, 0.81, 0.955]
    count = [0, 0, 3, 5, 17, 25, 31, 42, 74, 423]
    return {"error": 0.027, "bins": [{"low": i / 10, "high": (i + 1) / 10, "count": count[i],
                                      "confidence": confidence[i], "accuracy": accuracy[i]} for i in range(10)]}


def moved():
    sites = ["attention.self.query", "attention.self.value", "output.dense"]
    grid = [[round(0.004 + 0.003 * layer + 0.01 * (k == 1) + wobble(9 * k + layer, 0.002), 5) for layer in range(6)]
            for k in range(3)]
    grid[2][0] = None
    return {"sites": sites, "layers": [str(i) for i in range(6)], "grid": grid}


def trained():
    sites = ["query", "key", "value", "attention output", "intermediate", "output"]
    full = [6144, 0, 6144, 0, 15360, 15360]
    grid = [[n if n != 15360 or layer >= 3 else 0 for layer in range(6)] for n in full]
    total = sum(map(sum, grid)) + 1925
    return {"method": "LoRA, r = 8, α = 16", "parameters": total, "base_parameters": 22713216, "file_bytes": 672312,
            "sites": sites, "layers": [str(i) for i in range(6)], "grid": grid,
            "other": [{"name": "head", "parameters": 1925}]}


COMPARISON = [
    ("LoRA r=8", 0.907, 0.879, 0.931, 167813, 74.2, True),
    ("bottleneck 48", 0.901, 0.872, 0.926, 227525, 81.0, False),
    ("IA3", 0.873, 0.841, 0.902, 15749, 66.8, False),
    ("prefix 16", 0.858, 0.824, 0.888, 148997, 79.5, False),
    ("full fine-tuning", 0.904, 0.876, 0.929, 22715141, 214.0, False),
    ("head only", 0.741, 0.702, 0.779, 1925, 21.4, False),
]


def main():
    folds = [[0.902, 0.897, 0.311], [0.917, 0.909, 0.287], [0.895, 0.889, 0.342], [0.908, 0.904, 0.305],
             [0.911, 0.906, 0.298]]
    document = {
        "title": "Reviews by topic: LoRA on MiniLM-L6",
        "lead": "1,860 short reviews in five topics; trained on 1,240 of them in 8 epochs, the best by macro-F1 on "
                "validation rows was kept, and the test rows were opened once, at the end.",
        "test_rows": 620,
        "metrics": [
            {"label": "accuracy", "value": 0.9016, "low": 0.8758, "high": 0.9242, "format": "percent"},
            {"label": "macro-F1", "value": 0.9007, "low": 0.8734, "high": 0.9247}],
        "tiles": [
            {"label": "training time", "value": 74.2, "format": "seconds", "note": "480 steps of 16 rows"},
            {"label": "throughput", "value": 2914, "format": "count", "unit": "tok/s", "note": "bf16, 2 threads"},
            {"label": "peak memory", "value": 412000000, "format": "bytes", "note": "base included"},
            {"label": "trained", "value": 0.00739, "format": "percent", "note": "167,813 of 22.7 million"}],
        "curves": curves(),
        "confusion": {"labels": LABELS, "counts": COUNTS},
        "classes": classes(),
        "mistakes": [{"text": t, "truth": a, "prediction": b, "probability": p, "row": f"reviews.csv:{37 * (i + 3) % 620}"}
                     for i, (t, a, b, p) in enumerate(MISTAKES)],
        "calibration": calibration(),
        "trained": trained(),
        "comparison": {"metric": "macro-F1", "rows": [
            {"name": n, "value": v, "low": lo, "high": hi, "parameters": p, "seconds": s, "chosen": c}
            for n, v, lo, hi, p, s, c in COMPARISON]},
        "folds": {"columns": ["accuracy", "macro-F1", "loss"],
                  "rows": [{"name": str(i + 1), "values": v} for i, v in enumerate(folds)],
                  "pooled": {"values": [0.9066, 0.9011, 0.3086], "low": [0.892, 0.887, 0.286],
                             "high": [0.920, 0.915, 0.331]}},
        "moved": moved(),
        "speed": [
            {"label": "training", "value": 74.2, "format": "seconds", "note": "forward, backward, optimizer"},
            {"label": "evaluation", "value": 9.8, "format": "seconds", "note": "8 times validation, once test"},
            {"label": "median step", "value": 0.151, "format": "seconds"},
            {"label": "tokens seen", "value": 216212, "format": "count"},
            {"label": "share of peak", "value": 0.81, "format": "percent", "note": "of 850 GFLOP/s in bf16"},
            {"label": "peak memory", "value": 412000000, "format": "bytes"}],
        "manifest": {"format": "inlay-manifest-1", "sha256": "5c" * 32,
                     "tool": {"version": "0.1.0", "commit": "abc1234", "dirty": False},
                     "base": {"name": "MiniLM-L6", "root_hash": "9f" * 32},
                     "data": {"files": [{"path": "reviews.csv", "rows": 1860, "sha256": "1a" * 32}]},
                     "config": {"method": "lora[r=8,alpha=16]", "learning_rate": 0.0005, "epochs": 8, "seed": 7}},
    }
    print(json.dumps(document, indent=1, ensure_ascii=False))


main()
