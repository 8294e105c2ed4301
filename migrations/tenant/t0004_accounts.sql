-- People: players and staff, what proves who they are, their sessions, what they agreed to. Passwords, tokens and national
-- identity numbers are stored only as hashes or sealed, in places that auditors cannot read.

CREATE TABLE players (
    id bigint GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    brand_id bigint NOT NULL,
    jurisdiction text NOT NULL,
    currency text NOT NULL,
    email text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date NOT NULL,
    country text NOT NULL,
    language text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    person_key bytea NOT NULL,
    national_id_key bytea,
    sealed_national_id text,
    verified_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_players PRIMARY KEY (id),
    CONSTRAINT uq_players_public_id UNIQUE (public_id),
    CONSTRAINT uq_players_brand_id_person_key UNIQUE (brand_id, person_key),
    CONSTRAINT uq_players_brand_id_national_id_key UNIQUE (brand_id, national_id_key),
    CONSTRAINT ck_players_status CHECK (status IN ('active', 'blocked', 'closed')),
    CONSTRAINT ck_players_country CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT ck_players_names CHECK (length(first_name) BETWEEN 1 AND 80 AND length(last_name) BETWEEN 1 AND 80),
    CONSTRAINT ck_players_email CHECK (length(email) BETWEEN 3 AND 254),
    -- Verified by an electronic id means: number known by its hash and kept sealed.
    CONSTRAINT ck_players_national_id CHECK ((national_id_key IS NULL) = (sealed_national_id IS NULL))
);
CREATE UNIQUE INDEX uq_players_brand_id_email ON players (brand_id, lower(email));
CREATE INDEX ix_players_lower_email ON players (lower(email) text_pattern_ops);
CREATE INDEX ix_players_lower_last_name ON players (lower(last_name) text_pattern_ops);

CREATE TABLE player_credentials (
    player_id bigint NOT NULL,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_player_credentials PRIMARY KEY (player_id),
    CONSTRAINT fk_player_credentials_player_id FOREIGN KEY (player_id) REFERENCES players (id)
);

CREATE TABLE player_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    token_hash bytea NOT NULL,
    player_id bigint NOT NULL,
    brand_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT pk_player_sessions PRIMARY KEY (id),
    CONSTRAINT uq_player_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_player_sessions_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT ck_player_sessions_end CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT ck_player_sessions_end_reason CHECK (end_reason IN ('signed_out', 'excluded', 'blocked', 'closed'))
) WITH (fillfactor = 80);
CREATE INDEX ix_player_sessions_player_id_id ON player_sessions (player_id, id);

CREATE TABLE consents (
    id bigint GENERATED ALWAYS AS IDENTITY,
    player_id bigint NOT NULL,
    document text NOT NULL,
    version text NOT NULL,
    accepted_at timestamptz NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (id),
    CONSTRAINT fk_consents_player_id FOREIGN KEY (player_id) REFERENCES players (id),
    CONSTRAINT uq_consents_player_id_document_version UNIQUE (player_id, document, version)
);

CREATE TABLE staff (
    id bigint GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_staff PRIMARY KEY (id),
    CONSTRAINT uq_staff_public_id UNIQUE (public_id),
    CONSTRAINT ck_staff_role CHECK (role IN
        ('operations', 'payments', 'compliance', 'support', 'finance', 'product', 'security', 'auditor')),
    CONSTRAINT ck_staff_status CHECK (status IN ('active', 'disabled'))
);
CREATE UNIQUE INDEX uq_staff_email ON staff (lower(email));

CREATE TABLE staff_credentials (
    staff_id bigint NOT NULL,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_staff_credentials PRIMARY KEY (staff_id),
    CONSTRAINT fk_staff_credentials_staff_id FOREIGN KEY (staff_id) REFERENCES staff (id)
);

CREATE TABLE staff_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    token_hash bytea NOT NULL,
    staff_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT pk_staff_sessions PRIMARY KEY (id),
    CONSTRAINT uq_staff_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_staff_sessions_staff_id FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT ck_staff_sessions_end CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT ck_staff_sessions_end_reason CHECK (end_reason IN ('signed_out', 'disabled'))
) WITH (fillfactor = 80);
CREATE INDEX ix_staff_sessions_staff_id_id ON staff_sessions (staff_id, id);

-- Every try to sign in, whether such an account exists or not: the address only as a keyed hash. A row is written as failed
-- before the password is looked at, so that tries made at the same moment cannot exceed the allowance.
CREATE TABLE sign_in_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account_key bytea NOT NULL,
    ip text NOT NULL,
    attempted_at timestamptz NOT NULL,
    succeeded boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_sign_in_attempts PRIMARY KEY (id),
    CONSTRAINT ck_sign_in_attempts_ip CHECK (length(ip) <= 64)
);
CREATE INDEX ix_sign_in_attempts_account_key_ip_attempted_at ON sign_in_attempts (account_key, ip, attempted_at);
CREATE INDEX ix_sign_in_attempts_attempted_at ON sign_in_attempts (attempted_at);

GRANT SELECT, INSERT, UPDATE ON players, player_credentials, player_sessions, staff, staff_credentials, staff_sessions
    TO __APP__;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO __APP__;
GRANT SELECT, INSERT ON consents TO __APP__;

GRANT SELECT (id, public_id, brand_id, jurisdiction, currency, email, first_name, last_name, birth_date, country, language,
              status, verified_at, created_at) ON players TO __AUDIT__;
GRANT SELECT (id, player_id, brand_id, created_at, last_seen_at, expires_at, ended_at, end_reason) ON player_sessions
    TO __AUDIT__;
GRANT SELECT (id, staff_id, created_at, last_seen_at, expires_at, ended_at, end_reason) ON staff_sessions TO __AUDIT__;
GRANT SELECT ON consents, staff TO __AUDIT__;
GRANT SELECT (id, ip, attempted_at, succeeded) ON sign_in_attempts TO __AUDIT__;
