"""Whether a data set's people may be shown to raters: what its card says, or a named person who answers for it."""

from __future__ import annotations

from v2f_bench.interfaces import Card, UsageError

OPTION = "--take-responsibility"


def check_permission(dataset: str, card: Card, responsible: str) -> None:
    """UsageError where the card does not allow a study and nobody takes responsibility for showing it all the same.

    Args:
        responsible: who takes it, and by what right; "" for nobody. It is kept in the study's key and results.
    """
    if card.may_be_shown == "yes" or responsible:
        return
    says = {
        "no": "forbids showing its people's faces and voices to raters",
        "not stated": "does not say whether its people's faces and voices may be shown to raters",
    }[card.may_be_shown]
    raise UsageError(
        f"the card of {dataset} {says}. Licence: {card.licence.rstrip('.')}. Consent: {card.consent.rstrip('.')}. "
        "If you have the right to show them (an agreement, an ethics board's approval), say who answers for it: "
        f'{OPTION} "NAME, by what right"'
    )
