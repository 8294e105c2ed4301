"""What the consoles share: values in words, and charts that start at zero."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from whitefelt.kernel import clock
from whitefelt.kernel.money import Money
from whitefelt.surfaces.backoffice.masking import mask_email, mask_name
from whitefelt.surfaces.console import Bar, amount, bars, local_path, money, span, when
from whitefelt.surfaces.console.charts import FOOT, HEIGHT, TOP


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Money(1_234_500_000, "EUR"), "1,234.50"),
        (Money(0, "EUR"), "0.00"),
        (Money(-60_000_000, "SEK"), "−60.00"),
        (Money(1_234_567_000_000, "JPY"), "1,234,567"),
        (Money(1, "BTC"), "0.00000001"),
        (Money(10_001, "EUR"), "0.010001"),
    ],
)
def test_amounts_are_exact_and_grouped(value: Money, text: str) -> None:
    assert amount(value) == text
    assert money(value) == f"{text}\u00a0{value.currency}"


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_600, "1 h"), (7_860, "2 h 11 min"), (90_000, "1 d 1 h"), (-5, "0 s")],
)
def test_lengths_of_time(length: int, text: str) -> None:
    assert span(length) == span(timedelta(seconds=length)) == text.replace(" ", "\u00a0")


def test_instants_are_told_in_the_operators_time_zone() -> None:
    with clock.frozen(datetime(2026, 11, 22, tzinfo=UTC)):
        at = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half an hour before summer time begins in Malta
        assert when(at, "Europe/Malta") == "29\u00a0Mar\u00a001:30"
        assert when(at + timedelta(hours=1), "Europe/Malta") == "29\u00a0Mar\u00a003:30"
        assert when(at.replace(year=2025), "UTC") == "29\u00a0Mar\u00a02025\u00a000:30"


def rects(*units: int) -> list[tuple[int, int]]:
    svg = bars([Bar(f"d{n}", one, str(one)) for n, one in enumerate(units)], title="t")
    return [(int(y), int(h)) for y, h in re.findall(r'<rect[^>]*? y="(\d+)"[^>]*? height="(\d+)"', svg)]


def test_bars_start_at_zero_and_are_as_high_as_their_value() -> None:
    room = HEIGHT - TOP - FOOT
    assert rects(100, 50, 0) == [(TOP, room), (TOP + room - room // 2, room // 2), (TOP + room, 0)]
    above, below = rects(75, -25)
    assert above[0] + above[1] == below[0]  # both begin at the same line
    assert above[1] == 3 * below[1] or abs(above[1] - 3 * below[1]) <= 3
    assert rects(1, 10**9)[0][1] == 1  # something is never drawn as nothing


def test_a_chart_without_movement_is_still_a_chart_and_its_words_are_escaped() -> None:
    svg = bars([Bar("<b>", 0, "0"), Bar("d", 0, "0")], title="a < b")
    assert "<b>" not in svg and "a &lt; b" in svg and 'role="img"' in svg


@pytest.mark.parametrize(
    ("wanted", "path"),
    [("/withdrawals?status=paid", "/withdrawals?status=paid"), ("", "/"), ("//x", "/"), ("/\\x", "/"), ("http://x", "/"),
     ("/a\nb", "/"), ("withdrawals", "/")],
)  # fmt: skip
def test_an_address_given_to_us_leads_nowhere_else(wanted: str, path: str) -> None:
    assert local_path(wanted) == path


def test_masks_show_enough_to_recognise_and_no_more() -> None:
    assert mask_name("Anna Maria Berg") == "A••• M••• B•••"
    assert mask_email("anna@mail.example.com") == "a•••@m•••.com"
    assert mask_email("broken") and mask_name("") == ""
