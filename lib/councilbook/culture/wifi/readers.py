"""Reading logs of wifi in the layouts of vendors, or in one that is declared, into safe events.

An error names the log and the place in it, never what stands there: a cell could be an address or a name. So no error
of a parser is chained to it either, as its message may repeat a row.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from councilbook.catalogue import FoundFile
from councilbook.culture.wifi import captures, payloads, tables
from councilbook.culture.wifi.intake import Intake, Setting, find_zone
from councilbook.errors import SourceError, suggest
from councilbook.sources.mappings import Inspection

PCAP = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
MAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)
HEAD = 65_536  # bytes in which a layout is recognised
LOCAL = "Europe/London"
HEADERS = {  # of tables, by column of ours; a word for an access point's address comes before that of a device's
    "zone": r"\bap\b|\bap[ _]|access[ _]?point|sensor|zone|location|nas|called",
    "signal_dbm": r"rssi|signal|dbm",
    "network": r"ssid|network",
    "end": r"\bend|stop|disconnect|last[ _]?seen",
    "seconds": r"duration|seconds",
    "address": r"mac|address|client|station|device",
    "time": r"time|date|seen|connected",
    "people": r"people|heads|occupancy",
}
NO_HEADER = re.compile(
    r"\d{4}[-/]\d|\d[-/]\d{4}|\d{5}|([0-9a-f]{2}[:.-]){2}|@", re.IGNORECASE
)  # a time, an address or a mailbox


def read_log(
    source: Path | str | bytes, layout: str | Mapping[str, str | None] = "", intake: Intake | None = None, *,
    time_zone: str | None = None, zones: Mapping[str, str] | None = None, zone: str = "",
) -> pd.DataFrame:  # fmt: skip
    """Read a log into safe events.

    Args:
        source: a file, plain or in gzip, or its content.
        layout: one of LAYOUTS; or a declared one: by header, the column of ours (see `tables.TARGETS`), as
            `study.read_mapping` gives it. Where it is not said, it is recognised by the content.
        intake: where addresses become tokens; one for all logs of a run. A log without one has its own.
        time_zone, zones, zone: see `intake.Setting`.

    Returns:
        events: time (UTC), zone, token, signal_dbm, is_local, fingerprint, network, and people where the log counts
        heads, in the order of the log. What was set aside is counted in the intake.

    Raises:
        SourceError: it cannot be read, is of another layout or version, or holds e-mail addresses or names of people.
    """
    if intake is None:
        with Intake() as own:
            return read_log(source, layout, own, time_zone=time_zone, zones=zones, zone=zone)
    if time_zone:
        find_zone(time_zone)
    try:
        return _read_content(unpack(source), layout, intake, Setting(time_zone, zones, zone))
    except SourceError as error:
        fault = str(error)
    raise SourceError(fault if isinstance(source, bytes) else f"File {Path(source).name}. {fault}")


def _read_content(
    content: bytes, layout: str | Mapping[str, str | None], intake: Intake, setting: Setting
) -> pd.DataFrame:
    name = layout if isinstance(layout, str) else "declared"
    if not name:
        name = recognise(content)
    if name != "declared" and name not in LAYOUTS:
        raise SourceError(f'There is no layout "{name}" of wifi logs.{suggest(name, LAYOUTS)}')
    if not intake.is_new(content, name):
        return intake.admit(payloads.gather([], intake, name), name)
    columns = tables.COLUMNS.get(name) if isinstance(layout, str) else layout
    if columns is None:
        return intake.admit(READERS[name](content, setting, intake, name), name)
    if b"@" in content and MAIL.search(content):
        raise SourceError(f"Log ({name}): it holds e-mail addresses. Export it without them; nothing was read.")
    return intake.admit(tables.read_table(content, columns, setting, intake, name), name)


def inspect_log(study: Any, found: FoundFile) -> Inspection:
    """Find out which layout a log is in or, if it is a table of another, which column is which: by headers, or as told.

    Args:
        study: of which the council's mapping is read.
        found: the log.

    Raises:
        SourceError, CheckError: it cannot be opened, or what the council says of its columns cannot be read.
    """
    content, told, fault, result = unpack(found.path), study.read_mapping(found), "", ""
    try:
        if not told:
            return Inspection(result=f"It is in the layout {recognise(content)}.")
    except SourceError as error:
        fault = str(error)
    header = [] if content[:1] in (b"{", b"[") else tables.split_header(content[:HEAD].decode("utf-8-sig", "replace"))
    if any(NO_HEADER.search(cell) for cell in header):  # a record: it is not shown
        return Inspection(fault="Log: its first line is no header. Expected names of columns above the records.")
    mapping = {cell: told.get(cell) for cell in header} if told else guess_columns(header)
    try:
        with Intake() as intake:
            rows = len(read_log(content, told or mapping, intake, time_zone=LOCAL))
            result = f"{rows:,} records can be read, with {LOCAL} for times without a zone."
    except SourceError as error:
        fault = fault or str(error)
    if "time" not in mapping.values():  # it may be no table at all
        return Inspection(fault=fault)
    if fault and not told:
        fault += f" `councilbook columns culture {found.source.id}` writes the file to say it in."
    shown = [(cell, target, "as told" if told else "its header", np.nan, "") for cell, target in mapping.items()]
    columns = pd.DataFrame(shown, columns=["file_column", "column", "found", "fits_pct", "note"])
    return Inspection(columns, mapping, tables.TARGETS, result, fault=fault or None)


def guess_columns(header: Sequence[str]) -> dict[str, str | None]:
    """Guess which column of a table is which by its header; of several that are called so, the first."""
    guessed: dict[str, str | None] = {}
    for cell in header:
        able = [target for target, words in HEADERS.items() if re.search(words, cell, re.IGNORECASE)]
        guessed[cell] = next((target for target in able if target not in guessed.values()), None)
    return guessed


def unpack(source: Path | str | bytes) -> bytes:
    """Return the content of a file, out of gzip if it lies in one.

    Raises:
        SourceError: it cannot be opened, or its gzip breaks off.
    """
    fault = ""
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # as Excel writes Unicode text
            content = content.decode("utf-16").encode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        fault = type(error).__name__
    if fault:
        raise SourceError(f"Log: it cannot be opened, or its gzip is broken or breaks off ({fault}).")
    return content


def recognise(content: bytes) -> str:
    """Recognise a log's layout by its content.

    Raises:
        SourceError: it is none of those that are known.
    """
    if not content.strip():
        raise SourceError("Log: it is empty. Expected what access points heard; take an empty file out.")
    if content[:4] in PCAP:
        return "pcap"
    head = content[:HEAD].decode("utf-8-sig", "replace")
    if "Acct-Status-Type" in head:
        return "radius"
    if head.lstrip()[:1] in ("{", "["):
        return payloads.recognise_payload(head)
    header = tables.split_header(head)
    fitting = [name for name, columns in tables.COLUMNS.items() if not tables.find_missing(columns, header)]
    if fitting:
        return fitting[0]
    raise SourceError(
        f"Log: its layout is not known. Known: {', '.join(LAYOUTS)}. For another, declare which column is which."
    )


READERS: dict[str, Any] = {
    "meraki_v2": payloads.read_meraki,
    "meraki_v3": payloads.read_meraki,
    "cmx_v2": payloads.read_cmx,
    "cmx_v3": payloads.read_cmx,
    "unifi": payloads.read_unifi,
    "radius": captures.read_radius,
    "pcap": captures.read_pcap,
}
LAYOUTS = (*READERS, *tables.COLUMNS)
