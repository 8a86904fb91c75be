"""The funnel: points between limits, those beyond named."""

import pandas as pd
from bs4 import BeautifulSoup

from councilbook.pages import charts

FRAME = pd.DataFrame(
    {"school": ["Small School", "Low School", "Fair School"], "pupils": [20, 200, 220], "pct": [80.0, 82.0, 94.0]}
)
LIMITS = pd.DataFrame(
    {
        "band": ["wide"] * 2 + ["narrow"] * 2,
        "x": [10.0, 250.0] * 2,
        "low": [50.0, 80.0, 70.0, 90.0],
        "high": [100.0, 99.0, 100.0, 97.0],
    }
)


def test_points_beyond_the_narrow_limits_are_named_and_all_are_in_the_table() -> None:
    picture = charts.draw_funnel(
        FRAME,
        *("pupils", "pct", "school"),
        LIMITS,
        title="Schools",
        alt="Low School lies below the narrow limits, inside the wide ones.",
        x_label="Pupils",
        y_label="Stayed, %",
        reference=93.9,
    )
    for svg in (picture.svg, picture.narrow_svg):
        assert "1: Low School" in svg
        assert "Small School" not in svg
        assert "Fair School" not in svg
        assert "wide" in svg
        assert "average, 93.9" in svg
    rows = BeautifulSoup(picture._repr_html_(), "html.parser").select("tbody tr")
    assert len(rows) == 3
