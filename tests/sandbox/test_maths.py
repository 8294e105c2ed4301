"""The stated returns are true: enumerated, found again by other means, moved by every figure of the table."""

from fractions import Fraction
from itertools import product

from whitefelt.sandbox.studio import maths, orchard, roulette


def _weight(reel: int, *symbols: str) -> Fraction:
    strip = orchard.STRIPS[reel]
    return Fraction(sum(symbol in symbols for symbol in strip), len(strip))


def test_the_slots_return_agrees_with_a_closed_formula() -> None:
    assert all(orchard.WILD not in orchard.STRIPS[reel] for reel in (0, 4))
    expected = Fraction(0)
    for symbol, pays in orchard.PAYS.items():
        for count, times in pays.items():
            chance = _weight(0, symbol)
            for reel in range(1, count):
                chance *= _weight(reel, symbol, orchard.WILD)
            if count < 5:
                chance *= 1 - _weight(count, symbol, orchard.WILD)
            expected += chance * times
    for owls, times in orchard.SCATTER_PAYS.items():
        for shown in product((0, 1), repeat=5):
            if sum(shown) == owls:
                chance = Fraction(1)
                for reel, there in enumerate(shown):
                    # One owl on a strip shows in three of its thirty windows.
                    seen = 3 * _weight(reel, orchard.SCATTER)
                    chance *= seen if there else 1 - seen
                expected += chance * times
    assert orchard.enumerated_return() == expected
    assert Fraction(95, 100) < expected < Fraction(97, 100)


def test_what_a_window_really_pays_adds_up_to_the_enumerated_return() -> None:
    strips = [strip[:7] for strip in orchard.STRIPS]
    total = 0
    for stops in product(range(7), repeat=5):
        columns = [[strip[(stop + row) % 7] for row in range(3)] for strip, stop in zip(strips, stops, strict=True)]
        total += orchard.evaluate(columns, 10).win_cents
    assert Fraction(total, 10 * 7**5) == orchard.enumerated_return(strips=strips)


def test_every_pay_of_the_table_moves_the_return() -> None:
    honest = orchard.enumerated_return()
    for symbol, pays in orchard.PAYS.items():
        for count in pays:
            changed = {**orchard.PAYS, symbol: {**pays, count: pays[count] + 1}}
            assert orchard.enumerated_return(pays=changed) > honest, (symbol, count)
    for owls in orchard.SCATTER_PAYS:
        changed_scatter = {**orchard.SCATTER_PAYS, owls: orchard.SCATTER_PAYS[owls] - 1}
        assert orchard.enumerated_return(scatter_pays=changed_scatter) < honest


def test_moons_stand_for_fruit_but_not_for_owls() -> None:
    assert orchard.line_pay(["pear", "moon", "pear", "plum", "pear"]) == ("pear", 3, 12)
    assert orchard.line_pay(["pear", "moon", "moon", "moon", "pear"]) == ("pear", 5, 120)
    assert orchard.line_pay(["owl", "moon", "moon", "moon", "owl"]) == ("", 0, 0)
    assert orchard.line_pay(["plum", "pear", "pear", "pear", "pear"]) == ("", 0, 0)


def test_roulette_returns_thirty_six_thirty_sevenths_on_every_spot() -> None:
    assert sorted(roulette.WHEEL) == list(range(37))
    assert len(roulette.REDS) == 18
    for spot in roulette.SPOTS:
        assert roulette.spot_return(spot) == Fraction(36, 37), spot
    dearer = {**roulette.SPOTS, "17": (frozenset({17}), 34)}
    assert roulette.enumerated_return(dearer) == Fraction(35, 37)


def test_the_catalogue_states_the_enumerated_figures() -> None:
    assert maths.stated_return(maths.SLOT) == orchard.enumerated_return()
    assert maths.stated_return(maths.ROULETTE) == Fraction(36, 37)
    assert maths.percent_of(Fraction(36, 37)) == "97.30"
