"""A council's ledger as a run and `councilbook check` read it: by the columns that the council has confirmed."""

from councilbook.business_rates.ledger.tables import NoHeaderError
from councilbook.business_rates.roll.columns import TARGETS, show_columns, store_mapping
from councilbook.business_rates.roll.files import guess_columns
from councilbook.business_rates.roll.reading import Roll, read_roll
from councilbook.catalogue import FoundFile
from councilbook.errors import CheckError, CouncilbookError, SourceError
from councilbook.sources.mappings import Inspection
from councilbook.study import Study


def read_ledger(study: Study, found: FoundFile) -> Roll:
    """Read a council's ledger, or the list that it has published.

    Args:
        study: the study as it is run; its date counts, and what the council says of its columns in the closed folder.
        found: from `Study.open_file`.

    Raises:
        SourceError: the file cannot be read.
        CheckError: what its columns are cannot be told, or is not as the council says, or no row is a property. The
            message names the file in which the council can say it.
    """
    mapping = study.read_mapping(found)
    if mapping is not None and not any(mapping.values()):
        raise CheckError(
            f"{found.source.mapping_name} in the closed folder says of no column what it is. Correct it there."
        )
    try:
        roll = read_roll(found.path, run_date=study.run_date, mapping=mapping)
        if roll.frame.empty:
            why = f", most for: {roll.aside['reason'].mode()[0]}" if len(roll.aside) else ""
            raise CheckError(f"None of its {roll.rows_in_file:,} rows is a property{why}.")
        return roll
    except NoHeaderError as error:
        raise SourceError(f"{error} {study.tell_way(found)}") from None
    except CheckError as error:
        raise CheckError(f"{found.path.name}: {error} {study.tell_way(found)}") from None


def inspect_ledger(study: Study, found: FoundFile) -> Inspection:
    """Find out which column of a ledger is which, and what a run would make of it.

    For a ledger that cannot be read, it has what stops a run, and which columns it seems to have all the same.
    """
    fields = found.source.table().fields if found.source.tables else {}
    targets = {target: fields[target].description if target in fields else "" for target in TARGETS}
    try:
        roll = read_ledger(study, found)
    except CouncilbookError as error:
        columns = guess_columns(found.path)
        return Inspection(show_columns(columns), store_mapping(columns), targets, fault=str(error))
    counts = roll.count_rows()
    rows = ", ".join(f"{count:,} {what}" for what, count in zip(counts["what"], counts["rows"], strict=True))
    result = f"{roll.rows_in_file:,} rows: {rows}" + (f"; of {roll.day.day} {roll.day:%B %Y}" if roll.day else "")
    warnings = [*roll.warnings, *([study.tell_way(found)] if roll.warnings else [])]
    return Inspection(roll.mapping, roll.stored_mapping, targets, result, warnings)
