-- The audit log: who did what, why, with the values before and after. Append-only and hash-chained.
--
-- hash = SHA-256(hash_prev || canonical JSON of the entry, with the tenant's slug and the sequence number inside). The head
-- row is the lock that orders the entries of one tenant, and remembers the chain's end, so that a cut tail is seen.

CREATE TABLE audit_log (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL DEFAULT '',
    before jsonb,
    after jsonb,
    trace text NOT NULL DEFAULT '',
    hash_prev bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (seq),
    CONSTRAINT ck_audit_log_seq CHECK (seq > 0),
    CONSTRAINT ck_audit_log_action CHECK (action ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'),
    CONSTRAINT ck_audit_log_hash CHECK (octet_length(hash_prev) = 32 AND octet_length(hash) = 32),
    CONSTRAINT ck_audit_log_actor_kind CHECK (actor_kind IN ('player', 'staff', 'supplier', 'vendor', 'system', 'machine'))
);
CREATE INDEX ix_audit_log_subject_seq ON audit_log (subject, seq);
CREATE INDEX ix_audit_log_action_seq ON audit_log (action, seq);
CREATE INDEX ix_audit_log_actor_id_seq ON audit_log (actor_id, seq);

CREATE TABLE audit_head (
    id smallint NOT NULL DEFAULT 1,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_head PRIMARY KEY (id),
    CONSTRAINT ck_audit_head_single CHECK (id = 1),
    CONSTRAINT ck_audit_head_hash CHECK (octet_length(hash) = 32)
);
INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Refuses for everyone, owner and administrator included: rights can be granted by mistake, a trigger has to be taken away.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only (% on %)', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- The head moves forward by one, never back.
CREATE FUNCTION audit_forward() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.seq <> OLD.seq + 1 THEN
        RAISE EXCEPTION 'the audit chain moves forward by one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_forward();
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

REVOKE ALL ON FUNCTION audit_refuse(), audit_forward() FROM PUBLIC;
GRANT SELECT, INSERT ON audit_log TO __APP__;
GRANT SELECT, UPDATE ON audit_head TO __APP__;
GRANT SELECT ON audit_log, audit_head TO __AUDIT__;
