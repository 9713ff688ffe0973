"""What all charts share: the figure, the colours, the words, and the file they become."""

from __future__ import annotations

import io
import warnings
from typing import Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Form = Literal["png", "svg"]

# Okabe and Ito's palette, told apart by all common kinds of colour vision; dashes help in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")
TRUTH, FOUND, QUIET = "#009E73", "#D55E00", "#5d666f"
_DPI = 100
_LONGEST = 44


def new_figure(width: int, height: int) -> Figure:
    """An empty figure of so many pixels, with no window behind it."""
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def describe(axes: Axes, *, title: str = "", x_title: str = "", y_title: str = "") -> None:
    """Titles, and the plain look that all charts have."""
    axes.set_xlabel(words(x_title))
    axes.set_ylabel(words(y_title))
    if title:
        axes.set_title(words(title), fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)


def file_of(figure: Figure, form: Form) -> bytes:
    """The figure as a picture file; the same figure always gives the same bytes."""
    file = io.BytesIO()
    # Dates and random names of its parts would make two runs over the same numbers differ.
    metadata = {"Date": None} if form == "svg" else {}
    with rc_context({"svg.hashsalt": "watchword"}), warnings.catch_warnings():
        # Scripts that the font lacks are drawn as boxes; the tables have the names.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, format=form, metadata=metadata)
    return file.getvalue()


def words(text: str, *, longest: int = _LONGEST) -> str:
    """Text as it is, cut where it would push the picture aside; $ opens no formula."""
    seen = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    short = seen if len(seen) <= longest else seen[: longest - 1] + "…"
    return short.replace("$", r"\$")


def label(text: str, *, longest: int = _LONGEST) -> str:
    """Text for a legend, which would leave out what is empty or begins with an underscore."""
    short = words(text, longest=longest) or "–"
    return f" {short}" if short.startswith("_") else short


def say_nothing(axes: Axes, reason: str) -> None:
    """A word in the middle of an empty chart, so that it is not taken for a broken one."""
    axes.text(0.5, 0.5, words(reason), ha="center", va="center", transform=axes.transAxes)
