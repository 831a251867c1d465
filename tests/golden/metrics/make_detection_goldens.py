#!/usr/bin/python3
"""Writes detection.json beside it: boxes and their average precision and recall from a plain implementation of COCO's
definition (cocodataset.org, "Detection Evaluation"): of every recall 0, 0.01 … 1 the best precision at that recall or a
higher one. Sides are multiples of 1/64 and scores of 1/16, so they are exact in float32 and there are ties.
"""
import json
import pathlib
import random

CLASSES = 4  # the last one is found but never there
STEP = (0.95 - 0.5) / 9
THRESHOLDS = [0.5 + STEP * i for i in range(9)] + [0.95]
RECALLS = [0.01 * i for i in range(101)]


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(found, truth, crowd):
    width = min(found[2], truth[2]) - max(found[0], truth[0])
    height = min(found[3], truth[3]) - max(found[1], truth[1])
    common = max(width, 0) * max(height, 0)
    return common / (area(found) if crowd else area(found) + area(truth) - common)


def verdicts(found, truth, threshold):
    """Of the found boxes, best first: 1 right, 0 wrong, None neither. Rows are (box, score) and (box, crowd)."""
    free = [index for index, (_, crowd) in enumerate(truth) if not crowd]
    crowds = [box for box, crowd in truth if crowd]
    result = []
    for box, _ in found:
        candidates = [(overlap(box, truth[index][0], False), index) for index in free]
        candidates = [candidate for candidate in candidates if candidate[0] >= threshold]
        if candidates:
            free.remove(max(candidates)[1])
            result.append(1)
        elif any(overlap(box, crowd, True) >= threshold for crowd in crowds):
            result.append(None)
        else:
            result.append(0)
    return result


def curve(images, category, threshold):
    """Average precision and the last recall; None without a true box."""
    rows, objects = [], 0
    for image in images:
        found = [(row[2:], row[1]) for row in image["found"] if row[0] == category]
        found = sorted(found, key=lambda row: -row[1])[:100]
        truth = [(row[2:], row[1]) for row in image["truth"] if row[0] == category]
        objects += sum(1 for _, crowd in truth if not crowd)
        rows += zip([score for _, score in found], verdicts(found, truth, threshold))
    if objects == 0:
        return None
    flags = [flag for _, flag in sorted(rows, key=lambda row: -row[0]) if flag is not None]
    points = [(sum(flags[:n]) / objects, sum(flags[:n]) / n) for n in range(1, len(flags) + 1)]
    best = [max([precision for recall, precision in points if recall >= least], default=0) for least in RECALLS]
    return sum(best) / len(RECALLS), points[-1][0] if points else 0


def mean(values):
    return sum(values) / len(values)


def random_box(source):
    left, top = source.randint(0, 40), source.randint(0, 40)
    return [left, top, left + source.randint(6, 24), top + source.randint(6, 24)]


def near(source, box):
    left, top, right, bottom = (side + source.choice([-2, -1, -1, 0, 0, 0, 0, 1, 1, 2]) for side in box)
    return [left, top, max(right, left + 1), max(bottom, top + 1)]


def random_image(source, extra):
    truth = [[source.randint(0, CLASSES - 2), int(source.random() < 0.15)] + random_box(source) for _ in range(source.randint(0, 6))]
    found = []
    for row in truth:
        for _ in range(source.choice([0, 1, 1, 1, 2])):
            found.append([row[0], source.randint(5, 16)] + near(source, row[2:]))
    for _ in range(extra):
        found.append([source.randint(0, CLASSES - 1), source.randint(0, 12)] + random_box(source))
    source.shuffle(found)
    return {
        "truth": [row[:2] + [side / 64 for side in row[2:]] for row in truth],
        "found": [[row[0], row[1] / 16] + [side / 64 for side in row[2:]] for row in found],
    }


def main():
    source = random.Random(11)
    # So many wrong boxes in the last picture that those of a class are more than 100.
    images = [random_image(source, extra) for extra in [0, 2, 1, 3, 0, 2, 4, 1, 2, 500]]
    classes, recalls, by_threshold = [], [], [[] for _ in THRESHOLDS]
    for category in range(CLASSES):
        curves = [curve(images, category, threshold) for threshold in THRESHOLDS]
        there = curves[0] is not None
        classes.append(mean([precision for precision, _ in curves]) if there else None)
        if there:
            recalls.append(mean([recall for _, recall in curves]))
            for values, (precision, _) in zip(by_threshold, curves):
                values.append(precision)
    figures = {
        "classes": CLASSES,
        "images": images,
        "ap": mean([value for value in classes if value is not None]),
        "ap50": mean(by_threshold[0]),
        "ap75": mean(by_threshold[5]),
        "average_recall": mean(recalls),
        "class_ap": classes,
    }
    path = pathlib.Path(__file__).resolve().parent / "detection.json"
    path.write_text(json.dumps(figures) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
