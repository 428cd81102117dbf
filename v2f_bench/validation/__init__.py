"""Runs handed in by others: a folder ready for a pull request, and the checks of whoever receives it."""

from v2f_bench.validation.checks import Check, Verdict, validate
from v2f_bench.validation.package import MANIFEST, submit

__all__ = ["MANIFEST", "Check", "Verdict", "submit", "validate"]
