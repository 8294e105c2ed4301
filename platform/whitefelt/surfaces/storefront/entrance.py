"""Coming in and going out: registering, signing in, signing out."""

from __future__ import annotations

from flask import Response, request

from whitefelt import accounts, compliance
from whitefelt.compliance import Application, RuleSet
from whitefelt.kernel import clock, rate, web
from whitefelt.kernel.context import Actor
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import forms, legal, page, wording
from whitefelt.surfaces.storefront.views import Document, Field, Option

#: Registrations per minute from one address to one site; the API counts the same.
REGISTRATIONS_PER_MINUTE = 60


def _rules() -> RuleSet:
    return compliance.ruleset(page.site().jurisdiction, clock.now())


@access("anyone")
def register_page() -> Response:
    """The form, or the lobby for those who have an account."""
    return page.go("/") if page.player() else _register_form(None)


def _register_form(problem: Problem | None) -> Response:
    rules, text = _rules(), page.look().text
    options = [Option(code, wording.country(code, "en")) for code in rules.residence_countries]
    options.sort(key=lambda one: one.label)
    here = page.site().jurisdiction
    chosen = forms.typed("country") or (here if here in rules.residence_countries else "")
    fields = [
        forms.field("register", "first_name", hint=text("field.name_hint"), autocomplete="given-name"),
        forms.field("register", "last_name", autocomplete="family-name"),
        forms.field(
            "register", "birth_date", "date", hint=text("field.birth_date_hint", age=rules.min_age),
            autocomplete="bday", maximum=rules.today.isoformat(),
        ),
        forms.field(
            "register", "country", "select", value=chosen, options=tuple(options), autocomplete="country"
        ),
        forms.field("register", "email", "email", autocomplete="email"),
        forms.field("register", "password", "password", hint=text("field.password_hint"), autocomplete="new-password"),
    ]  # fmt: skip
    boxes = [_box(name, version) for name, version in rules.documents.items()]
    form = forms.form([*fields, *boxes], _named_boxes(problem))
    documents = tuple(
        Document(name, legal.title(name), version, f"/legal/{name}", field=form.fields[f"accept_{name}"])
        for name, version in rules.documents.items()
    )
    status = problem.code.status if problem else 200
    return page.show("register", place="register", status=status, form=form, documents=documents, min_age=rules.min_age)


def _box(name: str, version: str) -> Field:
    box = f"accept_{name}"
    return forms.field(
        "register", box, "checkbox", legal.title(name), value=version, checked=forms.typed(box) == version
    )


def _named_boxes(problem: Problem | None) -> Problem | None:
    """The same refusal, with documents under the names of their boxes."""
    if problem is None or "errors" not in problem.extra:
        return problem
    named = {name.replace("documents.", "accept_"): told for name, told in problem.extra["errors"].items()}
    if problem.code.name == "fields_invalid":
        # The rules come to documents last; a person who must look again anyway is told of empty boxes at once.
        for name, version in _rules().documents.items():
            if forms.typed(f"accept_{name}") != version:
                named[f"accept_{name}"] = [f"Accept version {version}."]
    return Problem(problem.code, problem.detail, errors=named)


@access("anyone")
def register() -> Response:
    """Open the account and sign in to it."""
    accepted = {name: forms.typed(f"accept_{name}") for name in _rules().documents}
    application = Application(
        email=forms.typed("email"), password=forms.typed("password"), first_name=forms.typed("first_name"),
        last_name=forms.typed("last_name"), birth_date=forms.typed("birth_date"), country=forms.typed("country"),
        documents={name: version for name, version in accepted.items() if version},
    )  # fmt: skip
    try:
        rate.check("register", f"{page.tenant().id}:{accounts.caller_ip()}", REGISTRATIONS_PER_MINUTE, 60)
        with money_work(page.tenant(), Actor("player", "newcomer")) as work:
            admitted = compliance.admit(work, page.site(), application)
            signed_in = accounts.open_player_session(work, admitted)
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        return _register_form(problem)
    response = page.go("/", "registered")
    accounts.set_session_cookie(response, signed_in.token)
    return response


@access("anyone")
def sign_in_page() -> Response:
    """The form, or the lobby for those who are in."""
    return page.go("/") if page.player() else _sign_in_form(None)


def _sign_in_form(problem: Problem | None) -> Response:
    fields = [
        forms.field("sign_in", "email", "email", autocomplete="username"),
        forms.field("sign_in", "password", "password", autocomplete="current-password"),
    ]
    asked = request.args.get("next", "") if request.method == "GET" else forms.typed("next", 300)
    form = forms.form(fields, problem, next=page.local_path(asked))
    return page.show("sign_in", place="sign_in", status=problem.code.status if problem else 200, form=form)


@access("anyone")
def sign_in() -> Response:
    """Begin a session and go on to where the player wanted to be."""
    try:
        found = accounts.sign_in(
            page.tenant(), page.brand().id, forms.typed("email"), forms.typed("password"), ip=accounts.caller_ip()
        )
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        return _sign_in_form(problem)
    response = page.go(page.local_path(forms.typed("next", 300)), "signed_in")
    accounts.set_session_cookie(response, found.token)
    return response


@access("player")
def sign_out() -> Response:
    """End this session."""
    signed_in = web.identity()
    with unit_of_work(page.tenant(), signed_in.actor) as work:
        accounts.sign_out(work, signed_in.session_id)
    response = page.go("/", "signed_out")
    accounts.clear_session_cookie(response)
    return response
