"""What needs no words, on real clips: change, normality, and both together.

    python benchmarks/normality.py FOLDER [--sets NAME ...] [--runs DIR] [--sheet DIR] [--write]

FOLDER holds a folder a set with clips and their ``labels.json``. All goes through ``detect`` and
``normal learn`` as a user has them. Sets that come with normal footage of their camera are measured
against a memory of it, at every frame; the others at ten pictures a second. ``--sets`` also takes
alarms, speed and hour. DIR of ``--runs`` keeps what was detected from one run to the next: name
another one when the code has changed. ``--sheet`` draws the worst misses and false alarms. With
``--write`` the tables go into README.md and docs/normality.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from normality_alarms import alarm_rows
from normality_cost import hour_rows, speed_rows
from normality_rows import Row, camera_row, place_row, plain_row, told_row
from normality_runs import MEMORY_SETS, OTHER_SETS, Bench
from normality_sheet import draw_sheet
from watchword.encoders.catalog import load_encoder

ROOT = Path(__file__).resolve().parent.parent
SETS = (*MEMORY_SETS, *OTHER_SETS, "alarms", "speed", "hour")

CAMERA = """\
**A camera's normal footage** (`detect --normal`, every frame). AUC of all frames together / mean
over clips; in brackets the 95 % interval of the first over clips. *Both* is what `detect` says;
*with change* weighs change too. The last two columns know nothing of the picture: more unusual is
what lies nearer the middle, or later.

"""
PLACE = """\
**Where in the picture, and at the default threshold.** F1 counts frames, beside an alarm that is
always on.

"""
PLAIN = """\
**Nothing but the video** (`detect VIDEO`, ten pictures a second). Clips of less than 10 s cannot be
compared with themselves and are told by change alone. *Above its best part* compares on the clips
that a part tells of; the goal is no minus. The last two columns know nothing of the picture.

"""
TOLD = """\
**With words beside**: the starter banks and the built-in model.

"""
ALARMS = """\
**False alarms**, at the default threshold, in footage without an event. *Minutes* say how much that
rests on. Beside it the events, or clips with one, that are found at that threshold.

"""
COST = """\
**Speed and memory**, 640x360, every frame unless said, decoding and encoding included.

"""
HEADS = {
    CAMERA: "clips | normal is | motion | appearance | both | goal | above its best part "
    "| with change | centre of the video | time since the start",
    PLACE: "clips | normal is | AUC of pixels | goal | AUPRO to 0.3 | goal | F1 | F1, always on",
    PLAIN: "clips | change | goal | own normality | both | above its best part "
    "| centre of the video | time since the start",
    TOLD: "clips | bank | words | change | words, change, normality | above its best part",
    ALARMS: "footage | normal is | minutes | false alarms | an hour | events found",
    COST: "what | measured | goal",
}
SHORT = "clips | compared with | AUC of all frames | without looking | goal"


def measure(bench: Bench, sets: Sequence[str]) -> tuple[str, str]:
    """The tables of docs/normality.md, and the short one of the README."""
    rows: dict[str, list[Row]] = {text: [] for text in HEADS}
    short: list[Row] = []
    for name in (name for name in MEMORY_SETS if name in sets):
        for itself in (False, True):
            rows[CAMERA].append(camera_row(bench, name, itself=itself))
            rows[PLACE].append(place_row(bench, name, itself=itself))
        clips, _, _, _, both, goal, _, _, *priors = rows[CAMERA][-2]
        usual = "normal footage of the camera"
        short.append([clips, usual, micro(both), best_guess(priors), goal])
    for name in (name for name in OTHER_SETS if name in sets):
        rows[PLAIN].append(plain_row(bench, name))
        rows[TOLD].append(told_row(bench, name))
        clips, _, goal, _, both, _, *priors = rows[PLAIN][-1]
        told = "–" if goal == "–" else f"{goal} by change alone"
        short.append([clips, "the video itself", micro(both), best_guess(priors), told])
    rows[ALARMS] = alarm_rows(bench) if "alarms" in sets else []
    rows[COST] += bench.kept("speed", lambda: speed_rows(bench)) if "speed" in sets else []
    rows[COST] += bench.kept("hour", lambda: hour_rows(bench)) if "hour" in sets else []
    long = [text + table(HEADS[text], made) for text, made in rows.items() if made]
    return "\n\n".join(long), table(SHORT, short) if short else ""


def micro(cell: str) -> str:
    """Of "all together / mean over videos (interval)" the first, with the interval."""
    return re.sub(r" / [^* ]*", "", cell)


def best_guess(priors: Sequence[str]) -> str:
    """The highest of what looks at no picture, as a plain guess that a figure must beat."""
    return max((micro(one) for one in priors if one[0] != "–"), default="–")


def table(head: str, rows: Sequence[Row]) -> str:
    """A table in Markdown; every row must have a cell a column.

    >>> print(table("a | b", [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    columns = [one.strip() for one in head.split("|")]
    lines = [columns, ["---"] * len(columns), *rows]
    if any(len(line) != len(columns) for line in lines):
        raise ValueError(f"a row has other than {len(columns)} cells")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_between(page: Path, mark: str, text: str) -> None:
    """Puts a text between its marks in a page; exits if there are none."""
    marked = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    before = page.read_text(encoding="utf-8")
    if not marked.search(before):
        sys.exit(f"{page} has no <!-- {mark} --> to write between")
    page.write_text(marked.sub(lambda m: f"{m[1]}{text}\n{m[2]}", before), encoding="utf-8")


def sheets(bench: Bench, sets: Sequence[str], folder: Path) -> None:
    """A picture a set of what it missed and what it was wrong about."""
    for name in (name for name in (*MEMORY_SETS, *OTHER_SETS) if name in sets):
        found = bench.remembered(name) if name in MEMORY_SETS else bench.plain(name)
        print(draw_sheet(bench.cases(name, found), folder / f"{name}.png"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if asked.write and set(asked.sets) != set(SETS):
        parser.error("--write writes whole tables; leave --sets out")
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.runs or Path(folder)
        runs.mkdir(parents=True, exist_ok=True)
        bench = Bench(asked.folder, runs, load_encoder("mini"))
        long, short = measure(bench, asked.sets)
        print(f"{long}\n\n{short}")
        if asked.sheet is not None:
            sheets(bench, asked.sets, asked.sheet)
    if asked.write:
        write_between(ROOT / "docs/normality.md", "figures", long)
        write_between(ROOT / "README.md", "unworded", short)


if __name__ == "__main__":
    main()
