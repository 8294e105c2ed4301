-- Schedules of the platform itself and their runs; the same shape as in a tenant's schema.

CREATE TABLE platform.deliveries (
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
CREATE INDEX ix_deliveries_consumer_key_id ON platform.deliveries (consumer, key, id) WHERE state <> 'done';
CREATE INDEX ix_deliveries_next_at ON platform.deliveries (next_at) WHERE state <> 'done';
CREATE INDEX ix_deliveries_state_id ON platform.deliveries (state, id) WHERE state = 'blocked';

CREATE TABLE platform.schedules (
    name text NOT NULL,
    rule text NOT NULL,
    last_due_at timestamptz NOT NULL,
    next_due_at timestamptz NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (name)
);

CREATE TABLE platform.schedule_runs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    due_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_schedule_runs PRIMARY KEY (id),
    CONSTRAINT uq_schedule_runs_name_due_at UNIQUE (name, due_at)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON platform.deliveries TO __PLATFORM__;
GRANT SELECT, INSERT, UPDATE ON platform.schedules TO __PLATFORM__;
GRANT SELECT, INSERT, DELETE ON platform.schedule_runs TO __PLATFORM__;
GRANT SELECT ON platform.deliveries, platform.schedules, platform.schedule_runs TO __AUDIT__;
