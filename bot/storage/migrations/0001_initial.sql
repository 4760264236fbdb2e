-- What tables and columns mean is told in schema.sql.

CREATE TABLE contact_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    fingerprint TEXT NOT NULL
) STRICT;

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    sender TEXT NOT NULL,
    push INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0,
    session BLOB,
    forgotten_at INTEGER,
    UNIQUE (channel, account, sender)
) STRICT;

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    message BLOB,
    raw BLOB,
    address TEXT,
    error TEXT,
    UNIQUE (channel, account, dedupe_key)
) STRICT;
CREATE INDEX inbox_conversation ON inbox (conversation);
CREATE INDEX inbox_waiting ON inbox (conversation, id) WHERE state = 'waiting';

CREATE TABLE messages (
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    reply TEXT,
    ticket TEXT,
    staff_name TEXT NOT NULL,
    client_key TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    claim INTEGER,
    lease_until INTEGER,
    remote_id TEXT,
    error TEXT,
    UNIQUE (conversation, seq),
    FOREIGN KEY (conversation, seq) REFERENCES messages ON DELETE CASCADE
) STRICT;
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state = 'waiting';
CREATE UNIQUE INDEX outbox_claim ON outbox (claim) WHERE claim IS NOT NULL;

CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    topic TEXT NOT NULL,
    judgement TEXT NOT NULL,
    redacted TEXT NOT NULL,
    bundle TEXT NOT NULL
) STRICT;
CREATE INDEX answers_conversation ON answers (conversation);
CREATE INDEX answers_at ON answers (at);

CREATE TABLE staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active INTEGER NOT NULL,
    must_change INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_sessions (
    token_digest TEXT PRIMARY KEY,
    staff INTEGER NOT NULL REFERENCES staff,
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_sessions_staff ON staff_sessions (staff);

CREATE TABLE logins (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    login TEXT NOT NULL,
    address TEXT NOT NULL,
    ok INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_login ON logins (login, at);
CREATE INDEX logins_address ON logins (address, at);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    submission TEXT NOT NULL UNIQUE,
    conversation INTEGER REFERENCES conversations ON DELETE SET NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    topic TEXT NOT NULL,
    matter INTEGER NOT NULL,
    county TEXT,
    urgent INTEGER NOT NULL,
    talking INTEGER NOT NULL,
    owner INTEGER REFERENCES staff,
    opened_at INTEGER NOT NULL,
    due_at INTEGER,
    acted_at INTEGER NOT NULL,
    outcome TEXT,
    citations TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_conversation ON tickets (conversation);
CREATE INDEX tickets_state ON tickets (state, acted_at);

CREATE TABLE contacts (
    ticket TEXT PRIMARY KEY REFERENCES tickets (code),
    contact BLOB NOT NULL
) STRICT;

CREATE TABLE ticket_events (
    ticket TEXT NOT NULL REFERENCES tickets (code),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor INTEGER REFERENCES staff,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (ticket, seq)
) STRICT;
CREATE TRIGGER ticket_events_keep BEFORE DELETE ON ticket_events
BEGIN SELECT raise(ABORT, 'ticket_events is append-only'); END;
CREATE TRIGGER ticket_events_fixed BEFORE UPDATE ON ticket_events
BEGIN SELECT raise(ABORT, 'ticket_events is append-only'); END;

CREATE TABLE openings (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    conversation INTEGER REFERENCES conversations ON DELETE SET NULL,
    address TEXT
) STRICT;
CREATE INDEX openings_conversation ON openings (conversation, at);
CREATE INDEX openings_address ON openings (address, at);

CREATE TABLE channel_state (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor INTEGER REFERENCES staff,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_keep BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'audit is append-only'); END;
