"""`v2f-bench study plan`: how many raters and items a difference needs."""

from __future__ import annotations

from typing import Annotated

import typer


def plan(
    better: Annotated[float, typer.Option(help="Share that the better method is thought to reach.")] = 0.72,
    worse: Annotated[float, typer.Option(help="Share of the worse one.")] = 0.65,
    raters: Annotated[str, typer.Option(help="Numbers of raters to try, by comma.")] = "10,20,30,40",
    items: Annotated[str, typer.Option(help="Numbers of items (speakers) to try, by comma.")] = "50,100,150",
    trials: Annotated[int, typer.Option(min=2, help="Questions a rater about the two methods.")] = 50,
    rater_sd: Annotated[float, typer.Option(min=0, help="How raters differ, in logits.")] = 0.4,
    item_sd: Annotated[float, typer.Option(min=0, help="How items differ, in logits.")] = 1.0,
    studies: Annotated[int, typer.Option(min=10, help="Studies to simulate of each size.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
) -> None:
    """Simulate studies of many sizes, and print how often two methods are found to differ.

    Raters and items both vary at random, so a study needs enough of both. A power of .80 is the usual wish. With 1,000
    studies it is exact to about ± .03.

    \b
    Examples:
      v2f-bench study plan
      v2f-bench study plan --better .60 --worse .50 --raters 20,40,80 --items 100,200 --trials 60
    """
    from tabulate import tabulate

    from v2f_bench.cli.display import progress_display
    from v2f_bench.study.plan import World, plan_studies

    world = World(better, worse, rater_sd, item_sd)
    numbers = _numbers("--raters", raters), _numbers("--items", items)
    sizes = plan_studies(world, *numbers, trials, studies, seed, progress_display())
    rows = [
        [size.raters, size.items, size.raters * trials, f"{size.power:.2f}", f"± {size.half_width:.3f}"]
        for size in sizes
    ]
    headers = ["raters", "items", "answers", f"power for {better:g} against {worse:g}", f"interval of {better:g}"]
    typer.echo(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True))
    enough = min(
        (size for size in sizes if size.power >= 0.8), key=lambda size: (size.raters, size.items), default=None
    )
    typer.echo(
        f"\nthe smallest of these with a power of .80: {enough.raters} raters and {enough.items} items"
        if enough
        else "\nnone of these has a power of .80: try more raters, more questions a rater, or a larger difference"
    )


def _numbers(option: str, text: str) -> list[int]:
    from v2f_bench.interfaces import UsageError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= 2 for part in parts):
        raise UsageError(f"{option} takes whole numbers from 2 on, such as 20,30,40, not {text!r}")
    return [int(part) for part in parts]
