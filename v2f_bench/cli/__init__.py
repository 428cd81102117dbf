"""The command line: a file a verb; each parses, calls and prints. `--help` imports no torch."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an error that is meant for the user is one message and an exit code, not a traceback.

    Exit codes: 0 all is well; 1 something failed or could not be read; 2 wrong usage; 130 interrupted.
    """
    import typer

    from v2f_bench.cli.app import app
    from v2f_bench.interfaces import BenchError, UsageError

    signal.signal(signal.SIGTERM, _terminated)
    # Some versions of typer bring a click of their own: its errors are found by a name that both have.
    parser_error: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
    try:
        code = app(standalone_mode=False)  # typer turns Ctrl-C into a code or an Abort, by version
    except parser_error as error:
        _refuse(error)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        # A full disk, a folder without permission: the message names the file, the trace would not help.
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    if code == INTERRUPTED:
        print("\ninterrupted; finished stages are kept: the same command again does the rest", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _terminated(number: int, _: object) -> NoReturn:
    """End as after Ctrl-C: what is under way is put away, and the same command goes on from there."""
    signal.signal(number, signal.SIG_DFL)  # a second one ends at once
    raise KeyboardInterrupt


def _refuse(error: Any) -> NoReturn:
    """Tell what the parser did not understand; for a command that needs a verb, its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        command = error.ctx.command_path if error.ctx else "v2f-bench"
        print(f"error: {error.format_message()}\n`{command} --help` shows what it takes", file=sys.stderr)
    sys.exit(error.exit_code)
