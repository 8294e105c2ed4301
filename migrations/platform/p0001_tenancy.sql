-- The platform's own tables. Written by the platform role only; read by auditors. No tenant's schema refers to them.

CREATE TABLE platform.tenants (
    id bigint GENERATED ALWAYS AS IDENTITY,
    slug text NOT NULL,
    name text NOT NULL,
    legal jsonb NOT NULL DEFAULT '{}',
    schema text NOT NULL,
    alias text NOT NULL DEFAULT 'default',
    timezone text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    schema_revision text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_tenants PRIMARY KEY (id),
    CONSTRAINT uq_tenants_slug UNIQUE (slug),
    CONSTRAINT uq_tenants_schema UNIQUE (schema),
    CONSTRAINT ck_tenants_slug CHECK (slug ~ '^[a-z][a-z0-9-]{1,30}$'),
    CONSTRAINT ck_tenants_schema CHECK (schema ~ '^t_[a-z2-7]{12}$'),
    CONSTRAINT ck_tenants_status CHECK (status IN ('provisioning', 'active', 'suspended'))
);

CREATE TABLE platform.brands (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    theme text NOT NULL,
    preset text NOT NULL,
    look jsonb NOT NULL DEFAULT '{}',
    locales text[] NOT NULL,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_brands PRIMARY KEY (id),
    CONSTRAINT fk_brands_tenant_id FOREIGN KEY (tenant_id) REFERENCES platform.tenants (id),
    CONSTRAINT uq_brands_tenant_id_slug UNIQUE (tenant_id, slug),
    CONSTRAINT ck_brands_status CHECK (status IN ('active', 'closed'))
);

-- One host: a brand's site in one jurisdiction, an operator's back office, or the supplier's console.
CREATE TABLE platform.domains (
    id bigint GENERATED ALWAYS AS IDENTITY,
    host text NOT NULL,
    kind text NOT NULL,
    tenant_id bigint,
    brand_id bigint,
    jurisdiction text,
    currency text,
    status text NOT NULL DEFAULT 'active',
    verified_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_domains PRIMARY KEY (id),
    CONSTRAINT fk_domains_tenant_id FOREIGN KEY (tenant_id) REFERENCES platform.tenants (id),
    CONSTRAINT fk_domains_brand_id FOREIGN KEY (brand_id) REFERENCES platform.brands (id),
    CONSTRAINT uq_domains_host UNIQUE (host),
    CONSTRAINT ck_domains_kind CHECK (kind IN ('brand', 'backoffice', 'supplier')),
    CONSTRAINT ck_domains_host CHECK (host = lower(host) AND host !~ '[:/ ]'),
    CONSTRAINT ck_domains_shape CHECK (
        (kind = 'supplier' AND tenant_id IS NULL AND brand_id IS NULL)
        OR (kind = 'backoffice' AND tenant_id IS NOT NULL AND brand_id IS NULL)
        OR (kind = 'brand' AND tenant_id IS NOT NULL AND brand_id IS NOT NULL
            AND jurisdiction IS NOT NULL AND currency IS NOT NULL)
    )
);
CREATE INDEX ix_domains_tenant_id ON platform.domains (tenant_id);
CREATE INDEX ix_domains_brand_id ON platform.domains (brand_id);

-- An active connector: a tenant, a vendor and how to reach it. `id` is the journal's `source`; `public_id` is in the
-- callback's path. Secrets are sealed for this row.
CREATE TABLE platform.integrations (
    id integer GENERATED ALWAYS AS IDENTITY,
    public_id text NOT NULL,
    tenant_id bigint NOT NULL,
    kind text NOT NULL,
    vendor text NOT NULL,
    name text NOT NULL,
    config jsonb NOT NULL DEFAULT '{}',
    sealed_secrets text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_integrations PRIMARY KEY (id),
    CONSTRAINT fk_integrations_tenant_id FOREIGN KEY (tenant_id) REFERENCES platform.tenants (id),
    CONSTRAINT uq_integrations_public_id UNIQUE (public_id),
    CONSTRAINT uq_integrations_tenant_id_kind_name UNIQUE (tenant_id, kind, name),
    CONSTRAINT ck_integrations_kind CHECK (kind IN ('play', 'pay', 'kyc', 'message')),
    CONSTRAINT ck_integrations_status CHECK (status IN ('active', 'stopped'))
);

CREATE TABLE platform.supplier_staff (
    id bigint GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_supplier_staff PRIMARY KEY (id),
    CONSTRAINT uq_supplier_staff_email UNIQUE (email),
    CONSTRAINT ck_supplier_staff_status CHECK (status IN ('active', 'disabled'))
);

CREATE TABLE platform.supplier_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    token_hash bytea NOT NULL,
    staff_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_supplier_sessions PRIMARY KEY (id),
    CONSTRAINT fk_supplier_sessions_staff_id FOREIGN KEY (staff_id) REFERENCES platform.supplier_staff (id),
    CONSTRAINT uq_supplier_sessions_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_supplier_sessions_staff_id ON platform.supplier_sessions (staff_id);

GRANT SELECT, INSERT, UPDATE ON platform.tenants, platform.brands, platform.domains, platform.integrations,
    platform.supplier_staff TO __PLATFORM__;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.supplier_sessions TO __PLATFORM__;
GRANT DELETE ON platform.domains TO __PLATFORM__;
-- Auditors read everything but what opens doors: sealed secrets, password hashes and sessions.
GRANT SELECT ON platform.tenants, platform.brands, platform.domains TO __AUDIT__;
GRANT SELECT (id, public_id, tenant_id, kind, vendor, name, config, status, created_at) ON platform.integrations TO __AUDIT__;
GRANT SELECT (id, email, name, role, status, created_at) ON platform.supplier_staff TO __AUDIT__;
