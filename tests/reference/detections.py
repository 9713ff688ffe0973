"""ActivityNet's detection measure the slow and obvious way: one event after the other."""

from __future__ import annotations


def overlap(a, b):
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    return shared / (a.end_s - a.start_s + b.end_s - b.start_s - shared)


def reference_ap(truth, found, tiou, label):
    """Average precision of one label; events of all videos in one ranking, no two scores equal."""
    ranked = sorted(
        ((event, video) for video, events in found.items() for event in events),
        key=lambda pair: -pair[0].score,
    )
    ranked = [(event, video) for event, video in ranked if event.label == label]
    total = sum(span.label == label for spans in truth.values() for span in spans)
    taken = set()
    points = []
    tp = fp = 0
    for event, video in ranked:
        candidates = [
            (overlap(span, event), place)
            for place, span in enumerate(truth[video])
            if span.label == label and (video, place) not in taken
        ]
        best = max(candidates, default=(0.0, -1), key=lambda pair: pair[0])
        if best[0] >= tiou:
            tp += 1
            taken.add((video, best[1]))
        else:
            fp += 1
        points.append((tp / total, tp / (tp + fp)))
    area = last = 0.0
    for place, (recall, _) in enumerate(points):
        area += (recall - last) * max(precision for _, precision in points[place:])
        last = recall
    return area


def reference_map(truth, found, tiou):
    labels = {span.label for spans in truth.values() for span in spans}
    areas = [reference_ap(truth, found, tiou, label) for label in labels]
    return sum(areas) / len(areas)
