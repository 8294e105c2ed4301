"""What the letters say: short, calm, exact, in text and in plain HTML. Pure; no secrets, no more personal data than a name."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from whitefelt.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's content: paragraphs under a greeting, and one address to go on."""

    subject: str
    paragraphs: tuple[str, ...]
    link_text: str
    link_path: str


def welcome(brand: str) -> Letter:
    """To someone who has just registered."""
    return Letter(
        f"Welcome to {brand}",
        (
            f"Your account with {brand} is open. Sign in with this e-mail address and the password you chose.",
            "You can set limits on deposits, take a break or exclude yourself at any time, under your account.",
            "If you did not register, answer this mail and we will close the account.",
        ),
        "Go to your account", "/account",
    )  # fmt: skip


def withdrawal_paid(money: Money) -> Letter:
    """The provider has paid."""
    return Letter(
        f"Your withdrawal of {money} is paid",
        (
            f"{money} is on its way to the account you chose. How long it takes to arrive depends on your bank.",
            "Every debit and credit is in your statement.",
        ),
        "See your statement", "/account/statement",
    )  # fmt: skip


def withdrawal_rejected(money: Money, reason: str) -> Letter:
    """Staff has refused; the money is back."""
    told = (f"The reason: {reason}",) if reason else ()
    return Letter(
        f"Your withdrawal of {money} was not approved",
        (
            f"We have looked at your withdrawal of {money} and did not approve it.",
            *told,
            f"Your money is untouched: {money} is back in your balance.",
            "If you think this is wrong, answer this mail.",
        ),
        "See your balance", "/account",
    )  # fmt: skip


def withdrawal_failed(money: Money) -> Letter:
    """The provider could not pay; the money is back."""
    return Letter(
        f"Your withdrawal of {money} could not be paid",
        (
            f"The payment provider could not pay out {money}.",
            f"Your money is untouched: {money} is back in your balance. You can ask for it again, or choose another way.",
        ),
        "Withdraw again", "/cashier/withdraw",
    )  # fmt: skip


def as_text(letter: Letter, *, brand: str, name: str, site_url: str) -> str:
    """The letter as plain text."""
    return "\n\n".join((
        f"Hello {name},", *letter.paragraphs, f"{letter.link_text}: {site_url}{letter.link_path}", f"Your {brand} team",
    )) + "\n"  # fmt: skip


def as_html(letter: Letter, *, brand: str, name: str, site_url: str) -> str:
    """The letter as HTML: text in a document, nothing loaded from anywhere."""
    lines = [Markup("<p>Hello {},</p>").format(name)]
    lines += [Markup("<p>{}</p>").format(paragraph) for paragraph in letter.paragraphs]
    lines.append(Markup('<p><a href="{}{}">{}</a></p>').format(site_url, letter.link_path, letter.link_text))
    lines.append(Markup("<p>Your {} team</p>").format(brand))
    head = Markup('<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{}</title></head><body>\n')
    return head.format(letter.subject) + Markup("\n").join(lines) + Markup("\n</body></html>\n")
