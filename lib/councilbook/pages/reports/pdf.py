"""A report as PDF: printed by a Chromium that is there, with tags for screen readers and an outline.

The browser is run as a program of its own, without a network, and with a profile that is gone afterwards.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bs4 import BeautifulSoup

from councilbook.errors import CouncilbookError
from councilbook.paths import write_atomically

BROWSER_VARIABLE = "COUNCILBOOK_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_PLACES = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
MAC_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network, whatever the browser would like to ask
    "--no-pdf-header-footer",
    "--export-tagged-pdf",
    "--generate-pdf-document-outline",
)
TIMEOUT_SECONDS = 120
LETTERS = 32
LONG_WORD = re.compile(r"^\S{36,}$")


def find_browser() -> Path:
    """Find a browser that can print: the one that COUNCILBOOK_BROWSER names, or a Chromium, Chrome or Edge.

    Raises:
        CouncilbookError: there is none; the message says what to install or set.
    """
    if named := os.environ.get(BROWSER_VARIABLE):
        if found := shutil.which(named):
            return Path(found)
        raise CouncilbookError(f"{BROWSER_VARIABLE} names {named!r}, and there is no such program.")
    on_path = (found for name in NAMES if (found := shutil.which(name)))
    if browser := next(on_path, None) or next(filter(os.path.isfile, _list_usual_places()), None):
        return Path(browser)
    raise CouncilbookError(
        "A report is printed to PDF by a browser, and none was found. Install Chromium (Debian and Ubuntu: "
        f"apt install chromium), Google Chrome or Microsoft Edge, or name its program in {BROWSER_VARIABLE}."
    )


def _list_usual_places() -> list[str]:
    """List where Chrome and Edge are installed on systems that do not put them on the path."""
    folders = [os.environ[name] for name in WINDOWS_FOLDERS if name in os.environ]
    return [*(str(Path(folder, place)) for folder in folders for place in WINDOWS_PLACES), *MAC_PLACES]


def print_pdf(page: Path, target: Path, browser: Path) -> None:
    """Print a page of the site to a tagged PDF, on A4.

    Maps are printed as still pictures, tables that are folded away on screen in full, and code not at all.

    Args:
        page: the page, a file.
        target: the PDF to write; it is written in one step.
        browser: from `find_browser`.

    Raises:
        CouncilbookError: the browser did not write it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="councilbook-print-", ignore_cleanup_errors=True) as folder,
        write_atomically(target) as temporary,
    ):
        copy, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        copy.write_text(_prepare(page.read_text(encoding="utf-8")), encoding="utf-8")
        _run_browser(browser, [f"--print-to-pdf={printed}", copy.as_uri()], Path(folder) / "profile")
        if not printed.is_file():
            raise CouncilbookError(
                f"{browser} wrote no PDF of {page}. One that was installed as a snap cannot read temporary files; name "
                f"another in {BROWSER_VARIABLE}."
            )
        shutil.copyfile(printed, temporary)


def _prepare(page: str) -> str:
    """Take out of a page what cannot be on paper: scripts, maps that move, links to files that lie beside the page.

    A browser writes a link's full address into the PDF, so links within the site would tell of folders on this machine.
    """
    soup = BeautifulSoup(page, "html.parser")
    for element in soup.select("script, iframe, form"):
        element.decompose()
    for link in soup.select("a[href]"):
        if not str(link["href"]).startswith(("#", "https:", "http:", "mailto:")):
            del link["href"]
    for figure in soup.select("figure"):
        figure["role"] = "group"  # a browser tags it as a picture otherwise, one without a text alternative
    for text in [text for cell in soup.select("td") for text in cell.find_all(string=LONG_WORD)]:
        pieces = re.findall(f".{{1,{LETTERS}}}", text)  # a checksum would make its table wider than the paper
        text.replace_with(*[part for piece in pieces for part in (piece, soup.new_tag("wbr"))])
    return str(soup)


def _run_browser(browser: Path, arguments: list[str], profile: Path) -> None:
    is_root = sys.platform.startswith("linux") and os.geteuid() == 0
    sandbox = ["--no-sandbox"] if is_root else []  # Chromium refuses to put root into one
    command = [str(browser), *FLAGS, *sandbox, f"--user-data-dir={profile}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CouncilbookError(f"{browser} did not print the page within {TIMEOUT_SECONDS} seconds.") from None
    except OSError as error:
        raise CouncilbookError(f"{browser} cannot be started: {error.strerror}.") from None
    if done.returncode:
        raise CouncilbookError(f"{browser} could not print the page: it ended with exit code {done.returncode}.")
