"""What the server draws: the mark of a city and the map agree with what they were designed by."""

from __future__ import annotations

import pytest

from wego.web.drawing import bars, maps, marks


def test_the_mark_divides_the_square_where_the_city_lies():
    assert marks.point(28, -169) == (4.0, 14.0)
    assert marks.point(90, 10.999)[1] <= 4.2 < 23 < marks.point(-90, 0)[1]
    seoul, tokyo = marks.point(*marks.SEOUL), marks.point(35.68, 139.69)
    assert seoul[0] < tokyo[0], "east is east"
    assert abs(seoul[1] - tokyo[1]) < 1, "neighbours look alike"


@pytest.mark.parametrize(
    ("latitude", "longitude", "x", "y"),
    [(0, 11, 480, 234), (0, -168.9, 3.6, 234), (90, 11, 480, 2.3), (37.57, 126.98, 755, 107)],
)
def test_places_lie_where_equal_earth_puts_them(latitude: float, longitude: float, x: float, y: float):
    found = maps.project(latitude, longitude)
    assert abs(found[0] - x) < 3
    assert abs(found[1] - y) < 3


def test_a_map_says_in_words_what_it_is_and_no_name_can_break_out_of_it():
    drawn = maps.world([maps.Place(0, 0), maps.Place(10, 10, known=True)], '"><script>')
    assert "<script>" not in drawn
    assert drawn.count("h0") == 2
    assert 'role="img"' in drawn


def test_bars_are_on_one_scale():
    assert 'width="50.0" height="3.5"' in bars.pair(100, 50)
    assert 'width="100" height="3.5"' in bars.pair(7, None)
    assert "bar-none" in bars.pair(7, None)
    assert "nan" not in bars.pair(0, 0)
