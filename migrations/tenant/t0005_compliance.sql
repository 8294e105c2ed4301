-- What a player may do: limits, exclusions, identity checks. Rows say what was asked and from when it applies; what applies
-- at an instant is decided by reading, so nothing here waits for a job.

CREATE TABLE deposit_limits (
    id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    period text NOT NULL,
    set_by text NOT NULL,
    amount_units bigint,
    currency text NOT NULL,
    requested_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    rule text NOT NULL,
    rule_version text NOT NULL,
    CONSTRAINT pk_deposit_limits PRIMARY KEY (id),
    CONSTRAINT fk_deposit_limits_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT ck_deposit_limits_period CHECK (period IN ('day', 'week', 'month')),
    CONSTRAINT ck_deposit_limits_set_by CHECK (set_by IN ('player', 'operator')),
    -- NULL: from then on no limit.
    CONSTRAINT ck_deposit_limits_amount CHECK (amount_units >= 0),
    CONSTRAINT ck_deposit_limits_order CHECK (effective_at >= requested_at),
    -- What has taken effect stays written; only what is still pending can be taken back.
    CONSTRAINT ck_deposit_limits_cancel CHECK (cancelled_at < effective_at)
);
CREATE INDEX ix_deposit_limits_player_id_id ON deposit_limits (player_id, id);

CREATE TABLE exclusions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    kind text NOT NULL,
    requested_by text NOT NULL,
    reason text NOT NULL DEFAULT '',
    starts_at timestamptz NOT NULL,
    -- NULL: without end.
    ends_at timestamptz,
    -- When stakes were allowed again after the end (wallet's flag); the exclusion itself ends at ends_at.
    settled_at timestamptz,
    CONSTRAINT pk_exclusions PRIMARY KEY (id),
    CONSTRAINT fk_exclusions_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT ck_exclusions_kind CHECK (kind IN ('time_out', 'self_exclusion', 'operator_exclusion')),
    CONSTRAINT ck_exclusions_requested_by CHECK (requested_by IN ('player', 'staff', 'system')),
    CONSTRAINT ck_exclusions_span CHECK (ends_at > starts_at)
);
CREATE INDEX ix_exclusions_player_id_id ON exclusions (player_id, id);
CREATE INDEX ix_exclusions_ending ON exclusions (ends_at) WHERE settled_at IS NULL AND ends_at IS NOT NULL;

CREATE TABLE identity_cases (
    id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    integration_id integer NOT NULL,
    vendor text NOT NULL,
    reference text NOT NULL,
    order_id text,
    status text NOT NULL,
    refusal text,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT pk_identity_cases PRIMARY KEY (id),
    CONSTRAINT fk_identity_cases_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT uq_identity_cases_reference UNIQUE (reference),
    CONSTRAINT uq_identity_cases_integration_id_order_id UNIQUE (integration_id, order_id),
    CONSTRAINT ck_identity_cases_status CHECK (status IN
        ('opening', 'pending', 'verified', 'refused', 'cancelled', 'expired', 'failed')),
    CONSTRAINT ck_identity_cases_refusal CHECK ((status = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT ck_identity_cases_order CHECK (order_id IS NOT NULL OR status IN ('opening', 'failed'))
);
CREATE INDEX ix_identity_cases_player_id_id ON identity_cases (player_id, id);

GRANT SELECT, INSERT, UPDATE ON deposit_limits, exclusions, identity_cases TO __APP__;
GRANT SELECT ON deposit_limits, exclusions, identity_cases TO __AUDIT__;
