"""What a video says without words: how suddenly it changes, and how unlike normal it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_jsonable_python

from watchword.config import Config
from watchword.encoders.base import Encoder
from watchword.errors import NormalityError
from watchword.evidence.change import change
from watchword.evidence.choice import Evidence
from watchword.evidence.cuts import cuts
from watchword.evidence.normality.memory import NormalMemory
from watchword.evidence.past import against_past
from watchword.evidence.usual import USUAL_CHANGE
from watchword.pipeline.embed import Embedded
from watchword.pipeline.normality import Measured, MemoryWatch, OwnWatch, Watch, WatchedCells
from watchword.places import Heat
from watchword.types import Scores, VideoInfo

Memories = NormalMemory | Sequence[NormalMemory] | Literal["self"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found without words.

    Attributes:
        parts: surprise of change (T,1) and of normality (T,P), as far as they were weighed.
        heat: where; None if normality was not weighed.
        cuts_s: when the picture jumps to another scene.
        memory: what the video was measured against; None likewise.
        notes: what a reader must know, in sentences.
    """

    parts: tuple[Scores, ...]
    heat: Heat | None
    cuts_s: tuple[float, ...]
    memory: NormalMemory | None
    notes: tuple[str, ...]


class Wordless:
    """Change and normality of videos, whichever of them is asked for.

    Args:
        kinds: the evidence that is weighed.
        config: its sections change, past and normality are used.
        encoder: of the videos.
        memory: one or several memories of normal footage, or ``self``; None is ``self`` too, but
            a video that is too short for it is then told by change alone.
    """

    def __init__(
        self, kinds: Sequence[Evidence], config: Config, encoder: Encoder, memory: Memories
    ) -> None:
        self._kinds = tuple(kinds)
        self._config = config
        self._encoder = encoder
        self._asked = memory is not None
        self._memories: tuple[NormalMemory, ...] = ()
        if isinstance(memory, NormalMemory):
            self._memories = (memory,)
        elif memory is not None and memory != "self":
            self._memories = tuple(memory)
            if not self._memories:
                raise ValueError("no memory is given; give one, or self for the video's own")

    @property
    def itself(self) -> bool:
        """Whether normality is that of each video itself."""
        return not self._memories

    @property
    def fingerprint(self) -> str:
        """Equal means the same scores of the same pictures."""
        config = to_jsonable_python(
            [self._config.change, self._config.past, self._config.normality]
        )
        known = [memory.fingerprint for memory in self._memories]
        text = json.dumps([self._kinds, config, known], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def watch(self) -> Watch | None:
        """What must see the next video while it is read; None if nothing must."""
        if "normality" not in self._kinds:
            return None
        if self._memories:
            any_scene = self._config.normality.any_scene
            return MemoryWatch(self._memories, self._cells, any_scene=any_scene)
        return OwnWatch(self._cells)

    def _cells(self, info: VideoInfo) -> WatchedCells:
        config = self._config
        return WatchedCells(config.normality, self._encoder, config.change.cuts, info)

    def found(self, embedded: Embedded, watch: Watch | None) -> Found:
        """What the video says, when it has been read.

        Raises:
            NormalityError: the video was to be measured against itself, and has no usual state.
        """
        parts: list[Scores] = []
        notes: list[str] = []
        cut = self._config.change.cuts
        cuts_s = tuple(float(at) for at in cuts(embedded.features, cut))
        measured = self._measured(watch, notes)
        if "change" in self._kinds:
            known = None if measured is None else measured.memory.change
            prior = known or USUAL_CHANGE
            past = against_past(
                change(embedded.features, self._config.change), prior, self._config.past
            )
            parts.append(past.scores)
            notes += [f"change: {one.sentence}" for one in past.drift]
        if measured is None:
            return Found(tuple(parts), None, cuts_s, None, tuple(notes))
        surprise, lasting = measured.scores(embedded.embeddings, self._config.past)
        parts.append(surprise)
        notes += lasting
        heat = measured.heat_map(embedded.embeddings)
        return Found(tuple(parts), heat, cuts_s, measured.memory, tuple(notes))

    def _measured(self, watch: Watch | None, notes: list[str]) -> Measured | None:
        if watch is None:
            return None
        try:
            measured = watch.measured()
        except NormalityError as exc:
            if self._asked or "change" not in self._kinds:
                raise
            notes.append(
                f"Told by change alone, since the video cannot be compared with itself: {exc}"
            )
            return None
        notes += measured.memory.notes
        return measured

    def as_fitted(self, memory: NormalMemory | None) -> dict[str, Any]:
        """What provenance keeps of the memory that was used."""
        if memory is None:
            return {}
        facts = {**memory.as_fitted(), "itself": self.itself}
        if self.itself:
            facts["sentence"] = "the calm pictures of the video itself"
        return {"normal": facts}
