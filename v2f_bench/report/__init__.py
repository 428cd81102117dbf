"""The page of a run: what was run, its numbers, its curves, and trials to look at and listen to."""

from v2f_bench.report.comparison import comparison_page
from v2f_bench.report.page import REPORT, report_page, write_reports
from v2f_bench.report.people import People, open_people

__all__ = ["REPORT", "People", "comparison_page", "open_people", "report_page", "write_reports"]
