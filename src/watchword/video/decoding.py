"""From the packets of a video track to its frames; what cannot be decoded is counted."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvStream

from watchword.video.container import words
from watchword.video.decoded import Tally

# After an error, how many frames later its hole may show, beyond one a decoder thread: the
# longest reordering that H.264 and HEVC allow.
_REORDER = 16

# A demuxer that fails so often in a row has nothing more to give.
_DEMUX_TRIES = 8


class FrameReader:
    """Decodes one video track; holds what went wrong lately.

    ``near_loss`` tells, of the frame that ``frames`` gave last, whether something just before it
    may have been lost.
    """

    def __init__(self, container: InputContainer, stream: AvStream, tally: Tally) -> None:
        self._container = container
        self._stream = stream
        self._tally = tally
        self._doubt = 0
        self._started = False
        self._key_seen = False
        self._keyless = 0

    @property
    def near_loss(self) -> bool:
        """Whether something just before the last frame may have been lost."""
        return self._doubt > 0

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame that decodes without errors, in the order it is shown."""
        for packet in self._packets():
            self._watch_for_key(packet)
            for frame in self._decode(packet):
                if frame.is_corrupt:
                    self._lose("decoded with errors only")
                    continue
                self._start()
                yield frame
                self._doubt = max(0, self._doubt - 1)

    def _packets(self) -> Iterator[Packet[AvStream] | None]:
        """The track's packets and, last, None, which makes the decoder give what it still holds."""
        fails = 0
        while fails < _DEMUX_TRIES:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        fails = 0
                        yield packet
                break
            except IndexError:
                # PyAV ends so where damage has conjured up further tracks: all was read.
                break
            except av.error.ExitError:
                self._tally.say("reading stopped early: no data came within the time limit")
                break
            except av.FFmpegError as exc:
                fails += 1
                self._doubt = self._horizon
                self._tally.say(f"part of the file could not be read ({words(exc)})")
        yield None

    @property
    def _horizon(self) -> int:
        return int(self._stream.codec_context.thread_count) + _REORDER

    def _watch_for_key(self, packet: Packet[AvStream] | None) -> None:
        if packet is None:
            return
        if packet.is_corrupt:
            self._doubt = self._horizon
        self._key_seen = self._key_seen or packet.is_keyframe
        if not self._key_seen:
            self._keyless += 1

    def _start(self) -> None:
        """At the first good frame: pictures before the first keyframe were cut off from it."""
        if not self._started and self._key_seen:
            self._tally.lose("before the first keyframe", self._keyless)
        self._started = True

    def _decode(self, packet: Packet[AvStream] | None) -> list[VideoFrame]:
        try:
            return self._stream.codec_context.decode(packet)
        except av.error.EOFError:
            return []
        except av.FFmpegError as exc:
            self._lose(f"not decodable ({words(exc)})")
        return []

    def _lose(self, why: str) -> None:
        self._doubt = self._horizon
        # Before the first good frame these are the ones that _start counts.
        if self._started or not self._keyless:
            self._tally.lose(why)
