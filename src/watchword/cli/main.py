"""The ``watchword`` command: words in, one function called, the answer shown.

Exit status: 0 done, 1 nothing could be read or written, 2 wrong use, 3 events were found and
``--fail-on-event`` was given, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from watchword.cli import (
    cache,
    calibrate,
    clipscore,
    datasets,
    demo,
    detect,
    doctor,
    evaluate,
    fit,
    imports,
    models,
    normal,
    prompts,
    risk,
    risk_fit,
    risk_train,
    stages,
    test,
    train,
)

app = typer.Typer(
    name="watchword",
    help="Say in words what to watch for; get when it happens in the video.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from watchword import __version__

        typer.echo(f"watchword {__version__}")
        raise typer.Exit


@app.callback()
def watchword(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Say in words what to watch for; get when it happens in the video."""


app.command("detect")(detect.detect)
app.command("demo")(demo.demo)
app.command("score")(stages.score)
app.command("embed")(stages.embed)
app.command("plot")(stages.plot)
app.command("export")(stages.export)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(evaluate.compare)
app.command("calibrate")(calibrate.calibrate)
app.command("drift")(calibrate.drift)
app.command("fit")(fit.fit)
app.add_typer(train.app, name="train")
app.command("test")(test.try_out)
app.command("import")(imports.import_)
app.add_typer(normal.app, name="normal")
for command in (risk_fit.fit, risk_train.data, risk_train.train, risk_train.merge):
    risk.app.command()(command)
app.add_typer(risk.app, name="risk")
app.add_typer(clipscore.app, name="clipscore")
app.add_typer(datasets.app, name="datasets")
app.command("doctor")(doctor.doctor)
app.add_typer(prompts.app, name="prompts")
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")


def run() -> None:
    """Entry point of the installed command."""
    from watchword.errors import WatchwordError

    try:
        app()
    except WatchwordError as exc:
        typer.echo(f"error: {exc}", err=True)
        sys.exit(exit_status(exc))
    except ValueError as exc:
        # A wrong argument that only the library could know of, as a region outside the grammar.
        typer.echo(f"error: {exc}", err=True)
        sys.exit(2)


def exit_status(error: Exception) -> int:
    """2 for what the user asked wrongly, 1 for what the world refused."""
    from watchword import errors

    wrong_use = (
        errors.CalibrationError,
        errors.ConfigError,
        errors.DatasetError,
        errors.KindMismatch,
        errors.LeakageError,
        errors.MissingDependency,
        errors.NormalityError,
        errors.PromptError,
        errors.UnknownEncoder,
    )
    return 2 if isinstance(error, wrong_use) else 1


if __name__ == "__main__":
    run()
