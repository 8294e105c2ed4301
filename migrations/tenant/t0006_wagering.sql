-- Visits to games. Rounds and movements are the wallet's holds and journal.

CREATE TABLE play_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    player_id bigint NOT NULL,
    integration_id integer NOT NULL,
    game_code text NOT NULL,
    currency text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT pk_play_sessions PRIMARY KEY (id),
    CONSTRAINT uq_play_sessions_public_id UNIQUE (public_id),
    CONSTRAINT uq_play_sessions_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_play_sessions_player_id FOREIGN KEY (player_id) REFERENCES players (id)
);
CREATE INDEX ix_play_sessions_player_id ON play_sessions (player_id, id);

GRANT SELECT, INSERT, UPDATE ON play_sessions TO __APP__;
GRANT SELECT (id, public_id, player_id, integration_id, game_code, currency, started_at, expires_at, ended_at)
    ON play_sessions TO __AUDIT__;
