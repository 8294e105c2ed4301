-- The cashier: deposits, withdrawals, and the inbox of what payment providers told us.
--
-- `public_id` is our reference at the provider. Money itself moves in the journal only; these rows say what it was for.

CREATE TABLE deposits (
    id bigint GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    player_id bigint NOT NULL,
    integration_id integer NOT NULL,
    method text NOT NULL,
    amount_units bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL DEFAULT 'created',
    vendor_id text,
    redirect_url text,
    instrument text,
    authorisation text,
    reason text,
    -- The counters that this deposit claimed (counter, window, delta): given back in the same windows.
    claims jsonb NOT NULL DEFAULT '[]',
    idempotency_key text,
    body_hash bytea NOT NULL,
    checks integer NOT NULL DEFAULT 0,
    next_check_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT pk_deposits PRIMARY KEY (id),
    CONSTRAINT uq_deposits_public_id UNIQUE (public_id),
    CONSTRAINT uq_deposits_player_id_idempotency_key UNIQUE (player_id, idempotency_key),
    CONSTRAINT fk_deposits_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT ck_deposits_amount CHECK (amount_units > 0),
    CONSTRAINT ck_deposits_settled CHECK ((status = 'settled') = (settled_at IS NOT NULL)),
    CONSTRAINT ck_deposits_status CHECK (status IN
        ('created', 'redirected', 'settled', 'declined', 'cancelled', 'expired', 'failed', 'mismatch'))
);
CREATE INDEX ix_deposits_player_id_id ON deposits (player_id, id);
CREATE INDEX ix_deposits_next_check_at ON deposits (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX ix_deposits_status_id ON deposits (status, id);

CREATE TABLE withdrawals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    player_id bigint NOT NULL,
    integration_id integer NOT NULL,
    method text NOT NULL,
    amount_units bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL DEFAULT 'waiting',
    reasons text[] NOT NULL DEFAULT '{}',
    destination text NOT NULL,
    vendor_id text,
    failure_reason text,
    decision_note text NOT NULL DEFAULT '',
    decided_by_kind text,
    decided_by_id text,
    decided_by_name text,
    decided_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    attempted_at timestamptz,
    idempotency_key text,
    body_hash bytea NOT NULL,
    checks integer NOT NULL DEFAULT 0,
    next_check_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_withdrawals PRIMARY KEY (id),
    CONSTRAINT uq_withdrawals_public_id UNIQUE (public_id),
    CONSTRAINT uq_withdrawals_player_id_idempotency_key UNIQUE (player_id, idempotency_key),
    CONSTRAINT fk_withdrawals_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT ck_withdrawals_amount CHECK (amount_units > 0),
    CONSTRAINT ck_withdrawals_decided CHECK ((status = 'waiting') = (decided_at IS NULL)),
    CONSTRAINT ck_withdrawals_closed CHECK ((status IN ('paid', 'rejected', 'failed')) = (closed_at IS NOT NULL)),
    CONSTRAINT ck_withdrawals_status CHECK (status IN ('waiting', 'approved', 'sent', 'paid', 'rejected', 'failed'))
);
CREATE INDEX ix_withdrawals_player_id_id ON withdrawals (player_id, id);
CREATE INDEX ix_withdrawals_status_id ON withdrawals (status, id);
CREATE INDEX ix_withdrawals_next_check_at ON withdrawals (next_check_at) WHERE next_check_at IS NOT NULL;

-- The inbox. One event is taken up once: a second message with the same id and another body is kept as a conflict and
-- is never applied.
CREATE TABLE payment_notifications (
    id bigint GENERATED ALWAYS AS IDENTITY,
    integration_id integer NOT NULL,
    event_id text NOT NULL,
    body_hash bytea NOT NULL,
    type text NOT NULL,
    reference text NOT NULL,
    payload jsonb NOT NULL,
    -- What the connector understood, in our words; NULL for a conflict.
    state jsonb,
    received_at timestamptz NOT NULL,
    applied_at timestamptz,
    result text NOT NULL DEFAULT 'received',
    flagged boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_payment_notifications PRIMARY KEY (id),
    CONSTRAINT uq_payment_notifications_integration_id_event_id_body_hash UNIQUE (integration_id, event_id, body_hash)
);
CREATE UNIQUE INDEX uq_payment_notifications_event ON payment_notifications (integration_id, event_id)
    WHERE result <> 'conflict';
CREATE INDEX ix_payment_notifications_reference ON payment_notifications (reference, id);
CREATE INDEX ix_payment_notifications_flagged ON payment_notifications (id) WHERE flagged;

GRANT SELECT, INSERT, UPDATE ON deposits, withdrawals TO __APP__;
GRANT SELECT, INSERT, UPDATE (applied_at, result, flagged) ON payment_notifications TO __APP__;
GRANT SELECT ON deposits, withdrawals, payment_notifications TO __AUDIT__;
