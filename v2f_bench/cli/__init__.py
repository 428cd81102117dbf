"""The command line: a file a verb; each parses, calls and prints. `--help` imports no torch."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an error that is meant for the user is one message and an exit code, not a traceback.

    Exit codes: 0 all is well; 1 something failed or could not be read; 2 wrong usage; 130 interrupted.
    """
    from v2f_bench.cli.app import app
    from v2f_bench.interfaces import BenchError, UsageError

    try:
        app(standalone_mode=False)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from the last finished stage", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        # A full disk, a folder without permission: the message names the file, the trace would not help.
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
