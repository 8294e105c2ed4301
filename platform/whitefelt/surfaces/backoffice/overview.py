"""The start page: what needs a person, and the figures of two weeks, one message per chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request
from markupsafe import Markup

from whitefelt import cashier, reporting
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money, payable_floor
from whitefelt.kernel.routes import access
from whitefelt.reporting import Day
from whitefelt.surfaces import console
from whitefelt.surfaces.backoffice.page import frame, may, page, reading
from whitefelt.surfaces.console import Bar, amount, money, span

#: After this a withdrawal that waits, and the relay, are shown as late.
LATE_SECONDS, LAG_SECONDS = 3600, 10


@dataclass(frozen=True, slots=True)
class Task:
    """Something that may need a person; `kind` is empty, late or bad."""

    label: str
    figure: str
    note: str
    kind: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a chart's table."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One message, its drawing, and its table."""

    name: str
    message: str
    about: str
    svg: Markup
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[str, ...]


@access("staff")
def overview() -> Response:
    """What waits, and how the days went."""
    with reading() as work:
        surrounding = frame(work, "/")
        tasks = _tasks(work)
        codes = reporting.currencies(work) if may("reports.read") else []
        wanted = request.args.get("currency", "")
        currency = wanted if wanted in codes else (codes[0] if codes else "")
        charts = _charts(reporting.daily(work, currency)) if currency else ()
        basis = f"Days in {work.here.timezone}. Complete up to journal row {reporting.figures_through(work):,}."
    return page(
        "overview.html", surrounding, tasks=tasks, charts=charts, currencies=codes, currency=currency, basis=basis,
        may_see_figures=may("reports.read"),
    )  # fmt: skip


def _tasks(work: Work) -> list[Task]:
    tasks = []
    if may("withdrawals.read"):
        tasks.append(_waiting(work))
        on_the_way = sum(cashier.counts(work)[status] for status in ("approved", "sent"))
        tasks.append(
            Task("Payouts on the way", f"{on_the_way:,}", "with the payment provider", href="/withdrawals?status=sent")
        )
    if may("deliveries.read"):
        flow = reporting.flow(work)
        tasks.append(
            Task(
                "Blocked deliveries", f"{flow.blocked:,}", "look at the error, then try again" if flow.blocked
                else "every fact reaches its readers", "bad" if flow.blocked else "", "/deliveries",
            )
        )  # fmt: skip
        late = flow.lag_seconds > LAG_SECONDS
        tasks.append(
            Task(
                "Relay behind", span(flow.lag_seconds), f"{flow.pending:,} under way",
                "late" if late else "", "/deliveries?state=pending",
            )
        )  # fmt: skip
    return tasks


def _waiting(work: Work) -> Task:
    count = cashier.counts(work)["waiting"]
    if not count:
        return Task("Withdrawals waiting", "0", "nobody waits for money", href="/withdrawals")
    rows = cashier.withdrawals.queue(work, "waiting", limit=100)
    longest = rows[-1].waiting_seconds if rows else 0
    note = f"longest for {span(longest)}" if count <= len(rows) else f"more than {len(rows)}"
    return Task("Withdrawals waiting", f"{count:,}", note, "late" if longest > LATE_SECONDS else "", "/withdrawals")


def _charts(days: list[Day]) -> tuple[Chart, ...]:
    today, earlier = days[-1], days[:-1]
    mean = Money(sum(day.ggr.units for day in earlier) // max(1, len(earlier)), today.currency)
    before = f" The {len(earlier)} days before averaged {money(_rounded(mean))}." if mean.units else ""
    return (
        _chart(
            days, "gross gaming revenue", f"GGR so far today: {money(today.ggr)}",
            f"Stakes minus wins on settled play.{before}",
            lambda day: day.ggr, (("Stakes", lambda day: day.stakes), ("Wins", lambda day: day.wins)), "GGR",
        ),
        _chart(
            days, "stakes", f"Stakes settled today: {money(today.stakes)}",
            "Counted when their round ends; open rounds come later.", lambda day: day.stakes, (), "Stakes",
        ),
        _chart(
            days, "deposits", f"Deposits today: {money(today.deposits)}",
            f"{today.total('deposit').postings:,} credited to players.", lambda day: day.deposits, (), "Deposits",
        ),
        _chart(
            days, "withdrawals", f"Paid out today: {money(today.withdrawals)}",
            f"{today.total('withdrawal_paid').postings:,} paid by payment providers.", lambda day: day.withdrawals, (),
            "Paid out",
        ),
    )  # fmt: skip


Figure = Callable[[Day], Money]


def _chart(
    days: list[Day], name: str, message: str, about: str, figure: Figure, more: tuple[tuple[str, Figure], ...],
    head: str,
) -> Chart:  # fmt: skip
    values = [Bar(_label(day), figure(day).units, money(_rounded(figure(day)))) for day in days]
    columns = (*more, (head, figure))
    rows = tuple(Row(_label(day), tuple(amount(one(day)) for _, one in columns)) for day in reversed(days))
    zero = Money(0, days[0].currency)
    sums = tuple(amount(sum((one(day) for day in days), zero)) for _, one in columns)
    svg = console.bars(values, title=message)
    return Chart(name, message, about, svg, tuple(title for title, _ in columns), rows, sums)


def _label(day: Day) -> str:
    return f"{day.day.day} {day.day:%b}"


def _rounded(value: Money) -> Money:
    """Cut to what can be paid: charts and means show no smaller parts."""
    return payable_floor(value)
