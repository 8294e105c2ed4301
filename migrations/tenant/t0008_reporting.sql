-- Daily totals: what moved, by day in the operator's time zone, currency and meaning. Folded from the journal in order,
-- exactly once per row (relay_cursors: stream journal, consumer reporting.daily_totals); recomputable at any time.

CREATE TABLE daily_totals (
    day date NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    postings bigint NOT NULL,
    units numeric(38, 0) NOT NULL,
    CONSTRAINT pk_daily_totals PRIMARY KEY (currency, day, kind),
    CONSTRAINT ck_daily_totals_postings CHECK (postings > 0),
    CONSTRAINT ck_daily_totals_units CHECK (units > 0)
);

GRANT SELECT, INSERT, UPDATE ON daily_totals TO __APP__;
GRANT SELECT ON daily_totals TO __AUDIT__;
