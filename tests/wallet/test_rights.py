"""Who may move money: the login `money`, through the functions, in the tenant it names; nobody else in any other way."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg import sql

from wallet.conftest import Till, open_till
from whitefelt import wallet
from whitefelt.kernel import settings
from whitefelt.kernel.db import money_work, unit_of_work


def connect(login: str) -> psycopg.Connection:
    return psycopg.connect(settings.current().login_url(login), autocommit=True)


def functions(tenant) -> list[tuple]:
    with psycopg.connect(settings.current().databases["default"]) as connection:
        return connection.execute(
            """SELECT p.proname, p.prosecdef, pg_get_userbyid(p.proowner), p.proconfig, p.prosrc,
                      has_function_privilege(%s, p.oid, 'EXECUTE'), has_function_privilege(%s, p.oid, 'EXECUTE'),
                      has_function_privilege(%s, p.oid, 'EXECUTE'), has_function_privilege(%s, p.oid, 'EXECUTE')
                 FROM pg_proc p WHERE p.pronamespace = %s::regnamespace AND p.proname LIKE 'wallet%%'""",
            (*(settings.current().login(n) for n in ("money", "app", "audit")), tenant.app_role, tenant.schema),
        ).fetchall()


def test_functions_are_security_definer_owned_by_the_tenants_role_and_given_to_money_alone(alpha):
    found = functions(alpha)
    assert len(found) >= 20
    for name, definer, owner, config, source, money, app, audit, pinned in found:
        assert owner == alpha.schema, name
        assert definer is money, (
            f"{name}: exactly the functions that may be called from outside run with the owner's rights"
        )
        assert config == (["search_path=pg_catalog, pg_temp"] if money else None), name
        assert not (app or audit or pinned), name
        assert "__SCHEMA__" not in source
        for table in re.findall(
            r"(?:FROM|JOIN|INTO|UPDATE|TABLE) +([a-z_.0-9]*(?:pockets|journal|holds|counters|house_folds))\b", source
        ):
            assert table.startswith(f"{alpha.schema}."), f"{name} must qualify every name: {table}"
    callable_by_money = {row[0] for row in found if row[5]}
    assert callable_by_money == {
        "wallet_deposit", "wallet_reserve", "wallet_pay_out", "wallet_release", "wallet_adjust", "wallet_bonus",
        "wallet_claim", "wallet_refuse", "wallet_stake", "wallet_settle", "wallet_restore", "wallet_open",
        "wallet_set_terms", "wallet_fold_house",
    }  # fmt: skip


def test_the_logins_are_no_superusers_and_own_nothing(alpha):
    with psycopg.connect(settings.current().databases["default"]) as connection:
        for login in ("app", "money", "audit"):
            name = settings.current().login(login)
            row = connection.execute(
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolinherit FROM pg_roles WHERE rolname = %s", (name,)
            ).fetchone()
            assert row == (False, False, False, False)
            owned = connection.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", (name,)).fetchone()
            assert owned == (0,)
        admin = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert admin == (False,)


@pytest.mark.parametrize("login", ["app", "money"])
def test_a_forgotten_pin_sees_nothing_and_its_twin_sees(alpha, login: str):
    with connect(login) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM pockets")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("SELECT * FROM {}.pockets").format(sql.Identifier(alpha.schema)))
        with connection.transaction():
            connection.execute(
                "SELECT set_config('search_path', %s, true), set_config('role', %s, true)",
                (alpha.schema, alpha.app_role),
            )
            connection.execute("SELECT * FROM pockets LIMIT 1")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM pockets")


def test_a_pinned_transaction_cannot_reach_the_other_tenant_and_its_twin_reaches_its_own(alpha, bravo):
    with connect("app") as connection:
        for schema, allowed in ((alpha.schema, True), (bravo.schema, False)):
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('search_path', %s, true), set_config('role', %s, true)",
                    (alpha.schema, alpha.app_role),
                )
                query = sql.SQL("SELECT count(*) FROM {}.journal").format(sql.Identifier(schema))
                if allowed:
                    connection.execute(query)
                else:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(query)
                    raise psycopg.Rollback()


@pytest.mark.parametrize("statement", [
    "UPDATE pockets SET balance_units = balance_units + 1",
    "INSERT INTO journal (source, ref, kind, status) VALUES (0, 'x', 'deposit', 'posted')",
    "DELETE FROM journal",
    "UPDATE counters SET used_units = 0",
    "UPDATE holds SET held_units = 0",
])  # fmt: skip
@pytest.mark.parametrize("login", ["app", "money"])
def test_no_unit_of_work_can_write_the_wallets_tables(till: Till, login: str, statement: str):
    till.deposit(1)
    opened = unit_of_work if login == "app" else money_work
    with pytest.raises(Exception, match="permission denied"), opened(till.tenant) as work:
        work.session.connection().exec_driver_sql(statement)
    assert till.cash() == 1


def test_even_the_owner_of_the_functions_cannot_rewrite_the_journal(till: Till):
    till.deposit(1)
    with psycopg.connect(settings.current().databases["default"]) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(till.tenant.schema)))
        for statement in ("UPDATE {}.journal SET amount_units = 2", "DELETE FROM {}.journal"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL(statement).format(sql.Identifier(till.tenant.schema)))


def test_alphas_function_cannot_touch_bravos_pocket(alpha, bravo):
    ours, theirs = open_till(alpha), open_till(bravo, "SEK")
    ours.deposit(10)
    theirs.deposit(10)
    # Ids are per schema: make sure that the foreign id does not exist at home, then offer it to every function that takes one.
    with psycopg.connect(settings.current().databases["default"]) as connection:
        highest = connection.execute(
            sql.SQL("SELECT max(id) FROM {}.pockets").format(sql.Identifier(alpha.schema))
        ).fetchone()[0]
        foreign = theirs.pockets
        while foreign.cash <= highest:
            with money_work(bravo) as work:
                foreign = wallet.open_pockets(work, f"player:filler-{foreign.cash}-{highest}", "SEK")
    before = theirs.balances()
    stolen = Till(alpha, foreign, ours.house, ours.psp, ours.source)
    for attempt in (lambda: stolen.deposit(1), lambda: stolen.bet(1), lambda: stolen.win(1, need_round=False)):
        with pytest.raises(psycopg.Error):
            attempt()
    assert theirs.balances() == before
    assert ours.bet(1).posted and theirs.bet(1).posted


def test_the_auditor_reads_every_tenant_and_writes_nothing(alpha, bravo):
    with connect("audit") as connection:
        for tenant in (alpha, bravo):
            connection.execute(sql.SQL("SELECT count(*) FROM {}.journal_entries").format(sql.Identifier(tenant.schema)))
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                connection.execute(
                    sql.SQL("UPDATE {}.pockets SET balance_units = 0").format(sql.Identifier(tenant.schema))
                )
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("DELETE FROM {}.journal").format(sql.Identifier(alpha.schema)))
        connection.execute("SELECT slug FROM platform.tenants")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT sealed_secrets FROM platform.integrations")
