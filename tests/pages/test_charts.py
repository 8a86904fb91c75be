import io
import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from councilbook.errors import CouncilbookError
from councilbook.pages import charts, pictures

SVG = "{http://www.w3.org/2000/svg}"
ALT = "The rate falls in Dover and rises in Swale."


@pytest.fixture
def rates() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "district": ["Dover"] * 4 + ["Swale"] * 4,
            "year": [2017, 2018, 2019, 2020] * 2,
            "pct": [12.0, 11.5, 11.0, 10.8, 9.0, 9.4, 9.9, 10.3],
        }
    )


def draw(rates: pd.DataFrame, **options: object) -> pictures.Picture:
    words = {"title": "Fuel poverty", "alt": ALT, "x_label": "Year", "y_label": "Households in fuel poverty, %"}
    return charts.draw_lines(rates, "year", "pct", "district", **(words | options))


def read(picture: pictures.Picture) -> BeautifulSoup:
    return BeautifulSoup(picture._repr_html_(), "html.parser")


def count_lines(svg: str, colour: str) -> int:
    return len(re.findall(rf'style="fill: none; stroke: {colour.lower()}; stroke-width: 2\.2', svg))


def measure_luminance(colour: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def measure_contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    dark, light = sorted([measure_luminance(one), measure_luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [*charts.PALETTE, pictures.INK, pictures.QUIET])
def test_every_colour_stands_out_on_white(colour: str) -> None:
    assert measure_contrast(colour, "#ffffff") >= 3


def test_lines_over_a_bar_stand_out_from_it() -> None:
    assert measure_contrast(pictures.INK, charts.PALETTE[0]) >= 3


@pytest.mark.parametrize("alt", ["", "Lines.", "Fuel poverty"])
def test_a_picture_without_a_description_is_refused(rates: pd.DataFrame, alt: str) -> None:
    with pytest.raises(CouncilbookError, match="Fuel poverty"):
        draw(rates, alt=alt)


def test_the_same_data_make_the_same_bytes(rates: pd.DataFrame) -> None:
    assert draw(rates)._repr_html_() == draw(rates)._repr_html_()


def test_words_in_a_chart_stay_text_and_dollars_stay_dollars(rates: pd.DataFrame) -> None:
    picture = draw(rates, y_label="Cost in $ or £ ($ first)")

    assert ">Cost in $ or £ ($ first)<" in picture.svg
    assert ">Swale<" in picture.svg


def test_no_line_crosses_a_break(rates: pd.DataFrame) -> None:
    whole, broken = draw(rates), draw(rates, breaks={2018.5: "definition changes"})

    assert [count_lines(picture.svg, charts.PALETTE[0]) for picture in (whole, broken)] == [1, 2]
    assert ">definition changes<" in broken.svg


def test_every_line_has_a_marker_of_its_own(rates: pd.DataFrame) -> None:
    shapes = set(re.findall(r'<path id="(m\w+)"', draw(rates).svg))
    used = {name for name in shapes if f'xlink:href="#{name}"' in draw(rates).svg}

    assert len(used) >= 2


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    frame = pd.DataFrame({"district": list("abcdef"), "year": [2020] * 6, "pct": range(6)})

    with pytest.raises(CouncilbookError, match="6 lines"):
        draw(frame)


def test_a_chart_of_nothing_is_refused(rates: pd.DataFrame) -> None:
    with pytest.raises(CouncilbookError, match="no data"):
        charts.draw_bars(rates.head(0), "district", "pct", title="Rates", alt=ALT, label="%")


def test_a_figure_has_its_picture_for_wide_and_narrow_pages_its_alt_and_its_caption(rates: pd.DataFrame) -> None:
    figure = read(draw(rates)).figure

    assert figure.figcaption.get_text() == "Fuel poverty"
    assert figure.img["alt"] == ALT
    assert unquote(figure.img["src"]).startswith("data:image/svg+xml,<svg ")
    assert figure.source["srcset"].startswith("data:image/svg+xml;base64,")
    assert " " not in figure.source["srcset"]


def test_no_text_behind_a_figure_is_run_by_a_spreadsheet(rates: pd.DataFrame) -> None:
    text = next(str(name) for name in rates if not pd.api.types.is_numeric_dtype(rates[name]))
    figure = read(draw(rates.assign(**{text: "=" + rates[text].astype(str)})))
    csv = unquote(figure.find("a", download="fuel-poverty.csv")["href"])

    assert csv.count("'=") == len(rates)
    assert ",=" not in csv and "\n=" not in csv


def test_the_data_behind_a_figure_can_be_read_and_downloaded(rates: pd.DataFrame) -> None:
    figure = read(draw(rates))
    link = figure.find("a", download="fuel-poverty.csv")
    csv = unquote(link["href"]).removeprefix("data:text/csv;charset=utf-8,")

    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(csv)), rates)
    assert len(figure.select("details tbody tr")) == 8
    assert "Year" in figure.select_one("details thead").get_text()


def test_the_picture_to_download_says_what_it_is_and_needs_no_page_around_it(rates: pd.DataFrame) -> None:
    link = read(draw(rates, title="Homes <cold> & damp")).find("a", download="homes-cold-damp.svg")
    picture = ET.fromstring(unquote(link["href"]).removeprefix("data:image/svg+xml,"))
    families = re.findall(r"font-family: ([^;]+);", link["href"])

    assert picture.findtext(f"{SVG}title") == picture.findtext(f"{SVG}text") == "Homes <cold> & damp"
    assert picture.findtext(f"{SVG}desc") == ALT
    assert (picture.get("width"), picture.get("height")) == ("720", "440")
    assert "Swale" in "".join(picture.itertext())
    assert families
    assert all(family.endswith(" sans-serif") for family in families)


def test_a_long_table_is_cut_and_says_so() -> None:
    frame = pd.DataFrame({"x": range(500), "y": range(500)})
    words = {"title": "Points", "alt": "All points lie on the diagonal.", "x_label": "x", "y_label": "y"}
    figure = read(charts.draw_scatter(frame, "x", "y", **words, diagonal=True))

    assert len(figure.select("tbody tr")) == pictures.MOST_ROWS
    assert f"The first {pictures.MOST_ROWS} of 500 rows" in figure.get_text()
    assert len(unquote(figure.find("a", download="points.csv")["href"]).splitlines()) == 501


def test_many_points_become_pixels_so_that_the_page_stays_small() -> None:
    frame = pd.DataFrame({"x": range(3000), "y": range(3000)})
    picture = charts.draw_scatter(
        frame, "x", "y", title="Points", alt="All points lie on a line.", x_label="x", y_label="y"
    )

    assert "data:image/png;base64" in picture.svg
    assert len(picture.svg) < 150_000


def test_bars_go_left_of_zero_and_their_values_are_written_right_of_it() -> None:
    frame = pd.DataFrame({"what": ["same name", "other name"], "bits": [9.5, -6.25]})
    picture = charts.draw_bars(frame, "what", "bits", title="Weights", alt=ALT, label="bits")
    svg = picture._repr_html_()
    assert "9.5" in svg
    assert "−6.2" in svg or "-6.2" in svg
    below = charts.draw_bars(frame.iloc[1:], "what", "bits", title="Weights", alt=ALT, label="bits")
    assert below._repr_html_()


def test_bars_show_names_values_interval_and_reference(rates: pd.DataFrame) -> None:
    frame = pd.DataFrame(
        {"district": ["Swale", "Dover"], "pct": [12.04, 9.0], "low": [11.0, 8.0], "high": [13.0, 10.0]}
    )
    picture = charts.draw_bars(
        frame,
        "district",
        "pct",
        title="Rates",
        alt=ALT,
        label="Rate, %",
        low="low",
        high="high",
        reference=10.5,
        reference_label="all of Kent",
    )

    for svg in (picture.svg, picture.narrow_svg):
        for text in ("Swale", "Dover", "12.0", "9.0", "all of Kent", "Rate, %"):
            assert f">{text}<" in svg
    assert list(picture.data.columns) == ["district", "pct", "low", "high"]
    headers = [one.get_text() for one in read(picture).select("thead th")]
    assert headers == ["district", "Rate, %", "lower end", "upper end"]


def test_words_have_room_beside_long_names_and_on_a_phone() -> None:
    long = "£ thousand of today, with 90% of the draws (ranges are our assumptions)"
    frame = pd.DataFrame({"lad22_name": ["One address for all open data"], "pct": [3.0], "low": [1.0], "high": [5.0]})
    drawn = charts.draw_intervals(frame, "lad22_name", "pct", "low", "high", title="Worth", alt=ALT, label=long)
    lines = pd.DataFrame({"series": [long] * 2, "year": [1, 2], "pct": [3.0, 4.0]})
    traced = charts.draw_lines(lines, "year", "pct", "series", title="Worth", alt=ALT, x_label="year", y_label="%")
    for svg, most in ((drawn.svg, 60), (drawn.narrow_svg, 40), (traced.narrow_svg, 40)):
        assert max(len(text) for text in re.findall(r"<text[^>]*>([^<]*)<", svg)) <= most
    assert read(drawn).select_one("thead th").get_text() == "district"


def test_an_estimate_that_all_rows_share_is_written_once() -> None:
    frame = pd.DataFrame(
        {"value": ["cost", "price"], "default": [1234.0] * 2, "low": [900.0, 1100.0], "high": [1500.0] * 2}
    )
    picture = charts.draw_intervals(
        frame,
        "value",
        "default",
        "low",
        "high",
        title="Ends",
        alt=ALT,
        label="years",
        number=None,
        reference=1234.0,
        reference_label="default: 1,234",
    )
    for svg in (picture.svg, picture.narrow_svg):
        assert svg.count("1,234") == 1
        assert "1,234.00" not in svg


def test_intervals_are_drawn_on_a_log_axis_with_plain_numbers() -> None:
    frame = pd.DataFrame({"term": ["Rented", "Gas"], "ratio": [1.5, 0.5], "low": [1.2, 0.3], "high": [2.0, 0.8]})
    picture = charts.draw_intervals(
        frame,
        "term",
        "ratio",
        "low",
        "high",
        title="Odds",
        alt="Rented homes have higher odds.",
        label="Odds ratio",
        log=True,
    )

    assert ">1.50<" in picture.svg
    assert "mathdefault" not in picture.svg


def draw_fan(rates: pd.DataFrame) -> pictures.Picture:
    frame = rates.assign(low=rates["pct"] - 1, high=rates["pct"] + 1)
    words = {"title": "Fan", "alt": ALT, "x_label": "Year", "y_label": "Rate, %"}
    return charts.draw_fan(frame, "year", "pct", "low", "high", "district", **words)


def test_a_fan_has_a_line_and_a_band_a_series_each_named(rates: pd.DataFrame) -> None:
    picture = draw_fan(rates)

    for svg in (picture.svg, picture.narrow_svg):
        assert svg.count("FillBetweenPolyCollection") == 2
        for text in ("Dover", "Swale", "Rate, %; grey: the others"):
            assert f">{text}<" in svg
        assert count_lines(svg, charts.PALETTE[0]) == 2  # a panel each
        assert svg.count(charts.OTHERS) == 4  # beside both lines in each
    headers = [one.get_text() for one in read(picture).select("thead th")]
    assert headers == ["district", "Year", "Rate, %", "lower end", "upper end"]


def test_a_fan_refuses_more_lines_than_can_be_told_apart(rates: pd.DataFrame) -> None:
    many = pd.concat([rates.assign(district=f"{number}") for number in range(6)])
    with pytest.raises(CouncilbookError, match="6 lines cannot be told apart"):
        draw_fan(many)


def test_a_fan_of_nothing_but_zeros_can_be_drawn(rates: pd.DataFrame) -> None:
    zeros = rates.assign(pct=0.0, low=0.0, high=0.0)
    words = {"title": "Fan", "alt": ALT, "x_label": "Year", "y_label": "Rate, %"}
    assert charts.draw_fan(zeros, "year", "pct", "low", "high", "district", **words).svg


def test_the_stars_of_bold_words_are_not_read_out(rates: pd.DataFrame) -> None:
    picture = draw(rates, alt="The rate **falls in Dover** and rises in **Swale**.")
    assert picture.alt == ALT
    assert read(picture).find("img")["alt"] == ALT
