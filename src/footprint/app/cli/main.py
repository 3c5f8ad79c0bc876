"""Entry point of `footprint`: collects the commands and turns every expected failure into one line and a status.

0  done, a forecast that says N/A included        3  data refused
2  misuse                                         130, 143  interrupted, terminated
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from footprint import __version__
from footprint.app.cli import audit, benchmark, demo, fit, forecast, frontier, ingest, leakage, models, record, regimes
from footprint.errors import FootprintError

MISUSE = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

app = typer.Typer(
    name="footprint",
    help="Forecast what a block order will do to the market, as a probability distribution.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
)
app.command("audit")(audit.audit)
app.command("ingest")(ingest.ingest)
app.command("record")(record.record)
app.command("fit")(fit.fit)
app.command("forecast")(forecast.forecast)
app.command("frontier")(frontier.frontier)
app.command("regimes")(regimes.regimes)
app.command("leakage")(leakage.leakage)
app.add_typer(models.app, name="models")
app.add_typer(benchmark.app, name="benchmark")
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Forecast what a block order will do to the market, as a probability distribution."""


def main() -> NoReturn:
    """Run the command line of this process and leave with its exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit status. Messages of failures are one line on stderr.
    """
    try:
        status = app(args=list(arguments), prog_name="footprint", standalone_mode=False) or 0
        sys.stdout.flush()
    except FootprintError as error:
        return _fail(str(error), error.exit_status)
    except typer.TyperException as error:
        return _fail(error.format_message() + _help_hint(error), MISUSE)
    except BrokenPipeError:
        # the reader of our output left (`footprint audit ... | head`): silent, with typer's own status for it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None:
            return _fail(error.strerror or str(error), MISUSE)
        return _fail(f"{error.filename}: {error.strerror}", MISUSE)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    # typer answers Ctrl-C inside a command with this status and without a word
    return _fail("interrupted", INTERRUPTED) if status == INTERRUPTED else status


def _fail(message: str, status: int) -> int:
    print("footprint: " + " ".join(message.split()), file=sys.stderr)
    return status


def _help_hint(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    # unwinds the stack, so that half-written outputs are removed
    sys.exit(TERMINATED)


if __name__ == "__main__":
    main()
