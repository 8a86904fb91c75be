"""Rendering: the report of an edition from its executed notebook, and the site around all reports."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from pandas import DataFrame

from councilbook.catalogue import Catalogue, Council, Mode, hash_file
from councilbook.errors import CouncilbookError, NotebookError
from councilbook.gate.disks import explain_os_errors
from councilbook.gate.editions import (
    Edition,
    Staging,
    hash_folder,
    hold_edition,
    hold_site,
    open_staging,
    put_in_place,
    read_record,
    write_record,
)
from councilbook.paths import write_atomically
from councilbook.running.changes.stale import fingerprint_site
from councilbook.running.jobs import (
    Failure,
    JobResult,
    choose_councils,
    describe_error,
)


def rerender(
    catalogue: Catalogue,
    studies: Sequence[str],
    councils: Sequence[str],
    data: Mode | None = None,
    browser: Path | None = None,
) -> list[JobResult]:
    """Render reports again from what was kept of their last runs; no notebook is run.

    Args:
        catalogue: the workbook's.
        studies: ids; none means all.
        councils: as `choose_councils` takes them; none means all that a study has been run for.
        data: sample or real; none means both.
        browser: what prints each report as PDF too, from `pdf.find_browser`; none: no PDF.

    Returns:
        One result a report; failed if the study has not been run for the council.
    """
    results = []
    for study in studies or list(catalogue.studies):
        catalogue.study(study)
        chosen = choose_councils(catalogue, councils) if councils else None
        for edition in _list_editions(catalogue, study, chosen, data):
            started = time.perf_counter()
            try:
                _render_kept(catalogue, edition, browser)
            except (CouncilbookError, OSError) as error:
                results.append(JobResult(edition, "failed", failure=Failure(describe_error(error, edition.workbook))))
            else:
                results.append(JobResult(edition, "made", time.perf_counter() - started))
    build_site_if_changed(catalogue)
    return results


def _list_editions(
    catalogue: Catalogue, study: str, councils: Sequence[Council] | None, data: Mode | None
) -> list[Edition]:
    """List what was run of a study, on these data or both; of a council that it was not run for, the sample."""
    records = filter(None, map(read_record, sorted((catalogue.workbook.private / "runs" / study).glob("*/*"))))
    kept = [
        Edition(catalogue.workbook, study, record.council, record.data)
        for record in records
        if data in (None, record.data)
    ]
    if councils is None:
        return kept
    never_run = [one for one in councils if one.slug not in {edition.council.slug for edition in kept}]
    asked = [edition for edition in kept if edition.council.slug in {one.slug for one in councils}]
    return asked + [Edition(catalogue.workbook, study, council, data or "sample") for council in never_run]


def _render_kept(catalogue: Catalogue, edition: Edition, browser: Path | None) -> None:
    with hold_edition(edition):
        record = read_record(edition.private)
        executed = edition.executed(catalogue.study(edition.study).report)
        if record is None or not executed.exists():
            raise NotebookError(f"Nothing is kept of a run of {edition.name}. Run it first: councilbook run.")
        if hash_folder(edition.processed) != record.processed:
            raise NotebookError(
                f"The datasets of {edition.name} have changed since its report was run. Run it again: councilbook run."
            )
        with open_staging(edition) as staging:
            publish(staging, catalogue, record.run_date, executed, edition.processed)
            if browser:
                from councilbook.pages.reports.pdf import print_pdf

                print_pdf(staging.report / "index.html", staging.report / "report.pdf", browser)
            put_in_place(edition, {edition.report: staging.report})
        write_record(edition, record.model_copy(update={"report": hash_folder(edition.report)}))


def publish(staging: Staging, catalogue: Catalogue, run_date: str, executed: Path, processed: Path) -> None:
    """Make the page of an executed report notebook, of the datasets in a folder."""
    from councilbook.gate.written.packages import read_published
    from councilbook.pages.reports.report import publish_report

    edition = staging.edition
    spec = catalogue.study(edition.study)

    def read(name: str) -> DataFrame:
        return read_published(processed / name, catalogue.dataset(name))

    publish_report(
        executed, edition.workbook, spec, edition.council, edition.mode, run_date, processed, staging.report, read
    )


def build_site_if_changed(catalogue: Catalogue) -> None:
    """Bring the site's pages up to date with its reports, unless they were built of these very ones.

    What they were built of is compared, not what this run made: a run that was killed may have left a new report,
    and of two runs at once each finds what the other made.
    """
    workbook = catalogue.workbook
    if not workbook.reports.exists():
        return
    with explain_os_errors(workbook), hold_site(workbook) as private:
        built = private / "built.json"
        files = [file for file in workbook.reports.glob("[!.]*/[!.]*/[!.]*/*") if file.is_file()]
        reports = {file.relative_to(workbook.reports).as_posix(): hash_file(file) for file in sorted(files)}
        content = json.dumps({"library": fingerprint_site(catalogue), "reports": reports}, indent=2)
        if built.exists() and built.read_text() == content and (workbook.reports / "index.html").exists():
            return
        from councilbook.pages.site import build_site

        built.unlink(missing_ok=True)
        build_site(catalogue)
        with write_atomically(built) as temporary:
            temporary.write_text(content)
