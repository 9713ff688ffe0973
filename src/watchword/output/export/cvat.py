"""CVAT for video 1.1: events as tracks over the full picture, the format's only intervals."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from watchword.output.export.numbering import Numbering, number_frames
from watchword.output.export.options import ExportOptions
from watchword.output.export.wording import one_line
from watchword.types import Detection, Event, VideoInfo


def write_cvat(detection: Detection, path: Path, options: ExportOptions) -> None:
    """A track an event from its first frame (0-based) to the frame where it is outside.

    An event that lasts to the end of the video has no such frame.

    Raises:
        OutputError: the frames cannot be counted.
    """
    numbering = number_frames(detection.info, rate=options.rate)
    labels = dict.fromkeys((*detection.scores.labels, *(e.label for e in detection.events)))
    root = ET.Element("annotations")
    # Two hyphens in a row would end an XML comment.
    model = one_line(detection.provenance.encoder_name).replace("--", "-")
    root.append(ET.Comment(f" found by Watchword with {model} "))
    ET.SubElement(root, "version").text = "1.1"
    _describe(root, detection.info, numbering, tuple(labels))
    for number, event in enumerate(detection.events):
        _track(root, number, event, detection.info, numbering)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _describe(
    root: ET.Element, info: VideoInfo, numbering: Numbering, labels: tuple[str, ...]
) -> None:
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(task, "name").text = one_line(Path(info.source).name)
    if numbering.count is not None:
        ET.SubElement(task, "size").text = str(numbering.count)
    ET.SubElement(task, "mode").text = "interpolation"
    listed = ET.SubElement(task, "labels")
    for label in labels:
        ET.SubElement(ET.SubElement(listed, "label"), "name").text = one_line(label)
    size = ET.SubElement(task, "original_size")
    ET.SubElement(size, "width").text = str(info.width)
    ET.SubElement(size, "height").text = str(info.height)


def _track(
    root: ET.Element, number: int, event: Event, info: VideoInfo, numbering: Numbering
) -> None:
    first, end = numbering.frames(event)
    track = ET.SubElement(root, "track", id=str(number), label=one_line(event.label), source="auto")
    _box(track, first, info, outside="0")
    if numbering.count is None or end < numbering.count:
        _box(track, end, info, outside="1")


def _box(track: ET.Element, frame: int, info: VideoInfo, *, outside: str) -> None:
    place = {
        "frame": str(frame),
        "outside": outside,
        "occluded": "0",
        "keyframe": "1",
        "xtl": "0.00",
        "ytl": "0.00",
        "xbr": f"{info.width:.2f}",
        "ybr": f"{info.height:.2f}",
        "z_order": "0",
    }
    ET.SubElement(track, "box", place)
