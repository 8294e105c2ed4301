"""Midnight Orchard's mathematics: strips, lines, pay table, and the return by complete enumeration. Pure.

A stake buys ten lines; a line costs a tenth of the stake. The moon is wild and stands for every fruit and creature;
the owl is the scatter and pays on the whole stake wherever it sits. Amounts are whole cents.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

WILD, SCATTER = "moon", "owl"
_LETTERS = {
    "W": WILD,
    "S": SCATTER,
    "F": "fox",
    "M": "moth",
    "A": "apple",
    "P": "pear",
    "L": "plum",
    "B": "berry",
    "C": "cherry",
}


def _strip(letters: str) -> tuple[str, ...]:
    return tuple(_LETTERS[letter] for letter in letters)


STRIPS: tuple[tuple[str, ...], ...] = (
    _strip("CLBPCAMBLCSPBCFLABCPMLBCPLBACP"),
    _strip("BCLWPBCAMLBCPSLBCFPALBWCPMLBCP"),
    _strip("LBCPWALBCMPLSBCAPLFBCWLPBCLMPB"),
    _strip("PCBLAWCPBLMCFBPLCSABPLCBWPLCBM"),
    _strip("CBPLMCABPLCFBPLCSBAPLCMBPLCBPL"),
)
"""Five strips of thirty symbols. A strip shows three neighbours; it is a ring. Moons are on the three middle strips."""

LINES: tuple[tuple[int, int, int, int, int], ...] = (
    (1, 1, 1, 1, 1),
    (0, 0, 0, 0, 0),
    (2, 2, 2, 2, 2),
    (0, 1, 2, 1, 0),
    (2, 1, 0, 1, 2),
    (0, 0, 1, 2, 2),
    (2, 2, 1, 0, 0),
    (1, 0, 1, 2, 1),
    (1, 2, 1, 0, 1),
    (1, 0, 0, 0, 1),
)
"""The row (0 = top) that each line takes on each strip."""

PAYS: Mapping[str, Mapping[int, int]] = {
    "fox": {3: 50, 4: 300, 5: 2000},
    "moth": {3: 30, 4: 150, 5: 600},
    "apple": {3: 25, 4: 100, 5: 400},
    "pear": {3: 12, 4: 40, 5: 120},
    "plum": {3: 10, 4: 30, 5: 100},
    "berry": {3: 8, 4: 24, 5: 75},
    "cherry": {3: 6, 4: 20, 5: 60},
}
"""Times the line's stake for three, four or five in a row from the left."""

SCATTER_PAYS: Mapping[int, int] = {3: 3, 4: 25, 5: 200}
"""Times the whole stake for owls anywhere."""


@dataclass(frozen=True)
class LineWin:
    """One winning line: its index, the symbol, how many in a row, and the cents it pays."""

    line: int
    symbol: str
    count: int
    win_cents: int


@dataclass(frozen=True)
class SlotResult:
    """What a window pays: lines, owls on show, and the total in cents."""

    lines: tuple[LineWin, ...]
    owls: int
    scatter_cents: int
    win_cents: int


def line_pay(symbols: Sequence[str], pays: Mapping[str, Mapping[int, int]] = PAYS) -> tuple[str, int, int]:
    """What five symbols from left to right pay: (symbol, count, times the line's stake); ("", 0, 0) for nothing.

    Moons take the value of the first other symbol. A line cannot begin with five moons: the outer strips have none.
    """
    leader = next((symbol for symbol in symbols if symbol != WILD), WILD)
    if leader not in pays:
        return "", 0, 0
    count = 0
    for symbol in symbols:
        if symbol not in (leader, WILD):
            break
        count += 1
    times = pays[leader].get(count, 0)
    return (leader, count, times) if times else ("", 0, 0)


def window(stops: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """The five columns of three symbols that show when the strips stop with these positions in the top row."""
    return tuple(
        tuple(strip[(stop + row) % len(strip)] for row in range(3)) for strip, stop in zip(STRIPS, stops, strict=True)
    )


def evaluate(columns: Sequence[Sequence[str]], stake_cents: int) -> SlotResult:
    """What a window pays for a stake that is a multiple of ten cents."""
    assert stake_cents > 0 and stake_cents % len(LINES) == 0
    line_cents = stake_cents // len(LINES)
    wins = []
    for index, rows in enumerate(LINES):
        symbol, count, times = line_pay([columns[reel][row] for reel, row in enumerate(rows)])
        if times:
            wins.append(LineWin(index, symbol, count, times * line_cents))
    owls = sum(symbol == SCATTER for column in columns for symbol in column)
    scatter_cents = SCATTER_PAYS.get(owls, 0) * stake_cents
    total = scatter_cents + sum(win.win_cents for win in wins)
    return SlotResult(tuple(wins), owls, scatter_cents, total)


def enumerated_return(
    pays: Mapping[str, Mapping[int, int]] = PAYS,
    scatter_pays: Mapping[int, int] = SCATTER_PAYS,
    strips: Sequence[Sequence[str]] = STRIPS,
) -> Fraction:
    """The exact expected return per unit staked, over every combination of the strips.

    Each line looks at one position of each strip, and every position is equally likely, so all lines have one
    distribution: every combination of five symbols, weighted by how many stops show it. Owls are counted over every
    combination of the five windows. The two expectations add up, whatever their dependence.
    """
    stops = 1
    for strip in strips:
        stops *= len(strip)
    per_line = 0
    for faces in product(*(Counter(strip).items() for strip in strips)):
        times = line_pay([symbol for symbol, _ in faces], pays)[2]
        if times:
            ways = 1
            for _, weight in faces:
                ways *= weight
            per_line += ways * times
    owl_counts = [
        Counter(sum(strip[(stop + row) % len(strip)] == SCATTER for row in range(3)) for stop in range(len(strip)))
        for strip in strips
    ]
    scatter = 0
    for shown in product(*(counts.items() for counts in owl_counts)):
        times = scatter_pays.get(sum(count for count, _ in shown), 0)
        if times:
            ways = 1
            for _, weight in shown:
                ways *= weight
            scatter += ways * times
    # A line pays on a tenth of the stake and there are ten: the two factors cancel.
    return Fraction(per_line, stops) + Fraction(scatter, stops)
