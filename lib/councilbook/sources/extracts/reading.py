"""A council's own file of declared fields, under its own headers and codes: what a run reads, and what a council sees.

What a column and a code is, the council says in a file (`mappings`), or it is guessed (`guesses`, `codes`). What is
then not known stops the run. No cell of a file is shown, but codes of columns whose values the catalogue lists, if they
are short, of few kinds, and each on many rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from councilbook.catalogue import FieldSpec, FoundFile, Table, find_function
from councilbook.errors import CheckError, CouncilbookError, SourceError
from councilbook.sources.checks import check_fields
from councilbook.sources.extracts.codes import (
    BLANK,
    DOUBTFUL,
    NO_VALUE,
    NUMBERS,
    find_coarse,
    find_strange,
    fold_code,
    has_shares,
    is_missing,
    is_postcode,
    list_known,
    list_values,
    read_cells,
)
from councilbook.sources.extracts.days import BAND, IMPOSSIBLE, OFFSET, is_age, is_moment, read_ages, read_bands
from councilbook.sources.extracts.diagnoses import NO_GROUP, find_groups, list_groups, load_code_lists
from councilbook.sources.extracts.guesses import (
    DECLARED,
    HOW,
    KNOWN,
    PSEUDONYM,
    Column,
    Told,
    choose_columns,
    rank_header,
)
from councilbook.sources.files.readers import (
    accepted_headers,
    convert_types,
    describe_place,
    keep_rows,
    read_body,
    write_cells,
)
from councilbook.sources.identifiers import check_names, check_pseudonymised, find_person_names
from councilbook.sources.mappings import UNKNOWN, Inspection

LEAST_ROWS, MOST_LETTERS, MOST_CODES = 10, 8, 30  # a code is shown if it is so frequent and short, and of so few
LEAST_OF_KIND = 3  # rows of each kind of a text, on average, for it to be no name
SHOWN = 3
DOUBTS = {  # of a cell in a column of numbers, as it begins: what it is, and what to do
    re.escape(DOUBTFUL): (
        "may be read in two ways",
        "A point or a comma may mark decimals, or thousands. Write all numbers of the column in one way.",
    ),
    r"(\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)|\d{4}[-/]\d\d[-/]\d\d)(\D|$)": (
        "are days that cannot be read as a number",
        "Write a number in their place, or a day of birth as 31/03/1950 or 1950-03-31 where an age is asked for.",
    ),
    BAND.pattern + "$": ("are bands, and not one number", "Write one number in each."),
    re.escape(IMPOSSIBLE): (
        "are of a birth after the day that the file is of, or longer ago than anyone lives",
        "Mend these cells, or take the rows out.",
    ),
}
MEND = "Fill these cells in or take the rows out, or say what they mean; (blank) stands for a blank cell."


@dataclass(frozen=True)
class Extract:
    """A council's own file, with what is declared of it and what the council says of it."""

    found: FoundFile
    table: Table
    told: Told

    @cached_property
    def where(self) -> str:
        """What the file is, for a message."""
        return describe_place(self.found, self.table)

    @cached_property
    def body(self) -> pd.DataFrame:
        """All columns of the file, as they are in it; the index is the row in the file."""
        body = read_body(self.found, self.table)
        is_blank = body.isin(["", None]).all(axis="columns")
        return body[~is_blank] if is_blank.any() else body

    @cached_property
    def _columns(self) -> list[Column]:
        return choose_columns(self.body, self.table, self.told, self.where)

    @cached_property
    def _taken(self) -> dict[str, Column]:
        return {one.target: one for one in self._columns if one.target in self.table.fields}

    @cached_property
    def _coded(self) -> list[Column]:
        """The columns of diagnosis codes."""
        return [one for one in self._columns if one.target in load_code_lists()]

    def read(self) -> pd.DataFrame:
        """Read it as `readers.read_rows` reads a file in our layout.

        Returns:
            The declared fields, cells as `convert_types` takes them; a condition that has no column of its own comes
            from codes of diagnoses, where the file has such.

        Raises:
            SourceError: the file cannot be read, or has no column for a field.
            CheckError: a code is not known, the council's mapping does not fit its file, or people can be read in it.
        """
        if self.found.source.refused_by:
            find_function(self.found.source.refused_by)(self.body, self.where)
        self._check_told()
        fields, taken = self.table.fields, self._taken
        groups = [name for name in list_groups(self.table) if name not in taken] if self._coded else []
        absent = [name for name in fields if name not in taken and name not in groups]
        self._require(absent)
        if self.found.source.pseudonymised:
            self._refuse_people()
        frame = pd.DataFrame(index=self.body.index).assign(**dict.fromkeys(absent), **dict.fromkeys(groups, "false"))
        for name, one in taken.items():
            frame[name] = read_cells(self._write(one), fields[name], self._tell(one), self.told.day)
        for one in self._coded:
            self._read_diagnoses(frame, one, groups)
        frame = keep_rows(frame, self.table, self.where)
        notes = self._list_notes(groups, absent)
        for name, one in taken.items():
            notes += self._set_aside(frame, name, self._write(one).loc[frame.index])
            self._refuse_codes(frame.loc[find_strange(frame[name], fields[name]), name], one, list_values(fields[name]))
            self._refuse_numbers(frame[name], one)
        frame = frame[list(self.table.fields)]
        if self.table.key and frame.duplicated(self.table.key).any() and (twice := frame.duplicated()).any():
            notes.append(f"{twice.sum():,} rows that repeat another in all that is read are read once.")
            frame = frame[~twice]
        frame = self._join_rows(frame, notes)
        for name in self._list_free() if self.found.source.pseudonymised else ():
            if (named := find_person_names(frame[name])).any():
                notes.append(f"{name} is left blank in {named.sum():,} rows, as it may be a person's name there.")
                frame = frame.assign(**{name: frame[name].mask(named)})
        frame.attrs["notes"] = notes
        return frame

    def inspect(self, place: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows) -> Inspection:
        """Find out which column is which, what its codes are taken for, and whether a run can read it.

        Args:
            place: picks the council's rows, as a run does.

        Raises:
            SourceError, CheckError: it cannot even be looked at.
        """
        columns = self._columns
        fault, result, warnings = None, "", []
        try:
            rows = place(self.read())
            typed = convert_types(rows, self.table, self.found)
            way = f"{MEND} {self.told.way}"
            check_fields(typed, self.table.fields, self.table.key, self.where, show_values=False, way=way)
            result, warnings = f"{len(rows):,} rows can be read.", rows.attrs["notes"]
        except CouncilbookError as error:
            fault = str(error)
        shown = pd.DataFrame(
            [(one.header, one.place + 1, one.target, one.found, one.fits_pct, "") for one in columns],
            columns=["file_column", "position", "column", "found", "fits_pct", "note"],
        )
        fields = self.table.fields.items()
        targets = {name: "; ".join([one.description, ", ".join(list_values(one))]).strip("; ") for name, one in fields}
        if groups := list_groups(self.table):
            said = f"turned into {', '.join(groups)} by "
            targets |= {title: said + codes.source for title, codes in load_code_lists().items()}
        mapping = {one.header: one.target for one in columns if one.header}
        codes = {one.header: known for one in columns if (known := self._list_codes(one))}
        return Inspection(shown, mapping, targets, result, warnings, fault, codes)

    def _write(self, column: Column) -> "pd.Series[str]":
        cells = self.body.iloc[:, column.place]
        if self.found.source.format == "xlsx":  # what is a number there needs no telling what its point is
            cells = cells.map(lambda cell: f"{cell:.9f}" if isinstance(cell, float) and cell % 1 else cell)
        return write_cells(cells)

    def _tell(self, column: Column) -> Mapping[str, str]:
        """Return what the codes of a column are told to be; where yes is all that is written, a blank is no."""
        told = self.told.codes.get(column.header, {})
        spec = self.table.fields.get(str(column.target))
        if spec and spec.type == "boolean" and BLANK not in told:
            cells = pd.Series(self._write(column).fillna("").unique(), dtype="str")
            if "" in set(cells) and set(read_cells(cells, spec, told).dropna()) == {"true"}:
                return {**told, BLANK: "no"}
        return told

    def _join_rows(self, frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
        """Make one row of those of a key that differ in yes and no alone, as of one person with a diagnosis a row."""
        key, flags = self.table.key, [name for name, one in self.table.fields.items() if one.type == "boolean"]
        same = frame.drop(columns=flags)
        if (
            len(key) != 1
            or not flags
            or not (again := frame.duplicated(key)).any()
            or (again & ~same.duplicated()).any()
        ):
            return frame
        notes.append(f"{again.sum():,} rows that differ from another in yes and no alone are read with it, as yes.")
        return same[~again].join(frame[flags].groupby(frame[key[0]]).max(), on=key[0])[list(frame)]

    def _set_aside(self, frame: pd.DataFrame, name: str, written: "pd.Series[str]") -> list[str]:
        """Blank the postcodes and ages that cannot be, and say how many; and how many were mended, or were births."""
        field, read = self.table.fields[name], frame[name]
        told = {}
        if is_postcode(field):
            bad = read.notna() & ~read.str.fullmatch(str(field.pattern)).fillna(True).astype("bool")
            plain = written.str.upper().str.replace(r"[\s.,_-]", "", regex=True)
            swapped = read.notna() & ~bad & (plain != read.str.replace(" ", ""))
            told["cells had O for 0, I for 1 or the reverse, and are read as they must be."] = swapped
            what = "are no whole postcode"
        elif is_moment(field):
            bare = written.notna() & ~written.str.contains(OFFSET).fillna(True).astype("bool")
            return [f"{name}: {bare.sum():,} times had no offset from UTC, and are local time."] if bare.any() else []
        elif is_age(field) and (day := self.told.day):
            bad = read.str.startswith(IMPOSSIBLE).fillna(False).astype("bool")
            told[f"days, months or years of birth are turned into ages, as of {day:%-d %B %Y}, and not kept."] = (
                written.notna() & (read_ages(written, field, day) != written)
            )
            told["bands of ages are read as ages near their middle."] = (
                written.notna() & (read != written) & (read_bands(written, field) == read)
            )
            what = "are of a birth after that day, or longer ago than anyone lives"
        else:
            return []
        if not field.required:
            frame[name] = read.mask(bad)
            told[f"cells {what}, and are read as blank."] = bad
        return [f"{name}: {rows.sum():,} {text}" for text, rows in told.items() if rows.any()]

    def _read_diagnoses(self, frame: pd.DataFrame, column: Column, groups: Sequence[str]) -> None:
        """Set the conditions that the codes in a column stand for."""
        cells = self._write(column)
        told, system = self.told.codes.get(column.header, {}), load_code_lists()[str(column.target)]
        flags, strange = find_groups(cells.mask(is_missing(cells)), system, told, groups)
        self._refuse_codes(strange, column, [str(column.target), *groups, NO_GROUP])
        for name, has in flags.items():
            frame.loc[has, name] = "true"

    # --- what stops a run ---

    def _refuse_people(self) -> None:
        """Refuse an extract in which people can be read.

        Not looked at are columns of codes, which are refused where they hold anything else, and declared texts of few
        kinds, each on several rows: the name of a scheme looks like a person's. In other such texts, what looks like a
        name is not read.
        """
        check_names((one.header for one in self._columns if not self._is_called_so(one)), self.where)
        plain = [one for one in self._columns if not self._holds_codes(one)]
        names = [one.target or one.header for one in plain]
        cells = self.body.iloc[:, [one.place for one in plain]].set_axis(names, axis="columns")
        check_pseudonymised(cells, self.where, self._list_free())

    def _is_called_so(self, column: Column) -> bool:
        """Tell whether a header is known for what it is taken for, or says that it is a pseudonym."""
        name = str(column.target)
        is_known = name in self.table.fields and rank_header(column.header, name, self.table) <= KNOWN
        return is_known or (name in self.table.key and bool(PSEUDONYM.search(column.header)))

    def _holds_codes(self, column: Column) -> bool:
        if column.target not in self.table.fields:
            return column.target is not None
        spec = self.table.fields[column.target]
        kinds = self.body.iloc[:, column.place].nunique()
        is_of_few = kinds <= min(MOST_CODES, len(self.body) / LEAST_OF_KIND)
        return bool(list_values(spec)) or (is_of_few and self._is_free(column.target))

    def _is_free(self, name: str) -> bool:
        spec = self.table.fields[name]
        return spec.type == "string" and not (spec.pattern or spec.enum or name in self.table.key)

    def _list_free(self) -> list[str]:
        """List the texts that a row need not have, and that are not of few kinds."""
        able = [name for name in self._taken if self._is_free(name) and not self.table.fields[name].required]
        return [name for name in able if not self._holds_codes(self._taken[name])]

    def _require(self, absent: Sequence[str]) -> None:
        fields = self.table.fields
        missing = [name for name in absent if fields[name].required and not fields[name].may_be_absent]
        areas = self.table.areas
        if areas and areas.postcode in absent and areas.lsoa in absent:
            missing += [str(areas.postcode), str(areas.lsoa)]
        if missing:
            known = {name: " or ".join(map(repr, accepted_headers(name, self.table))) for name in missing}
            wanted = "; ".join(f"{name} ({headers})" for name, headers in known.items())
            raise SourceError(
                f"{self.where}, row {self.table.header_row}: no column, or more than one, for {wanted}. {self.told.way}"
            )

    def _refuse_codes(self, strange: "pd.Series[str]", column: Column, expected: Sequence[str]) -> None:
        """Refuse codes of a column that nobody has said the meaning of.

        Raises:
            CheckError: there are some; it shows those that can be no person's own words.
        """
        if strange.empty:
            return
        name = column.header if column.header == column.target else f"{column.header}, read as {column.target}"
        rows = strange.index.unique()
        safe = self._list_safe(strange, column)
        hidden = strange.nunique() - len(safe)
        codes = [f"Not known: {', '.join(map(repr, safe))}."] if safe else []
        codes += [f"{hidden} kinds of cells are too rare or too long to be shown."] if hidden else []
        raise CheckError(
            f"{self.where}:\n  {name}: {len(rows)} rows not as expected, one of {', '.join(expected)} "
            f"(row {', '.join(map(str, rows[:SHOWN]))}). {' '.join(codes)} {self.told.way}"
        )

    def _refuse_numbers(self, cells: "pd.Series[str]", column: Column) -> None:
        """Refuse numbers that can be read in two ways, and days in the place of numbers.

        Raises:
            CheckError: there are some.
        """
        if self.table.fields[str(column.target)].type not in NUMBERS:
            return
        for form, (what, way) in DOUBTS.items():
            if (found := cells.str.match(form, case=False).fillna(False).astype("bool")).any():
                rows = ", ".join(map(str, cells.index[found][:SHOWN]))
                told = f"{found.sum():,} cells of {column.target} {what} (row {rows}). {way}"
                if form == f"{BAND.pattern}$" and (limits := self.table.fields[str(column.target)].age_limits):
                    told += f" A band of ages is read if it lies across none of {', '.join(map(str, limits))}."
                raise CheckError(f"{self.where}: {told}")

    # --- what is shown ---

    def _list_safe(self, codes: "pd.Series[str]", column: Column) -> list[str]:
        """List the codes that can be no person's own words: known, or short; on many rows, in a column of few kinds."""
        if self.body.iloc[:, column.place].nunique() > MOST_CODES:
            return []
        known = list_known(self.table.fields[str(column.target)]) if column.target in self.table.fields else {}
        frequent = sorted(str(code) for code, rows in codes.value_counts().items() if rows >= LEAST_ROWS)
        return [code for code in frequent if len(code) <= MOST_LETTERS or fold_code(code) in known]

    def _list_codes(self, column: Column) -> dict[str, str]:
        """List codes of a column with what each is taken for: those that may be shown, and those that were told."""
        own = dict(self._tell(column))
        if column.target not in self.table.fields or not list_values(spec := self.table.fields[column.target]):
            return own
        cells = self._write(column)
        taken = {code: self._read_code(code, spec) for code in self._list_safe(cells[~is_missing(cells)], column)}
        return taken | own

    def _read_code(self, code: str, spec: FieldSpec) -> str:
        read = read_cells(pd.Series([code]), spec, {})
        if find_strange(read, spec).any():
            return UNKNOWN
        value = str(read.fillna(NO_VALUE).iloc[0])
        return {"true": "yes", "false": "no"}.get(value, value)

    def _list_notes(self, groups: Sequence[str], absent: Sequence[str]) -> list[str]:
        """Say what a reader of the figures should know of how the file was read; it names no header of the file."""
        notes = []
        if renamed := [one for one in self._taken.values() if one.found != HOW[DECLARED]]:
            notes.append(f"{len(renamed)} columns stand under headers of the council's own.")
        if absent:
            notes.append(f"It has no column for {', '.join(absent)}.")
        if groups:
            systems = dict.fromkeys(str(one.target) for one in self._coded)
            told = " and ".join(f"{title}, by {load_code_lists()[title].source}" for title in systems)
            notes.append(f"{', '.join(groups)} are made from {told}; who has no such code counts as without.")
        for name, one in self._taken.items():
            if BLANK in self._tell(one) and BLANK not in self.told.codes.get(one.header, {}):
                notes.append(f"{name}: the file has yes alone, and a blank is read as no.")
            if has_shares(self._write(one), self.table.fields[name]):
                notes.append(f"{name}: the file has shares of 1, as 0.75, and they are read as percentages.")
            if coarse := find_coarse(self.table.fields[name]):
                own = {fold_code(code) for code in self.told.codes.get(one.header, {})}
                held = {fold_code(str(code)) for code in self._write(one).dropna().unique()} - own
                read = {code: " or ".join(values) for code, values in coarse.items() if code in held}
                notes += [
                    f"{name}: {code!r} may be {values}; it is read as the first." for code, values in read.items()
                ]
        return notes

    def _check_told(self) -> None:
        """Check that what the council says of codes is of columns that there are, and says something of ours.

        Raises:
            CheckError: it does not.
        """
        headers = {one.header: one for one in self._columns}
        for header, codes in self.told.codes.items():
            if header not in headers:
                raise CheckError(
                    f"{self.where}: it has no column {header!r}, whose codes are explained. {self.told.way}"
                )
            target = headers[header].target
            if target in load_code_lists():
                able = [*list_groups(self.table), NO_GROUP]
            elif target not in self.table.fields or not (able := list_values(self.table.fields[target])):
                continue
            known = {*able, NO_VALUE, *(list_known(self.table.fields[target]) if target in self.table.fields else ())}
            for code, value in codes.items():
                if value not in known and fold_code(value) not in known:
                    said = f"{self.where}: {header}, code {code!r}: {value!r}"
                    raise CheckError(f"{said} is none of {', '.join(able)}. {self.told.way}")
