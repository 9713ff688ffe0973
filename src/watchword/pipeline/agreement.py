"""How well video, pictures and text agree: one cosine a picture, and every score made of it.

A video is read and encoded once for all that it is compared with, batch by batch: what is held of
it is 8 bytes a picture for each comparison, 8 for its time, and nothing else.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchword.config import Config
from watchword.encoders.base import Encoder, encode_images
from watchword.errors import PromptError
from watchword.evaluation.metrics.clipscore import (
    DEFINITIONS,
    PREFIX,
    all_definitions,
    cosines,
)
from watchword.evaluation.metrics.consistency import ConsistencyMeter
from watchword.pipeline.agreed import Agreed, Series
from watchword.pipeline.alignment import ALIGN, Align, compared
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.pipeline.long_texts import Long, encode_text
from watchword.types import Coverage
from watchword.video.picture import read_picture
from watchword.video.sampling import Sampling

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Vectors of what pictures are compared with, a row each, and how they came about.

    ``rows`` (M,D); ``prefixed`` the row of each text with the prefix, or None where it does not
    fit; ``notes`` those of each text.
    """

    rows: Vectors
    prefixed: tuple[int | None, ...]
    notes: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _References:
    """What is known of the references of one text: cosines (R,) bare and with the prefix."""

    bare: Floats | None = None
    prefixed: Floats | None = None
    notes: tuple[str, ...] = ()


class Agreement:
    """Compares videos, pictures and texts by one encoder.

    Args:
        config: settings; encoder, sampling, read, stillness and cache are used. None looks at
            every frame.
        encoder: a loaded encoder; None loads the one the config names.

    >>> from watchword.encoders.fake import FakeEncoder
    >>> Agreement(encoder=FakeEncoder()).videos.config.sampling.rate is None
    True
    """

    def __init__(self, config: Config | None = None, *, encoder: Encoder | None = None) -> None:
        every = config or replace(Config(), sampling=Sampling(rate=None))
        self.videos = VideoEncoder(every, encoder=encoder)
        self.encoder = self.videos.encoder

    def video_text(
        self,
        video: str | Path,
        texts: str | Sequence[str],
        *,
        references: Sequence[str] = (),
        long: Long = "error",
        listener: Listener | None = None,
    ) -> tuple[Agreed, ...]:
        """How well each text fits a video; the video is encoded once for all of them.

        Args:
            video: file, folder of pictures, or URL.
            texts: one or several.
            references: texts that are known to fit, for RefCLIPScore; the same for each text.
            long: what becomes of a text that the model cannot take: ``error``, ``truncate`` or
                ``chunks`` (see ``encode_text``).
            listener: told of the progress.

        Raises:
            VideoError: the video cannot be read.
            PromptError: a text is empty, or too long and may not be cut.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        vectors, known = self._texts(texts, references, long)
        series = self._series(video, vectors.rows, listener)
        return self._of_texts("video-to-text", str(video), texts, vectors, known, series)

    def image_text(
        self,
        image: str | Path,
        texts: str | Sequence[str],
        *,
        references: Sequence[str] = (),
        long: Long = "error",
    ) -> tuple[Agreed, ...]:
        """How well each text fits a picture file; otherwise as ``video_text``."""
        texts = [texts] if isinstance(texts, str) else list(texts)
        vectors, known = self._texts(texts, references, long)
        series = self._one_picture(image, vectors.rows)
        return self._of_texts("image-to-text", str(image), texts, vectors, known, series)

    def video_image(
        self,
        video: str | Path,
        images: str | Path | Sequence[str | Path],
        *,
        listener: Listener | None = None,
    ) -> tuple[Agreed, ...]:
        """How like a video is to each picture file; the video is encoded once for all of them.

        Raises:
            VideoError: the video or a picture cannot be read.
        """
        several = [images] if isinstance(images, (str, Path)) else list(images)
        if not several:
            raise ValueError("no picture to compare with was given")
        rows = np.concatenate([self._picture(image) for image in several])
        series = self._series(video, rows, listener)
        return tuple(
            self._agreed(
                "video-to-image", (str(video), str(image)), series, series.cosines[:, column]
            )
            for column, image in enumerate(several)
        )

    def image_image(self, first: str | Path, second: str | Path) -> Agreed:
        """How alike two picture files are.

        Raises:
            VideoError: a picture cannot be read.
        """
        series = self._one_picture(first, self._picture(second))
        return self._agreed(
            "image-to-image", (str(first), str(second)), series, series.cosines[:, 0]
        )

    def video_video(
        self,
        video: str | Path,
        other: str | Path,
        *,
        align: Align = "frame",
        listener: Listener | None = None,
    ) -> Agreed:
        """How alike two videos are, picture by picture.

        Args:
            video: whose pictures are compared, and whose consistency is measured.
            other: the video that they are compared with.
            align: ``frame`` compares the n-th picture with the n-th, ``time`` with the one that is
                shown at the same moment, ``best`` with the most similar one of all, for which the
                vectors of ``other`` are held in memory. Where one video is longer the notes say
                what was left out.
            listener: told of the progress in ``video``.

        Raises:
            VideoError: a video cannot be read.
        """
        if align not in ALIGN:
            raise ValueError(f"align is {align!r}, it must be one of {', '.join(ALIGN)}")
        # Opened first, so that what cannot be read is said before an hour is spent on the other.
        with (
            self.videos.batches(video, listener=listener) as first,
            self.videos.batches(other) as second,
        ):
            series = compared(first, second, align)
        return self._agreed(
            "video-to-video", (str(video), str(other)), series, series.cosines[:, 0]
        )

    def _picture(self, image: str | Path) -> Vectors:
        """(1,D) of a picture file, scaled as frames of a video would be."""
        read = self.videos.config.read
        pixels = read_picture(
            image, size=read.size or self.encoder.picture_size, max_pixels=read.max_pixels
        )
        return encode_images(self.encoder, pixels[None])

    def _one_picture(self, image: str | Path, rows: Vectors) -> Series:
        return Series(cosines(self._picture(image), rows), np.zeros(1), Coverage(frames=1))

    def _texts(
        self, texts: Sequence[str], references: Sequence[str], long: Long
    ) -> tuple[_Texts, list[_References]]:
        if not texts:
            raise ValueError("no text to compare with was given")
        vectors = self._encoded(texts, long)
        if not references:
            return vectors, [_References() for _ in texts]
        others = self._encoded(references, long)
        return vectors, [_with_references(vectors, others, row) for row in range(len(texts))]

    def _encoded(self, texts: Sequence[str], long: Long) -> _Texts:
        """Each text bare, then each that fits with the prefix."""
        bare = [encode_text(self.encoder, text, long=long) for text in texts]
        rows = [vector for vector, _ in bare]
        places: list[int | None] = []
        notes = []
        for text, (_, said) in zip(texts, bare, strict=True):
            try:
                vector, also = encode_text(self.encoder, text, long=long, prefix=PREFIX)
            except PromptError as exc:
                # The bare text fits: only what needs the prefix is not defined.
                places.append(None)
                notes.append((*said, f"no score with the prefix: {exc}"))
                continue
            places.append(len(rows))
            rows.append(vector)
            notes.append((*said, *also))
        return _Texts(np.stack(rows), tuple(places), tuple(notes))

    def _series(self, video: str | Path, rows: Vectors, listener: Listener | None) -> Series:
        values, times = array("d"), array("d")
        meter = ConsistencyMeter()
        with self.videos.batches(video, listener=listener) as stream:
            for batch in stream:
                values.frombytes(cosines(batch.vectors, rows).tobytes())
                times.frombytes(batch.pts_s.tobytes())
                meter.update(batch.vectors)
            coverage = stream.coverage
        return Series(
            np.frombuffer(values).reshape(-1, len(rows)),
            np.frombuffer(times),
            coverage,
            meter.compute(),
        )

    def _of_texts(
        self,
        kind: str,
        first: str,
        texts: Sequence[str],
        vectors: _Texts,
        known: Sequence[_References],
        series: Series,
    ) -> tuple[Agreed, ...]:
        made = []
        for column, text in enumerate(texts):
            place, about = vectors.prefixed[column], known[column]
            agreed = self._agreed(
                kind,
                (first, text),
                series,
                series.cosines[:, column],
                prefixed=None if place is None else series.cosines[:, place],
                references=about,
            )
            made.append(
                replace(agreed, notes=(*vectors.notes[column], *about.notes, *agreed.notes))
            )
        return tuple(made)

    def _agreed(
        self,
        kind: str,
        names: tuple[str, str],
        series: Series,
        cos: Floats,
        *,
        prefixed: Floats | None = None,
        references: _References = _References(),
    ) -> Agreed:
        definitions = all_definitions(
            cos,
            prefixed=prefixed,
            logit_scale=1 / self.encoder.scale.temperature,
            references=references.bare,
            prefixed_references=references.prefixed,
            consistency=series.consistency,
        )
        return Agreed(
            kind=kind,
            first=names[0],
            second=names[1],
            cosines=cos,
            pts_s=series.pts_s,
            matched_s=series.matched_s,
            failed=series.coverage.failed,
            definitions=definitions,
            undefined=_reasons(definitions, measured=bool((~np.isnan(cos)).any())),
            model=self.encoder.name,
            fingerprint=self.encoder.fingerprint,
            device=self.encoder.device,
            notes=(*series.coverage.notes, *series.notes),
            notice=self.encoder.notice,
        )


def _reasons(definitions: Mapping[str, float | None], *, measured: bool) -> dict[str, str]:
    """Why each definition without a value has none."""
    return {
        name: f"needs {DEFINITIONS[name].needs}"
        if measured and DEFINITIONS[name].needs
        else "no picture was measured"
        for name, value in definitions.items()
        if value is None
    }


def _with_references(vectors: _Texts, others: _Texts, row: int) -> _References:
    """Cosines of a text with its references, bare and, if all have one, with the prefix."""
    count = len(others.prefixed)
    bare = cosines(vectors.rows[row : row + 1], others.rows[:count])[0]
    notes = tuple(note for several in others.notes for note in several)
    place = vectors.prefixed[row]
    fitting = [at for at in others.prefixed if at is not None]
    if place is None or len(fitting) < count:
        return _References(bare, None, notes)
    prefixed = cosines(vectors.rows[place : place + 1], others.rows[fitting])[0]
    return _References(bare, prefixed, notes)
