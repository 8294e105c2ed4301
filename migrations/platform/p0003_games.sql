-- The game library: what providers offer. Which tenant may offer a title follows from its active integrations.

CREATE TABLE platform.titles (
    id bigint GENERATED ALWAYS AS IDENTITY,
    vendor text NOT NULL,
    studio text NOT NULL,
    code text NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    rtp text NOT NULL,
    volatility text NOT NULL,
    min_stake text NOT NULL,
    max_stake text NOT NULL,
    features text[] NOT NULL DEFAULT '{}',
    description text NOT NULL DEFAULT '',
    art_url text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    added_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_titles PRIMARY KEY (id),
    CONSTRAINT uq_titles_vendor_studio_code UNIQUE (vendor, studio, code),
    CONSTRAINT ck_titles_kind CHECK (kind IN ('slot', 'table', 'live')),
    CONSTRAINT ck_titles_status CHECK (status IN ('active', 'withdrawn'))
);
CREATE INDEX ix_titles_code ON platform.titles (code);

GRANT SELECT, INSERT, UPDATE ON platform.titles TO __PLATFORM__;
GRANT SELECT ON platform.titles TO __AUDIT__;
