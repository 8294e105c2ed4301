"""View models: what a page of the storefront shows, as frozen plain data. Templates see these and nothing else.

Money is already text in the site's currency; `*_amount` and `*_plain` carry the bare decimal for scripts and tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """One of the five places; `name` is the text key under `nav`."""

    name: str
    url: str
    icon: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence after something was done; `name` is the text key under `notice`. `kind`: good or info."""

    name: str
    kind: str = "good"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as the top bar shows it."""

    name: str
    initials: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The player's pockets. `available` is cash and bonus together; `version` changes with any of them."""

    available: str
    cash: str
    bonus: str
    pending: str
    available_amount: str
    cash_amount: str
    bonus_amount: str
    pending_amount: str
    version: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page."""

    page: str
    brand_name: str
    language: str
    min_age: int
    places: tuple[Place, ...]
    player: Person | None = None
    balance: Balance | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """A game as the lobby shows it; `reason` says why it cannot be played now."""

    code: str
    title: str
    studio: str
    kind: str
    kind_label: str
    art_url: str
    rtp: str = ""
    blurb: str = ""
    badge: str = ""
    available: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rail:
    """A row of games of one kind."""

    kind: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One point of "how this house works"; `name` is the text key under `steps`."""

    name: str
    icon: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A filter of the list of games."""

    name: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Play:
    """A launched game: where the frame points. The page's policy names the studio's origin."""

    url: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Why something is closed for this person now, and the one thing that opens it."""

    code: str
    icon: str
    title: str
    text: str
    action: str = ""
    action_url: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a select."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `kind`: text, email, password, date, select, checkbox or amount."""

    name: str
    kind: str
    label: str
    testid: str
    value: str = ""
    error: str = ""
    hint: str = ""
    required: bool = True
    autocomplete: str = ""
    maximum: str = ""
    suffix: str = ""
    checked: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The inputs of a page by name; `error` is a sentence about the whole, `faults` the inputs that need another look."""

    fields: Mapping[str, Field]
    error: str = ""
    faults: tuple[Field, ...] = ()
    next: str = ""
    request_key: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A legal document in one version, and the box that accepts it (registration only)."""

    id: str
    title: str
    version: str
    url: str
    current: bool = False
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a legal document."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A legal document to read."""

    title: str
    version: str
    valid_from: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay or to be paid."""

    id: str
    name: str
    detail: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class QuickAmount:
    """A suggested amount."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A deposit or withdrawal in the cashier's list. `kind`: deposit or withdrawal."""

    kind: str
    url: str
    at: str
    amount: str
    state: str
    state_label: str


@dataclass(frozen=True, slots=True)
class Action:
    """A way on; `name` is the text key under `action`."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A step of a movement. `state`: done, now, next or failed."""

    name: str
    state: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One deposit or withdrawal, with what happened and what happens next. `tone`: good, wait or bad."""

    kind: str
    state: str
    tone: str
    icon: str
    amount: str
    title: str
    text: str
    reference: str
    timeline: tuple[TimelineStep, ...]
    actions: tuple[Action, ...]
    poll_url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled value; `name` is the text key under `field`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PersonCard:
    """The account's person."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class IdentityState:
    """Whether we know who this is. `tone`: good, wait or bad; `offer`: the button is shown."""

    state: str
    tone: str
    icon: str
    label: str
    title: str
    text: str
    offer: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A deposit limit; `period`: day, week or month. Empty `amount`: not set."""

    period: str
    amount: str
    used: str
    left: str
    used_percent: int
    pending: str
    form: Form


@dataclass(frozen=True, slots=True)
class BreakChoice:
    """How long to be away: `value` names kind and span, `note` what it means."""

    value: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One debit or credit of one pocket, with the pocket's balance after it."""

    kind: str
    label: str
    detail: str
    at: str
    at_iso: str
    pocket: str
    credit: bool
    amount: str
    amount_plain: str
    after: str


@dataclass(frozen=True, slots=True)
class ProblemCard:
    """A page that failed: what happened, and the ways on."""

    code: str
    status: int
    title: str
    text: str
    trace: str
    actions: tuple[Action, ...] = field(default=())
