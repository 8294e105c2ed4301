-- Facts that leave after commit. `outbox` is written in the transaction that makes a fact true; the relay passes it (and
-- other streams, such as the journal) in id order and writes one delivery per subscribed consumer; a worker drains the
-- deliveries of one key in order. Bodies hold ids and amounts, never personal data.

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    version smallint NOT NULL,
    key text NOT NULL,
    body jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT ck_outbox_key CHECK (length(key) BETWEEN 1 AND 200)
);

-- `next_at`: not before this; also the end of an attempt's lease, so that a worker that died is followed by another.
-- `attempts` only grows and fences: an attempt may mark only what no later attempt has taken.
CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    stream text NOT NULL,
    fact_id bigint NOT NULL,
    consumer text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    version smallint NOT NULL,
    body jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_deliveries_stream_fact_id_consumer UNIQUE (stream, fact_id, consumer),
    CONSTRAINT ck_deliveries_state CHECK (state IN ('pending', 'blocked', 'done')),
    CONSTRAINT ck_deliveries_done CHECK ((state = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX ix_deliveries_consumer_key_id ON deliveries (consumer, key, id) WHERE state <> 'done';
CREATE INDEX ix_deliveries_next_at ON deliveries (next_at) WHERE state <> 'done';
CREATE INDEX ix_deliveries_state_id ON deliveries (state, id) WHERE state = 'blocked';

-- How far a stream was passed: consumer '' is the relay, others are folds. `rows_passed` counts the rows, so that a row
-- that was skipped or taken away later is found. `waiting_for`: transactions that may still fill a hole after `last_id`.
CREATE TABLE relay_cursors (
    stream text NOT NULL,
    consumer text NOT NULL DEFAULT '',
    last_id bigint NOT NULL DEFAULT 0,
    rows_passed bigint NOT NULL DEFAULT 0,
    waiting_for text[] NOT NULL DEFAULT '{}',
    waiting_through bigint NOT NULL DEFAULT 0,
    pruned_through bigint NOT NULL DEFAULT 0,
    pruned_rows bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error text,
    advanced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_relay_cursors PRIMARY KEY (stream, consumer)
);

-- From which row on a consumer is owed a fact: one that subscribes later does not get the past.
CREATE TABLE relay_subscriptions (
    stream text NOT NULL,
    name text NOT NULL,
    consumer text NOT NULL,
    since_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_relay_subscriptions PRIMARY KEY (stream, name, consumer)
);

CREATE TABLE schedules (
    name text NOT NULL,
    rule text NOT NULL,
    last_due_at timestamptz NOT NULL,
    next_due_at timestamptz NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (name)
);

-- One row per due time that was decided: the unique constraint is what makes it exactly once.
CREATE TABLE schedule_runs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    due_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_schedule_runs PRIMARY KEY (id),
    CONSTRAINT uq_schedule_runs_name_due_at UNIQUE (name, due_at)
);

GRANT SELECT, INSERT, DELETE ON outbox, schedule_runs TO __APP__;
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO __APP__;
GRANT SELECT, INSERT, UPDATE ON relay_cursors, relay_subscriptions, schedules TO __APP__;
GRANT SELECT ON outbox, deliveries, relay_cursors, relay_subscriptions, schedules, schedule_runs TO __AUDIT__;
