"""Twins of the registers of the study that is made for tests."""

import io

import numpy as np
import openpyxl
import pandas as pd

from councilbook.catalogue import Source, TwinRequest

PEOPLE = 600
WARDS = ("Alder", "Beech", "Cedar", "Damson")


def make_people(source: Source, request: TwinRequest) -> bytes:
    """Draw a person a row."""
    chance = np.random.default_rng(request.seed)
    numbers = range(PEOPLE)
    people = pd.DataFrame(
        {
            "person_id": [f"P{number:05d}" for number in numbers],
            "full_name": [f"Person {number}" for number in numbers],
            "home_address": [f"{number} High Street" for number in numbers],
            "nhs_number": [f"900 000 {number:04d}" for number in numbers],
            "ward": chance.choice(WARDS, PEOPLE, p=[0.4, 0.3, 0.28, 0.02]),
            "age": chance.integers(0, 96, PEOPLE),
            "sex": chance.choice(["F", "M"], PEOPLE),
            "condition": chance.choice(["none", "asthma", "diabetes"], PEOPLE, p=[0.7, 0.2, 0.1]),
        }
    )
    return people.to_csv(index=False).encode()


def make_visits(source: Source, request: TwinRequest) -> bytes:
    """Draw a visit a row; a third of the people never come."""
    chance = np.random.default_rng(request.seed)
    who = chance.integers(0, 2 * PEOPLE // 3, 3 * PEOPLE)
    visits = pd.DataFrame(
        {
            "visit": range(1, len(who) + 1),
            "person_id": [f"P{number:05d}" for number in who],
            "device_mac": [f"02:00:00:00:{number // 256:02x}:{number % 256:02x}" for number in who],
            "venue": chance.choice(["hall", "library", "pool"], len(who)),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(chance.integers(0, 300, len(who)), unit="D"),
            "minutes": chance.integers(5, 180, len(who)),
        }
    )
    return visits.to_csv(index=False).encode()


def make_bills(source: Source, request: TwinRequest) -> bytes:
    """Draw a bill a row, below two rows of title."""
    chance = np.random.default_rng(request.seed)
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Bills"
    for row in (["Bills"], [], ["Account number", "Account holder", "Property", "Ward", "Kind", "Bill"]):
        sheet.append(row)
    for number in range(400):
        where = [str(chance.choice(WARDS)), str(chance.choice(["home", "office", "shop"], p=[0.6, 0.1, 0.3]))]
        bill = round(float(chance.lognormal(6.5, 0.8)), 2)
        sheet.append([f"A{number:05d}", f"Holder {number}", f"{number} Low Street", *where, bill])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()
