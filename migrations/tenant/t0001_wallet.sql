-- The wallet: pockets, one journal, holds (escrow of open rounds), counters, and the functions that alone may write them.
--
-- A journal row is a posting: `debit_pocket` gives, `credit_pocket` receives, `amount_units` moves. An operation is all
-- rows with one (source, ref): leg 0 carries the body's hash and the canonical outcome, further legs further movements.
-- Refusals and tombstones are rows without movement, so that one unique constraint decides every race, for ever.
--
-- House pockets are never updated: their balance is the fold of their rows (house_folds + the rows after it).
-- Ids: within one pocket, id order is commit order, because the pocket's lock is taken before the id.

CREATE TABLE pockets (
    id bigint GENERATED ALWAYS AS IDENTITY,
    owner text NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    is_house boolean NOT NULL DEFAULT false,
    balance_units bigint NOT NULL DEFAULT 0,
    floor_units bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    stakes_allowed boolean NOT NULL DEFAULT true,
    terms bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_pockets PRIMARY KEY (id),
    CONSTRAINT uq_pockets_owner_kind_currency UNIQUE (owner, kind, currency),
    CONSTRAINT ck_pockets_house CHECK (NOT is_house OR (balance_units = 0 AND seq = 0)),
    CONSTRAINT ck_pockets_kind CHECK (kind ~ '^[a-z][a-z0-9_:]{0,60}$')
) WITH (fillfactor = 60);

CREATE TABLE holds (
    id bigint GENERATED ALWAYS AS IDENTITY,
    source integer NOT NULL,
    ref text NOT NULL,
    home_pocket bigint NOT NULL,
    escrow_pocket bigint NOT NULL,
    held_units bigint NOT NULL DEFAULT 0,
    staked_units bigint NOT NULL DEFAULT 0,
    restored_units bigint NOT NULL DEFAULT 0,
    won_units bigint NOT NULL DEFAULT 0,
    label jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT uq_holds_source_ref_home_pocket UNIQUE (source, ref, home_pocket),
    CONSTRAINT ck_holds_held CHECK (held_units >= 0)
) WITH (fillfactor = 70);
CREATE INDEX ix_holds_home_pocket_id ON holds (home_pocket, id);
CREATE INDEX ix_holds_open ON holds (opened_at) WHERE closed_at IS NULL;

CREATE TABLE journal (
    id bigint GENERATED ALWAYS AS IDENTITY,
    source integer NOT NULL,
    ref text NOT NULL,
    leg smallint NOT NULL DEFAULT 0,
    kind text NOT NULL,
    status text NOT NULL,
    body_hash bytea,
    home_pocket bigint,
    debit_pocket bigint,
    credit_pocket bigint,
    amount_units bigint NOT NULL DEFAULT 0,
    debit_after_units bigint,
    credit_after_units bigint,
    debit_seq bigint,
    credit_seq bigint,
    hold_id bigint,
    closes bigint,
    outcome jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_journal PRIMARY KEY (id),
    CONSTRAINT uq_journal_source_ref_leg UNIQUE (source, ref, leg),
    CONSTRAINT ck_journal_amount CHECK (amount_units >= 0),
    CONSTRAINT ck_journal_movement CHECK (
        (debit_pocket IS NULL AND credit_pocket IS NULL AND amount_units = 0)
        OR (status = 'posted' AND debit_pocket <> credit_pocket)
    ),
    CONSTRAINT ck_journal_ref CHECK (length(ref) BETWEEN 1 AND 200)
);
CREATE INDEX ix_journal_home_pocket_id ON journal (home_pocket, id);
-- A row is brought to its end once: a stake is given back once, a reserve is paid or released once.
CREATE UNIQUE INDEX uq_journal_closes ON journal (closes) WHERE closes IS NOT NULL;

CREATE TABLE counters (
    pocket_id bigint NOT NULL,
    counter text NOT NULL,
    time_window text NOT NULL,
    used_units bigint NOT NULL,
    advanced_at timestamptz NOT NULL,
    CONSTRAINT pk_counters PRIMARY KEY (pocket_id, counter, time_window)
) WITH (fillfactor = 70);

CREATE TABLE house_folds (
    pocket_id bigint NOT NULL,
    through_id bigint NOT NULL,
    balance_units numeric(38, 0) NOT NULL,
    CONSTRAINT pk_house_folds PRIMARY KEY (pocket_id)
);

-- Two entries per posting: what an accountant reads. The signed amounts of one posting add to zero.
CREATE VIEW journal_entries AS
    SELECT id AS journal_id, source, ref, leg, kind, debit_pocket AS pocket_id, 'debit' AS side,
           -amount_units AS signed_units, debit_after_units AS after_units, debit_seq AS seq, created_at
      FROM journal WHERE amount_units > 0
    UNION ALL
    SELECT id, source, ref, leg, kind, credit_pocket, 'credit', amount_units, credit_after_units, credit_seq, created_at
      FROM journal WHERE amount_units > 0;

-- ---------------------------------------------------------------------------------------------------------------------
-- Inner functions: callable by their owner only. They run with the rights and the search path of the public function that
-- called them; were each to set them anew, every step of a bet would pay for it.

-- What was answered the first time, with today's balances beside it; NULL when (source, ref) is new.
CREATE FUNCTION wallet_remembered(p_source integer, p_ref text, p_hash bytea, p_kind text, p_pockets bigint[])
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_row record;
BEGIN
    SELECT j.id, j.kind, j.status, j.body_hash, j.outcome INTO v_row
      FROM __SCHEMA__.journal j WHERE j.source = p_source AND j.ref = p_ref AND j.leg = 0;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF v_row.status = 'tombstone' THEN
        RETURN jsonb_build_object('status', 'transaction_rolled_back', 'replayed', true, 'id', v_row.id,
                                  'current', __SCHEMA__.wallet_balances(p_pockets));
    ELSIF v_row.kind <> p_kind OR v_row.body_hash IS DISTINCT FROM p_hash THEN
        RETURN jsonb_build_object('status', 'transaction_conflict', 'replayed', false, 'id', v_row.id,
                                  'current', __SCHEMA__.wallet_balances(p_pockets));
    END IF;
    RETURN v_row.outcome || jsonb_build_object('replayed', true, 'id', v_row.id,
                                               'current', __SCHEMA__.wallet_balances(p_pockets));
END $$;

CREATE FUNCTION wallet_balances(p_pockets bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(p.id::text, p.balance_units), '{}'::jsonb)
      FROM __SCHEMA__.pockets p WHERE p.id = ANY (p_pockets)
$$;

-- Check caps and advance their counters; the home pocket's lock is held. NULL: all passed and advanced; else which did not.
-- A cap: {"counter", "window", "delta", "ceiling"?, "gap_ms"?}. Nothing is advanced unless all pass.
CREATE FUNCTION wallet_advance(p_home bigint, p_caps jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_cap jsonb;
    v_used bigint;
    v_at timestamptz;
    v_now timestamptz := clock_timestamp();
BEGIN
    FOR v_cap IN SELECT c FROM jsonb_array_elements(p_caps) c LOOP
        SELECT k.used_units, k.advanced_at INTO v_used, v_at FROM __SCHEMA__.counters k
         WHERE k.pocket_id = p_home AND k.counter = v_cap ->> 'counter' AND k.time_window = v_cap ->> 'window';
        IF (v_cap ->> 'ceiling') IS NOT NULL
           AND coalesce(v_used, 0) + (v_cap ->> 'delta')::bigint > (v_cap ->> 'ceiling')::bigint
           OR (v_cap ->> 'gap_ms') IS NOT NULL
           AND v_at + (v_cap ->> 'gap_ms')::bigint * interval '1 millisecond' > v_now THEN
            RETURN jsonb_build_object('counter', v_cap ->> 'counter', 'window', v_cap ->> 'window',
                                      'used_units', coalesce(v_used, 0), 'ceiling', v_cap -> 'ceiling');
        END IF;
    END LOOP;
    FOR v_cap IN SELECT c FROM jsonb_array_elements(p_caps) c LOOP
        INSERT INTO __SCHEMA__.counters AS k (pocket_id, counter, time_window, used_units, advanced_at)
        VALUES (p_home, v_cap ->> 'counter', v_cap ->> 'window', (v_cap ->> 'delta')::bigint, v_now)
        ON CONFLICT (pocket_id, counter, time_window)
        DO UPDATE SET used_units = k.used_units + excluded.used_units, advanced_at = excluded.advanced_at;
    END LOOP;
    RETURN NULL;
END $$;

-- Remember a refusal: the same message gets the same answer. The home pocket's lock is held.
CREATE FUNCTION wallet_decline(p_source integer, p_ref text, p_hash bytea, p_kind text, p_home bigint,
                               p_pockets bigint[], p_status text, p_detail jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_outcome jsonb;
    v_id bigint;
BEGIN
    v_outcome := jsonb_build_object('status', p_status, 'split', '[]'::jsonb, 'detail', p_detail,
                                    'balances', __SCHEMA__.wallet_balances(p_pockets));
    INSERT INTO __SCHEMA__.journal (source, ref, kind, status, body_hash, home_pocket, outcome)
    VALUES (p_source, p_ref, p_kind, p_status, p_hash, p_home, v_outcome)
    ON CONFLICT (source, ref, leg) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RETURN jsonb_build_object('status', 'transaction_conflict', 'replayed', false);
    END IF;
    RETURN v_outcome || jsonb_build_object('replayed', false, 'id', v_id, 'current', v_outcome -> 'balances');
END $$;

-- Take the locks of an operation, in id order, and read what they guard. `complete` is false when one of the pockets does
-- not exist here or is the house's.
CREATE FUNCTION wallet_lock(p_pockets bigint[], OUT ids bigint[], OUT balances bigint[], OUT floors bigint[],
                            OUT allowed boolean[], OUT terms bigint[], OUT complete boolean)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(x.id), array_agg(x.balance_units), array_agg(x.floor_units), array_agg(x.stakes_allowed),
           array_agg(x.terms)
      INTO ids, balances, floors, allowed, terms
      FROM (SELECT p.id, p.balance_units, p.floor_units, p.stakes_allowed, p.terms FROM __SCHEMA__.pockets p
             WHERE p.id = ANY (p_pockets) AND NOT p.is_house ORDER BY p.id FOR UPDATE) x;
    complete := ids IS NOT NULL AND ids @> p_pockets;
END $$;

-- Write one operation: its legs in order, leg 0 with hash and canonical outcome, and the new balances. The locks of all
-- touched non-house pockets are held. Returns the outcome, or NULL when the key was taken meanwhile through a pocket
-- that was not locked: then nothing has moved. `p_report`: the pockets whose balances the outcome tells.
CREATE FUNCTION wallet_write(p_source integer, p_ref text, p_kind text, p_hash bytea, p_home bigint, p_debits bigint[],
                             p_credits bigint[], p_units bigint[], p_closes bigint[], p_hold bigint, p_report bigint[],
                             p_more jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[];
    v_balances bigint[];
    v_seqs bigint[];
    v_house boolean[];
    v_one_currency boolean;
    v_touched boolean[];
    v_legs integer := coalesce(cardinality(p_units), 0);
    v_d integer;
    v_c integer;
    v_split jsonb := '[]';
    v_debit_after bigint[] := '{}';
    v_credit_after bigint[] := '{}';
    v_debit_seq bigint[] := '{}';
    v_credit_seq bigint[] := '{}';
    v_told jsonb := '{}';
    v_outcome jsonb;
    v_id bigint;
BEGIN
    SELECT array_agg(p.id), array_agg(p.balance_units), array_agg(p.seq), array_agg(p.is_house), array_agg(false),
           min(p.currency) = max(p.currency)
      INTO v_ids, v_balances, v_seqs, v_house, v_touched, v_one_currency
      FROM __SCHEMA__.pockets p WHERE p.id = ANY (p_debits || p_credits || p_report);
    IF NOT v_one_currency THEN
        RAISE EXCEPTION 'an operation in several currencies' USING ERRCODE = 'data_exception';
    END IF;
    FOR i IN 1 .. v_legs LOOP
        v_d := array_position(v_ids, p_debits[i]);
        v_c := array_position(v_ids, p_credits[i]);
        IF v_d IS NULL OR v_c IS NULL THEN
            RAISE EXCEPTION 'a pocket of this operation does not exist here' USING ERRCODE = 'data_exception';
        END IF;
        IF p_units[i] > 0 AND NOT v_house[v_d] THEN
            v_balances[v_d] := v_balances[v_d] - p_units[i];
            v_seqs[v_d] := v_seqs[v_d] + 1;
            v_touched[v_d] := true;
        END IF;
        IF p_units[i] > 0 AND NOT v_house[v_c] THEN
            v_balances[v_c] := v_balances[v_c] + p_units[i];
            v_seqs[v_c] := v_seqs[v_c] + 1;
            v_touched[v_c] := true;
        END IF;
        v_debit_after[i] := CASE WHEN NOT v_house[v_d] THEN v_balances[v_d] END;
        v_credit_after[i] := CASE WHEN NOT v_house[v_c] THEN v_balances[v_c] END;
        v_debit_seq[i] := CASE WHEN NOT v_house[v_d] AND p_units[i] > 0 THEN v_seqs[v_d] END;
        v_credit_seq[i] := CASE WHEN NOT v_house[v_c] AND p_units[i] > 0 THEN v_seqs[v_c] END;
        v_split := v_split || jsonb_build_object('debit', p_debits[i], 'credit', p_credits[i], 'units', p_units[i]);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(p_report), 0) LOOP
        v_told := v_told || jsonb_build_object(p_report[i]::text, v_balances[array_position(v_ids, p_report[i])]);
    END LOOP;
    v_outcome := jsonb_build_object('status', 'posted', 'split', v_split, 'balances', v_told) || p_more;
    FOR i IN 1 .. greatest(v_legs, 1) LOOP
        INSERT INTO __SCHEMA__.journal (source, ref, leg, kind, status, body_hash, home_pocket, debit_pocket,
            credit_pocket, amount_units, debit_after_units, credit_after_units, debit_seq, credit_seq, hold_id, closes,
            outcome)
        VALUES (p_source, p_ref, i - 1, p_kind, 'posted', CASE WHEN i = 1 THEN p_hash END, p_home, p_debits[i],
            p_credits[i], coalesce(p_units[i], 0), v_debit_after[i], v_credit_after[i], v_debit_seq[i],
            v_credit_seq[i], p_hold, p_closes[i], CASE WHEN i = 1 THEN v_outcome END)
        ON CONFLICT (source, ref, leg) DO NOTHING RETURNING CASE WHEN i = 1 THEN id ELSE v_id END INTO v_id;
        IF v_id IS NULL THEN
            RETURN NULL;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(v_ids) LOOP
        IF v_touched[i] THEN
            UPDATE __SCHEMA__.pockets SET balance_units = v_balances[i], seq = v_seqs[i] WHERE id = v_ids[i];
        END IF;
    END LOOP;
    RETURN v_outcome || jsonb_build_object('replayed', false, 'id', v_id, 'current', v_told);
END $$;

-- How a stake is drawn from pockets. 'ordered': empty the first, then the next. 'proportional': by balance, what
-- rounding leaves from the first with room. NULL when together they do not hold enough (above their floors). Pure: balances
-- and floors are those that `wallet_lock` read.
CREATE FUNCTION wallet_split(p_pockets bigint[], p_mode text, p_units bigint, p_ids bigint[], p_balances bigint[],
                             p_floors bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_free bigint[] := '{}';
    v_parts bigint[] := '{}';
    v_total numeric := 0;
    v_left bigint := p_units;
    v_part bigint;
    v_at integer;
BEGIN
    FOR i IN 1 .. cardinality(p_pockets) LOOP
        v_at := array_position(p_ids, p_pockets[i]);
        v_free[i] := greatest(p_balances[v_at] - p_floors[v_at], 0);
        v_total := v_total + v_free[i];
    END LOOP;
    IF v_total < p_units THEN
        RETURN NULL;
    END IF;
    FOR i IN 1 .. cardinality(p_pockets) LOOP
        v_part := CASE WHEN p_mode = 'proportional' AND v_total > 0 THEN floor(p_units::numeric * v_free[i] / v_total)
                       WHEN p_mode = 'proportional' THEN 0
                       ELSE least(v_free[i], v_left) END;
        v_parts[i] := v_part;
        v_left := v_left - v_part;
    END LOOP;
    FOR i IN 1 .. cardinality(p_pockets) LOOP
        EXIT WHEN v_left = 0;
        v_part := least(v_left, v_free[i] - v_parts[i]);
        v_parts[i] := v_parts[i] + v_part;
        v_left := v_left - v_part;
    END LOOP;
    RETURN v_parts;
END $$;

-- One movement between two pockets, under caps. What may go where is decided by the public functions below.
CREATE FUNCTION wallet_transfer(p_source integer, p_ref text, p_hash bytea, p_kind text, p_home bigint, p_from bigint,
                                p_to bigint, p_units bigint, p_closes bigint, p_report bigint[], p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_answer jsonb;
    v_from record;
BEGIN
    v_answer := __SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, p_kind, p_report);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    IF p_closes IS NOT NULL AND EXISTS (SELECT FROM __SCHEMA__.journal j WHERE j.closes = p_closes) THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, p_kind, p_home, p_report, 'already_closed', '{}');
    END IF;
    SELECT p.is_house, p.balance_units - p.floor_units AS free INTO STRICT v_from
      FROM __SCHEMA__.pockets p WHERE p.id = p_from;
    IF NOT v_from.is_house AND v_from.free < p_units THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, p_kind, p_home, p_report, 'insufficient_funds', '{}');
    END IF;
    IF p_caps <> '[]' THEN
        v_answer := __SCHEMA__.wallet_advance(p_home, p_caps);
        IF v_answer IS NOT NULL THEN
            RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, p_kind, p_home, p_report, 'cap_reached', v_answer);
        END IF;
    END IF;
    v_answer := __SCHEMA__.wallet_write(p_source, p_ref, p_kind, p_hash, p_home, ARRAY[p_from], ARRAY[p_to],
                                        ARRAY[p_units], ARRAY[p_closes], NULL, p_report, '{}');
    IF v_answer IS NULL THEN
        RAISE EXCEPTION 'the key % was taken through another pocket', p_ref USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN v_answer;
END $$;

-- Refuse what the caller may not ask: wrong kind of pocket. A programmer's error, so it raises.
CREATE FUNCTION wallet_expect(p_pocket bigint, p_kinds text[], p_house boolean) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM __SCHEMA__.pockets p
                    WHERE p.id = p_pocket AND p.is_house = p_house AND split_part(p.kind, ':', 1) = ANY (p_kinds)) THEN
        RAISE EXCEPTION 'pocket % is not one of % here', p_pocket, p_kinds USING ERRCODE = 'data_exception';
    END IF;
END $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Public functions: one per kind of movement. Each answers {"status", "replayed", "id", "split", "balances", "current", ..}:
-- `balances` as they were right after the operation, `current` as they are now. Statuses: posted, transaction_conflict,
-- transaction_rolled_back, insufficient_funds, stakes_not_allowed, terms_changed, cap_reached, hold_closed, hold_unknown,
-- target_unknown, already_closed. terms_changed, hold_unknown and transaction_conflict are not remembered; target_unknown is
-- only where the target is there and is something else.

-- Money enters: from a house pocket (psp) to the player's cash.
CREATE FUNCTION wallet_deposit(p_source integer, p_ref text, p_hash bytea, p_house bigint, p_cash bigint,
                               p_units bigint, p_report bigint[], p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM __SCHEMA__.wallet_expect(p_house, ARRAY['psp'], true), __SCHEMA__.wallet_expect(p_cash, ARRAY['cash'], false);
    PERFORM __SCHEMA__.wallet_lock(p_report || p_cash);
    RETURN __SCHEMA__.wallet_transfer(p_source, p_ref, p_hash, 'deposit', p_cash, p_house, p_cash, p_units, NULL,
                                      p_report, p_caps);
END $$;

-- A withdrawal is asked for: cash becomes pending at once.
CREATE FUNCTION wallet_reserve(p_source integer, p_ref text, p_hash bytea, p_cash bigint, p_pending bigint,
                               p_units bigint, p_report bigint[], p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM __SCHEMA__.wallet_expect(p_cash, ARRAY['cash'], false), __SCHEMA__.wallet_expect(p_pending, ARRAY['pending'], false);
    PERFORM __SCHEMA__.wallet_lock(p_report || p_cash || p_pending);
    RETURN __SCHEMA__.wallet_transfer(p_source, p_ref, p_hash, 'reserve', p_cash, p_cash, p_pending, p_units, NULL,
                                      p_report, p_caps);
END $$;

-- The end of a reserve, once and whole: paid out to a house pocket (psp), or released to the cash it came from.
-- `p_reserve_ref` names the reserve of the same source.
CREATE FUNCTION wallet_end_reserve(p_source integer, p_ref text, p_hash bytea, p_kind text, p_to bigint,
                                   p_reserve_ref text, p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_reserve record;
BEGIN
    SELECT j.id, j.home_pocket, j.debit_pocket, j.credit_pocket, j.amount_units INTO v_reserve FROM __SCHEMA__.journal j
     WHERE j.source = p_source AND j.ref = p_reserve_ref AND j.leg = 0 AND j.kind = 'reserve' AND j.status = 'posted';
    IF NOT FOUND THEN
        RETURN jsonb_build_object('status', 'target_unknown', 'replayed', false);
    END IF;
    PERFORM __SCHEMA__.wallet_lock(p_report || v_reserve.debit_pocket || v_reserve.credit_pocket);
    RETURN __SCHEMA__.wallet_transfer(p_source, p_ref, p_hash, p_kind, v_reserve.home_pocket, v_reserve.credit_pocket,
        coalesce(p_to, v_reserve.debit_pocket), v_reserve.amount_units, v_reserve.id, p_report, '[]');
END $$;

CREATE FUNCTION wallet_pay_out(p_source integer, p_ref text, p_hash bytea, p_house bigint, p_reserve_ref text,
                               p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM __SCHEMA__.wallet_expect(p_house, ARRAY['psp'], true);
    RETURN __SCHEMA__.wallet_end_reserve(p_source, p_ref, p_hash, 'pay_out', p_house, p_reserve_ref, p_report);
END $$;

CREATE FUNCTION wallet_release(p_source integer, p_ref text, p_hash bytea, p_reserve_ref text, p_report bigint[])
RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT __SCHEMA__.wallet_end_reserve(p_source, p_ref, p_hash, 'release', NULL, p_reserve_ref, p_report)
$$;

-- A correction by authorised staff, either way: between a house pocket (adjustment) and a player's pocket.
CREATE FUNCTION wallet_adjust(p_source integer, p_ref text, p_hash bytea, p_house bigint, p_pocket bigint,
                              p_to_player boolean, p_units bigint, p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_home bigint;
BEGIN
    PERFORM __SCHEMA__.wallet_expect(p_house, ARRAY['adjustment'], true),
            __SCHEMA__.wallet_expect(p_pocket, ARRAY['cash', 'bonus'], false);
    -- Filed under the owner's home, whichever pocket is corrected: statements read by it.
    SELECT h.id INTO STRICT v_home FROM __SCHEMA__.pockets p
      JOIN __SCHEMA__.pockets h ON h.owner = p.owner AND h.currency = p.currency AND h.kind = 'cash' AND NOT h.is_house
     WHERE p.id = p_pocket;
    PERFORM __SCHEMA__.wallet_lock(p_report || p_pocket || v_home);
    RETURN __SCHEMA__.wallet_transfer(p_source, p_ref, p_hash, 'adjust', v_home,
        CASE WHEN p_to_player THEN p_house ELSE p_pocket END, CASE WHEN p_to_player THEN p_pocket ELSE p_house END,
        p_units, NULL, p_report, '[]');
END $$;

-- Bonus money: granted from a house pocket (bonus_cost), taken back, or converted from bonus to cash.
CREATE FUNCTION wallet_bonus(p_source integer, p_ref text, p_hash bytea, p_kind text, p_home bigint, p_from bigint,
                             p_to bigint, p_units bigint, p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_kind = 'bonus_grant' THEN
        PERFORM __SCHEMA__.wallet_expect(p_from, ARRAY['bonus_cost'], true), __SCHEMA__.wallet_expect(p_to, ARRAY['bonus'], false);
    ELSIF p_kind = 'bonus_forfeit' THEN
        PERFORM __SCHEMA__.wallet_expect(p_from, ARRAY['bonus'], false), __SCHEMA__.wallet_expect(p_to, ARRAY['bonus_cost'], true);
    ELSIF p_kind = 'bonus_convert' THEN
        PERFORM __SCHEMA__.wallet_expect(p_from, ARRAY['bonus'], false), __SCHEMA__.wallet_expect(p_to, ARRAY['cash'], false);
    ELSE
        RAISE EXCEPTION 'no such bonus movement: %', p_kind USING ERRCODE = 'data_exception';
    END IF;
    PERFORM __SCHEMA__.wallet_lock(p_report || p_home
        || ARRAY(SELECT p.id FROM __SCHEMA__.pockets p WHERE p.id IN (p_from, p_to) AND NOT p.is_house));
    RETURN __SCHEMA__.wallet_transfer(p_source, p_ref, p_hash, p_kind, p_home, p_from, p_to, p_units, NULL, p_report, '[]');
END $$;

-- Advance counters and move nothing: claims an allowance before the money is asked for (and gives it back with negative deltas).
CREATE FUNCTION wallet_claim(p_source integer, p_ref text, p_hash bytea, p_home bigint, p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_answer jsonb;
BEGIN
    PERFORM __SCHEMA__.wallet_lock(ARRAY[p_home]);
    v_answer := __SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, 'claim', ARRAY[p_home]);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    v_answer := __SCHEMA__.wallet_advance(p_home, p_caps);
    IF v_answer IS NOT NULL THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'claim', p_home, ARRAY[p_home], 'cap_reached', v_answer);
    END IF;
    v_answer := __SCHEMA__.wallet_write(p_source, p_ref, 'claim', p_hash, p_home, '{}', '{}', '{}', '{}', NULL,
                                        ARRAY[p_home], '{}');
    IF v_answer IS NULL THEN
        RAISE EXCEPTION 'the key % was taken through another pocket', p_ref USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN v_answer;
END $$;

-- Remember a refusal that was decided outside (an unknown session, a stopped game): the key is used up.
CREATE FUNCTION wallet_refuse(p_source integer, p_ref text, p_hash bytea, p_kind text, p_home bigint, p_status text,
                              p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_status IN ('posted', 'tombstone') THEN
        RAISE EXCEPTION 'that is no refusal: %', p_status USING ERRCODE = 'data_exception';
    END IF;
    PERFORM __SCHEMA__.wallet_lock(p_report || p_home);
    RETURN coalesce(__SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, p_kind, p_report),
                    __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, p_kind, p_home, p_report, p_status, '{}'));
END $$;

-- A stake: from the player's pockets (in the order or proportion the caller chose) into the escrow of a round.
-- `p_terms`: the version of the player's terms that the caller's caps rest on; when it is no longer current the answer is
-- terms_changed, is not remembered, and the caller reads the caps anew. NULL: not checked.
CREATE FUNCTION wallet_stake(p_source integer, p_ref text, p_hash bytea, p_home bigint, p_pockets bigint[], p_mode text,
                             p_units bigint, p_escrow bigint, p_gaming bigint, p_hold_ref text, p_label jsonb,
                             p_close boolean, p_terms bigint, p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lock record;
    v_home integer;
    v_hold record;
    v_hold_id bigint;
    v_parts bigint[];
    v_debits bigint[] := '{}';
    v_credits bigint[] := '{}';
    v_units bigint[] := '{}';
    v_new boolean;
    v_held bigint;
    v_answer jsonb;
BEGIN
    IF p_units < 0 THEN
        RAISE EXCEPTION 'a stake of less than nothing' USING ERRCODE = 'data_exception';
    END IF;
    SELECT * INTO v_lock FROM __SCHEMA__.wallet_lock(p_pockets || p_home);
    IF NOT v_lock.complete THEN
        RAISE EXCEPTION 'a pocket of this stake does not exist here' USING ERRCODE = 'data_exception';
    END IF;
    v_answer := __SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, 'stake', p_pockets);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    v_home := array_position(v_lock.ids, p_home);
    IF p_terms IS NOT NULL AND v_lock.terms[v_home] <> p_terms THEN
        RETURN jsonb_build_object('status', 'terms_changed', 'replayed', false, 'terms', v_lock.terms[v_home]);
    END IF;
    IF NOT v_lock.allowed[v_home] THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'stake', p_home, p_pockets, 'stakes_not_allowed', '{}');
    END IF;
    SELECT h.id, h.closed_at, h.held_units INTO v_hold FROM __SCHEMA__.holds h
     WHERE h.source = p_source AND h.ref = p_hold_ref AND h.home_pocket = p_home FOR UPDATE;
    v_new := NOT FOUND;
    IF NOT v_new AND v_hold.closed_at IS NOT NULL THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'stake', p_home, p_pockets, 'hold_closed', '{}');
    END IF;
    v_parts := __SCHEMA__.wallet_split(p_pockets, p_mode, p_units, v_lock.ids, v_lock.balances, v_lock.floors);
    IF v_parts IS NULL THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'stake', p_home, p_pockets, 'insufficient_funds', '{}');
    END IF;
    IF p_caps <> '[]' THEN
        v_answer := __SCHEMA__.wallet_advance(p_home, p_caps);
        IF v_answer IS NOT NULL THEN
            RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'stake', p_home, p_pockets, 'cap_reached', v_answer);
        END IF;
    END IF;
    FOR i IN 1 .. cardinality(p_pockets) LOOP
        IF v_parts[i] > 0 OR (p_units = 0 AND i = 1) THEN
            v_debits := v_debits || p_pockets[i];
            v_credits := v_credits || p_escrow;
            v_units := v_units || v_parts[i];
        END IF;
    END LOOP;
    v_hold_id := CASE WHEN v_new THEN nextval('__SCHEMA__.holds_id_seq') ELSE v_hold.id END;
    v_held := CASE WHEN v_new THEN 0 ELSE v_hold.held_units END + p_units;
    IF p_close AND v_held > 0 THEN
        v_debits := v_debits || p_escrow;
        v_credits := v_credits || p_gaming;
        v_units := v_units || v_held;
    END IF;
    v_answer := __SCHEMA__.wallet_write(p_source, p_ref, 'stake', p_hash, p_home, v_debits, v_credits, v_units, '{}',
                                        v_hold_id, p_pockets, '{}');
    IF v_answer IS NULL THEN
        RAISE EXCEPTION 'the key % was taken through another pocket', p_ref USING ERRCODE = 'serialization_failure';
    END IF;
    IF v_new THEN
        INSERT INTO __SCHEMA__.holds (id, source, ref, home_pocket, escrow_pocket, held_units, staked_units, label, closed_at)
        OVERRIDING SYSTEM VALUE
        VALUES (v_hold_id, p_source, p_hold_ref, p_home, p_escrow, CASE WHEN p_close THEN 0 ELSE v_held END, p_units,
                p_label, CASE WHEN p_close THEN clock_timestamp() END);
    ELSE
        UPDATE __SCHEMA__.holds SET held_units = CASE WHEN p_close THEN 0 ELSE v_held END,
               staked_units = staked_units + p_units, closed_at = CASE WHEN p_close THEN clock_timestamp() END
         WHERE id = v_hold_id;
    END IF;
    RETURN v_answer;
END $$;

-- A win, also of 0: from the house to the player's pockets; `p_close` ends the round and hands its escrow to the house.
-- Always paid: no flag, cap or balance stops it. `p_caps` only advance (no ceiling). `p_need_hold`: refuse (not remembered)
-- when no stake opened the round; otherwise the round is opened by the win.
CREATE FUNCTION wallet_settle(p_source integer, p_ref text, p_hash bytea, p_home bigint, p_pockets bigint[],
                              p_parts bigint[], p_escrow bigint, p_gaming bigint, p_hold_ref text, p_label jsonb,
                              p_close boolean, p_need_hold boolean, p_report bigint[], p_caps jsonb)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_hold record;
    v_hold_id bigint;
    v_new boolean;
    v_debits bigint[] := '{}';
    v_credits bigint[] := '{}';
    v_units bigint[] := '{}';
    v_won bigint := 0;
    v_answer jsonb;
BEGIN
    IF NOT (__SCHEMA__.wallet_lock(p_pockets || p_report || p_home)).complete THEN
        RAISE EXCEPTION 'a pocket of this win does not exist here' USING ERRCODE = 'data_exception';
    END IF;
    v_answer := __SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, 'settle', p_report);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    SELECT h.id, h.closed_at, h.held_units, h.escrow_pocket INTO v_hold FROM __SCHEMA__.holds h
     WHERE h.source = p_source AND h.ref = p_hold_ref AND h.home_pocket = p_home FOR UPDATE;
    v_new := NOT FOUND;
    IF v_new AND p_need_hold THEN
        RETURN jsonb_build_object('status', 'hold_unknown', 'replayed', false,
                                  'current', __SCHEMA__.wallet_balances(p_report));
    END IF;
    IF p_caps <> '[]' THEN
        PERFORM __SCHEMA__.wallet_advance(p_home, p_caps);
    END IF;
    FOR i IN 1 .. cardinality(p_pockets) LOOP
        IF p_parts[i] > 0 OR i = 1 THEN
            v_debits := v_debits || p_gaming;
            v_credits := v_credits || p_pockets[i];
            v_units := v_units || p_parts[i];
            v_won := v_won + p_parts[i];
        END IF;
    END LOOP;
    IF NOT v_new AND p_close AND v_hold.held_units > 0 THEN
        v_debits := v_debits || v_hold.escrow_pocket;
        v_credits := v_credits || p_gaming;
        v_units := v_units || v_hold.held_units;
    END IF;
    v_hold_id := CASE WHEN v_new THEN nextval('__SCHEMA__.holds_id_seq') ELSE v_hold.id END;
    v_answer := __SCHEMA__.wallet_write(p_source, p_ref, 'settle', p_hash, p_home, v_debits, v_credits, v_units, '{}',
                                        v_hold_id, p_report, '{}');
    IF v_answer IS NULL THEN
        RAISE EXCEPTION 'the key % was taken through another pocket', p_ref USING ERRCODE = 'serialization_failure';
    END IF;
    IF v_new THEN
        INSERT INTO __SCHEMA__.holds (id, source, ref, home_pocket, escrow_pocket, won_units, label, closed_at)
        OVERRIDING SYSTEM VALUE
        VALUES (v_hold_id, p_source, p_hold_ref, p_home, p_escrow, v_won, p_label,
                CASE WHEN p_close THEN clock_timestamp() END);
    ELSE
        UPDATE __SCHEMA__.holds SET won_units = won_units + v_won,
               held_units = CASE WHEN p_close THEN 0 ELSE held_units END,
               closed_at = CASE WHEN p_close THEN coalesce(closed_at, clock_timestamp()) ELSE closed_at END
         WHERE id = v_hold_id;
    END IF;
    RETURN v_answer;
END $$;

-- Take an operation back, whole and once: every leg is reversed, each to the pocket it came from. A target that is unknown
-- leaves a tombstone, so that it is refused when it arrives late. `p_target_kind` says what the target must be.
-- `p_below_floor`: a reversal that takes from a player may leave the balance below its floor (policy of the caller).
-- `p_hold_ref`: the round that `p_close` ends when the target names none (unknown, refused or of no round).
CREATE FUNCTION wallet_restore(p_source integer, p_ref text, p_hash bytea, p_home bigint, p_target_ref text,
                               p_target_kind text, p_gaming bigint, p_close boolean, p_below_floor boolean,
                               p_hold_ref text, p_report bigint[])
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_target record;
    v_leg record;
    v_hold record;
    v_closed boolean;
    v_debits bigint[] := '{}';
    v_credits bigint[] := '{}';
    v_units bigint[] := '{}';
    v_closes bigint[] := '{}';
    v_touched bigint[];
    v_back bigint := 0;
    v_left bigint;
    v_hold_id bigint;
    v_answer jsonb;
BEGIN
    SELECT array_agg(DISTINCT p.id) INTO v_touched FROM __SCHEMA__.journal j
      JOIN __SCHEMA__.pockets p ON p.id IN (j.debit_pocket, j.credit_pocket) AND NOT p.is_house
     WHERE j.source = p_source AND j.ref = p_target_ref;
    IF NOT (__SCHEMA__.wallet_lock(p_report || p_home || coalesce(v_touched, '{}'))).complete THEN
        RAISE EXCEPTION 'a pocket of this reversal does not exist here' USING ERRCODE = 'data_exception';
    END IF;
    v_answer := __SCHEMA__.wallet_remembered(p_source, p_ref, p_hash, 'restore', p_report);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    -- One key cannot hold both the tombstone and the reversal.
    IF p_target_ref = p_ref THEN
        RETURN jsonb_build_object('status', 'target_unknown', 'replayed', false,
                                  'current', __SCHEMA__.wallet_balances(p_report));
    END IF;
    SELECT j.id, j.kind, j.status, j.home_pocket, j.hold_id INTO v_target FROM __SCHEMA__.journal j
     WHERE j.source = p_source AND j.ref = p_target_ref AND j.leg = 0;
    v_hold_id := v_target.hold_id;
    IF v_hold_id IS NULL AND p_hold_ref IS NOT NULL THEN
        SELECT h.id INTO v_hold_id FROM __SCHEMA__.holds h
         WHERE h.source = p_source AND h.ref = p_hold_ref AND h.home_pocket = p_home;
    END IF;
    SELECT h.id, h.closed_at IS NOT NULL AS closed, h.escrow_pocket, h.held_units INTO v_hold
      FROM __SCHEMA__.holds h WHERE h.id = v_hold_id FOR UPDATE;
    v_closed := coalesce(v_hold.closed, true);
    IF v_target.id IS NULL THEN
        INSERT INTO __SCHEMA__.journal (source, ref, kind, status, home_pocket)
        VALUES (p_source, p_target_ref, p_target_kind, 'tombstone', p_home) ON CONFLICT (source, ref, leg) DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the key % was taken through another pocket', p_target_ref USING ERRCODE = 'serialization_failure';
        END IF;
    ELSIF v_target.status <> 'tombstone' AND (v_target.home_pocket <> p_home OR v_target.kind <> p_target_kind) THEN
        RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'restore', p_home, p_report, 'target_unknown', '{}');
    ELSIF v_target.status = 'posted'
          AND NOT EXISTS (SELECT FROM __SCHEMA__.journal j WHERE j.closes = v_target.id) THEN
        FOR v_leg IN SELECT j.id, j.leg, j.debit_pocket, j.credit_pocket, j.amount_units FROM __SCHEMA__.journal j
                      WHERE j.source = p_source AND j.ref = p_target_ref ORDER BY j.leg LOOP
            -- A leg that handed escrow to the house is no movement of the player's: the money comes from the house now.
            CONTINUE WHEN v_leg.debit_pocket = v_hold.escrow_pocket;
            v_debits := v_debits || CASE WHEN v_leg.credit_pocket = v_hold.escrow_pocket AND v_closed THEN p_gaming
                                         ELSE v_leg.credit_pocket END;
            v_credits := v_credits || v_leg.debit_pocket;
            v_units := v_units || v_leg.amount_units;
            v_closes := v_closes || CASE WHEN v_leg.leg = 0 THEN v_target.id END;
            v_back := v_back + v_leg.amount_units;
        END LOOP;
        IF NOT p_below_floor AND EXISTS (
            SELECT FROM __SCHEMA__.pockets p JOIN (SELECT d, sum(u) AS units FROM unnest(v_debits, v_units) x (d, u) GROUP BY d) t
                ON t.d = p.id WHERE NOT p.is_house AND p.balance_units - t.units < p.floor_units) THEN
            RETURN __SCHEMA__.wallet_decline(p_source, p_ref, p_hash, 'restore', p_home, p_report, 'insufficient_funds', '{}');
        END IF;
    END IF;
    -- What the round still holds after this goes to the house when the message also ends the round.
    v_left := CASE WHEN v_closed THEN 0
                   ELSE v_hold.held_units - CASE WHEN p_target_kind = 'stake' THEN v_back ELSE 0 END END;
    IF p_close AND v_left > 0 THEN
        v_debits := v_debits || v_hold.escrow_pocket;
        v_credits := v_credits || p_gaming;
        v_units := v_units || v_left;
    END IF;
    v_answer := __SCHEMA__.wallet_write(p_source, p_ref, 'restore', p_hash, p_home, v_debits, v_credits, v_units, v_closes,
                                        v_hold.id, p_report, jsonb_build_object('restored_units', v_back));
    IF v_answer IS NULL THEN
        RAISE EXCEPTION 'the key % was taken through another pocket', p_ref USING ERRCODE = 'serialization_failure';
    END IF;
    IF v_back > 0 OR (p_close AND NOT v_closed) THEN
        UPDATE __SCHEMA__.holds SET
               held_units = CASE WHEN p_close THEN 0 ELSE v_left END,
               restored_units = restored_units + CASE WHEN p_target_kind = 'stake' THEN v_back ELSE 0 END,
               won_units = won_units - CASE WHEN p_target_kind = 'settle' THEN v_back ELSE 0 END,
               closed_at = CASE WHEN p_close THEN coalesce(closed_at, clock_timestamp()) ELSE closed_at END
         WHERE id = v_hold.id;
    END IF;
    RETURN v_answer;
END $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Pockets and terms.

CREATE FUNCTION wallet_open(p_owner text, p_kinds text[], p_currency text, p_house boolean) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO __SCHEMA__.pockets (owner, kind, currency, is_house)
    SELECT p_owner, k, p_currency, p_house FROM unnest(p_kinds) WITH ORDINALITY u (k, place) ORDER BY place
    ON CONFLICT (owner, kind, currency) DO NOTHING;
    RETURN (SELECT jsonb_object_agg(p.kind, p.id) FROM __SCHEMA__.pockets p
             WHERE p.owner = p_owner AND p.currency = p_currency AND p.kind = ANY (p_kinds) AND p.is_house = p_house);
END $$;

-- Whether this owner may stake, decided outside, obeyed under the pocket's lock from this commit on. Every call makes the
-- caps that callers hold out of date; NULL leaves the flag as it is and does only that.
CREATE FUNCTION wallet_set_terms(p_home bigint, p_stakes_allowed boolean) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE __SCHEMA__.pockets SET stakes_allowed = coalesce(p_stakes_allowed, stakes_allowed), terms = terms + 1
     WHERE id = p_home AND NOT is_house RETURNING terms
$$;

-- Fold house balances through a journal id below which no transaction is still open (the relay knows it).
CREATE FUNCTION wallet_fold_house(p_through bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from bigint;
    v_folded integer;
BEGIN
    LOCK TABLE __SCHEMA__.house_folds IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(max(f.through_id), 0) INTO v_from FROM __SCHEMA__.house_folds f;
    IF p_through <= v_from THEN
        RETURN 0;
    END IF;
    INSERT INTO __SCHEMA__.house_folds AS f (pocket_id, through_id, balance_units)
    SELECT p.id, p_through, coalesce(sum(m.units), 0)
      FROM __SCHEMA__.pockets p
      LEFT JOIN (SELECT j.credit_pocket AS pocket, j.amount_units::numeric AS units FROM __SCHEMA__.journal j
                  WHERE j.id > v_from AND j.id <= p_through AND j.amount_units > 0
                 UNION ALL
                 SELECT j.debit_pocket, -j.amount_units::numeric FROM __SCHEMA__.journal j
                  WHERE j.id > v_from AND j.id <= p_through AND j.amount_units > 0) m ON m.pocket = p.id
     WHERE p.is_house GROUP BY p.id
    ON CONFLICT (pocket_id) DO UPDATE
       SET through_id = excluded.through_id, balance_units = f.balance_units + excluded.balance_units;
    GET DIAGNOSTICS v_folded = ROW_COUNT;
    RETURN v_folded;
END $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Rights. The schema's own role owns the functions and alone writes; nobody logs in as it. A unit of work may read. Only the
-- login `money` may call the public functions. The journal is append-only even for the functions.

GRANT SELECT, INSERT, UPDATE ON pockets, holds, counters, house_folds TO __SCHEMA__;
GRANT SELECT, INSERT ON journal TO __SCHEMA__;
GRANT USAGE ON SEQUENCE holds_id_seq TO __SCHEMA__;
GRANT SELECT ON pockets, holds, journal, counters, house_folds, journal_entries TO __APP__, __AUDIT__;

DO $$
DECLARE
    v_function record;
BEGIN
    FOR v_function IN SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_proc p
                       WHERE p.pronamespace = '__SCHEMA__'::regnamespace AND p.proname LIKE 'wallet\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.signature);
        IF v_function.name IN ('wallet_deposit', 'wallet_reserve', 'wallet_pay_out', 'wallet_release', 'wallet_adjust',
                               'wallet_bonus', 'wallet_claim', 'wallet_refuse', 'wallet_stake', 'wallet_settle',
                               'wallet_restore', 'wallet_open', 'wallet_set_terms', 'wallet_fold_house') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO __MONEY__', v_function.signature);
        END IF;
        EXECUTE format('ALTER FUNCTION %s OWNER TO __SCHEMA__', v_function.signature);
    END LOOP;
END $$;
