"""The files of production's pages, and the addresses under which `up` serves them."""

import re
from urllib.parse import quote, urljoin

from ml_regress.settings import Settings

PRODUCTION_PAGE = "production.html"
REPORT_PAGE = "report.html"


def batch_file(batch: str) -> str:
    """The file of a batch's page. Ids differ by more than upper and lower case, so no two batches share one."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"batch-{batch}.html")


def batch_link(settings: Settings, batch: str) -> str:
    """The address of a batch's page."""
    return urljoin(settings.report_url, quote(batch_file(batch)))


def production_link(settings: Settings) -> str:
    """The address of the page of all batches."""
    return urljoin(settings.report_url, PRODUCTION_PAGE)
