"""`v2f-bench study serve`: the study's page, with answers into a data base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    study: Annotated[Path, typer.Argument(help="Folder that `study export` made.")],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for the whole network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    listed_only: Annotated[
        bool, typer.Option("--listed-only", help="Only raters whose code stands in raters.csv.")
    ] = False,
    public_url: Annotated[
        str, typer.Option(help="The address by which a proxy shows this server to raters (https://...).")
    ] = "",
) -> None:
    """Serve a study until Ctrl-C; answers go to STUDY/answers.sqlite, each one before it is acknowledged.

    By default it listens on this machine alone. To reach raters elsewhere, put a web server with https in front of it
    and name its address by --public-url. No network address and no free text is kept.

    \b
    Examples:
      v2f-bench study serve my-study
      v2f-bench study serve my-study --listed-only --public-url https://study.lab.org
    """
    from v2f_bench.interfaces import NotAvailable
    from v2f_bench.study.server import StudyServer, access, listen, run

    try:
        import waitress  # noqa: F401
    except ImportError:
        raise NotAvailable("`study serve` needs the extra `study`: pip install 'v2f-bench[study]'") from None
    server = StudyServer(study, access(host, public_url, listed_only))
    listening = listen(server, host, port)
    address = f"http://{'[' + host + ']' if ':' in host else host}:{listening.effective_port}/"
    typer.echo(f"raters     {public_url or address}")
    typer.echo(f"progress   {address}progress?key={server.progress_key}")
    typer.echo(f"answers    {server.database.path}")
    typer.echo("Ctrl-C ends it; what is answered is kept, and the same command goes on.")
    run(listening)
