"""The video with scores and events drawn into the picture, each frame at its own time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from watchword.output.export.encoding import VideoWriter
from watchword.output.export.options import ExportOptions
from watchword.output.export.wording import one_line
from watchword.output.heat_scale import HeatScale, heat_scale, map_at
from watchword.output.hot_regions import hot_boxes
from watchword.output.overlay import alphas, draw_boxes, lay_heat, ramp
from watchword.output.playback import open_player
from watchword.output.timecode import clock
from watchword.output.timeline import threshold_of
from watchword.types import Detection, Event

_INK = (255, 255, 255)
_SHADE = (0, 0, 0, 150)
_BAR, _TRACK, _ACTIVE = (86, 180, 233), (110, 110, 110), (213, 94, 0)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
# Left, top, right, and the height of a line.
Place = tuple[int, int, int, int]


def write_annotated(detection: Detection, path: Path, options: ExportOptions) -> None:
    """An MP4 without sound: a bar a label with its threshold, and a banner while an event lasts.

    Where it was measured, heat lies over the picture, and an event's hottest regions are outlined.

    Raises:
        VideoError: the video cannot be read any more.
    """
    painter = Painter(detection, bars=options.bars, heat=options.heat)
    with (
        open_player(detection.info) as player,
        VideoWriter(path, tick=player.tick, crf=options.crf) as writer,
    ):
        for shown in player.play():
            picture = painter.paint(shown.draw(None), shown.time_s)
            writer.write(picture, time_s=max(0.0, shown.time_s), duration_s=shown.own_s)


class Painter:
    """Draws the state of a detection at a moment; holds what is the same in every picture."""

    def __init__(self, detection: Detection, *, bars: int, heat: bool = True) -> None:
        scores = detection.scores
        self._scores = scores
        self._events = detection.events
        self._heat = detection.heat
        self._scale = heat_scale(detection) if heat else None
        self._model = one_line(detection.provenance.encoder_name)
        values = scores.values
        measured = values[~np.isnan(values)]
        bounded = scores.kind in ("contrast", "probability") or not len(measured)
        self._low = 0.0 if bounded or scores.kind == "surprise" else float(measured.min())
        self._high = 1.0 if bounded else float(max(measured.max(), self._low + 1e-6))
        peaks = np.nan_to_num(values, nan=-np.inf).max(axis=0, initial=-np.inf)
        self._shown = tuple(int(k) for k in np.argsort(-peaks, kind="stable")[:bars])
        config = detection.provenance.config
        self._thresholds = tuple(threshold_of(config, label) for label in scores.labels)

    def paint(self, picture: Image.Image, time_s: float) -> Image.Image:
        """The picture with what holds at ``time_s`` drawn over it."""
        active = [e for e in self._events if e.start_s <= time_s < e.end_s]
        picture = self._with_heat(picture, time_s, outlined=bool(active))
        size = max(9, round(picture.height / 26))
        font = ImageFont.load_default(size)
        draw = ImageDraw.Draw(picture, "RGBA")
        if active:
            self._banner(draw, active, picture.width, size, font)
        line = round(size * 1.5)
        rows = len(self._shown) + (self._scale is not None)
        top = picture.height - line * rows - size // 2
        draw.rectangle((0, top, picture.width, picture.height), fill=_SHADE)
        at = int(np.searchsorted(self._scores.edges_s, time_s + 1e-6, "right")) - 1
        names = {event.label for event in active}
        places = [
            (size // 2, top + size // 4 + row * line, picture.width - size // 2, size)
            for row in range(rows)
        ]
        for place, k in zip(places, self._shown, strict=False):
            self._bar(draw, place, k, at, font, hit=self._scores.labels[k] in names)
        if self._scale is not None:
            _legend(draw, places[-1], self._scale, font)
        return picture

    def _with_heat(self, picture: Image.Image, time_s: float, *, outlined: bool) -> Image.Image:
        if self._heat is None or self._scale is None:
            return picture
        found = map_at(self._heat, time_s)
        if found is None:
            return picture
        picture = lay_heat(picture, found, self._scale)
        if outlined:
            draw_boxes(picture, hot_boxes(found, above=self._scale.mark))
        return picture

    def _banner(
        self,
        draw: ImageDraw.ImageDraw,
        active: list[Event],
        width: int,
        size: int,
        font: Font,
    ) -> None:
        said = " + ".join(one_line(event.label) for event in active)
        when = f"{clock(active[0].start_s)} - {clock(active[0].end_s)}"
        text = f"EVENT  {said}  {when}  ({self._model})"
        draw.rectangle((0, 0, width, size * 2), fill=(*_ACTIVE, 220))
        draw.text((size // 2, size // 3), text, fill=_INK, font=font)

    def _bar(
        self,
        draw: ImageDraw.ImageDraw,
        place: Place,
        k: int,
        at: int,
        font: Font,
        *,
        hit: bool,
    ) -> None:
        left, top, right, size = place
        middle = left + (right - left) // 2
        value = self._scores.values[at, k] if 0 <= at < len(self._scores) else np.nan
        known = not np.isnan(value)
        label = one_line(self._scores.labels[k])
        draw.text((left, top), label, fill=_INK, font=font)
        number = f"{value:.2f}" if known else "not measured"
        # The track covers the end of a label that is too long for its half.
        draw.rectangle((middle, top, right, top + size), fill=_TRACK)
        if known:
            end = middle + round((right - middle) * self._share(float(value)))
            draw.rectangle((middle, top, end, top + size), fill=_ACTIVE if hit else _BAR)
        threshold = self._thresholds[k]
        if threshold is not None:
            tick = middle + round((right - middle) * self._share(threshold))
            draw.line((tick, top - 1, tick, top + size + 1), fill=_INK, width=2)
        draw.text((right - 2, top), number, fill=_INK, font=font, anchor="ra")

    def _share(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self._low) / (self._high - self._low)))


def _legend(draw: ImageDraw.ImageDraw, place: Place, scale: HeatScale, font: Font) -> None:
    """What the colours of the heat mean, in line with the bars."""
    left, top, right, size = place
    middle = left + (right - left) // 2
    draw.text((left, top), one_line(f"heat: {scale.unit}"), fill=_INK, font=font)
    draw.rectangle((middle, top, right, top + size), fill=_TRACK)
    colours, cover = ramp().tolist(), alphas()
    for x in range(middle, right + 1):
        step = round(255 * (x - middle) / max(1, right - middle))
        draw.line((x, top, x, top + size), fill=(*colours[step], cover[step]))
    draw.text((middle + 2, top), f"{scale.clear:.2f}", fill=_INK, font=font)
    draw.text((right - 2, top), f"{scale.full:.2f}", fill=_INK, font=font, anchor="ra")
