"""Reports: one HTML file of a run or of a sweep, which stands alone, for the screen and for paper."""

from cosim.report.build import report_of, write_report

__all__ = ["report_of", "write_report"]
