-- The schema that all migrations together make, and what it means. A migration changes it:
-- write the new state here as well; a test compares the two.
--
-- Times are whole microseconds since 1970-01-01 UTC; booleans are 0 and 1; documents are JSON.
-- "sealed" columns are encrypted with the contact key, which lies outside the database.
-- Classes of data: public, internal, personal (points to a person), sensitive (their trouble,
-- contact data). Whatever is personal or sensitive is deleted with its conversation.

-- Which contact key this database belongs to.
CREATE TABLE contact_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    fingerprint TEXT NOT NULL                   -- internal; says nothing about the key
) STRICT;

-- One person in one channel. AUTOINCREMENT: an id is never used again, so that a page left
-- open after a deletion cannot show a stranger's conversation.
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,                      -- internal
    account TEXT NOT NULL,                      -- internal
    sender TEXT NOT NULL,                       -- personal
    push INTEGER NOT NULL,                      -- internal; replies go through the outbox
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0,
    session BLOB,                               -- sensitive, sealed
    forgotten_at INTEGER,                       -- only the farewell is left
    UNIQUE (channel, account, sender)
) STRICT;

-- Messages as they arrived; their words are dropped when their turn is committed. What is left
-- of a row recognises re-deliveries, also of a conversation that was deleted: then its number
-- points to nothing.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,                   -- internal; keyed digest: it may hold an account
    conversation INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    message BLOB,                               -- sensitive, sealed
    raw BLOB,                                   -- sensitive, sealed
    address TEXT,                               -- personal; keyed digest
    error TEXT,                                 -- internal; why it was parked
    UNIQUE (channel, account, dedupe_key)
) STRICT;
CREATE INDEX inbox_conversation ON inbox (conversation);
CREATE INDEX inbox_waiting ON inbox (conversation, id) WHERE state = 'waiting';

-- The lines of a conversation as people and staff see them.
CREATE TABLE messages (
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,                         -- sensitive
    reply TEXT,                                 -- sensitive; a `Reply`
    ticket TEXT,                                -- internal
    staff_name TEXT NOT NULL,
    client_key TEXT NOT NULL,                   -- internal
    PRIMARY KEY (conversation, seq)
) STRICT;

-- What push channels have to send. The words stand in `messages`.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    claim INTEGER,                              -- whoever knows this number may finish it
    lease_until INTEGER,
    remote_id TEXT,
    error TEXT,
    UNIQUE (conversation, seq),
    FOREIGN KEY (conversation, seq) REFERENCES messages ON DELETE CASCADE
) STRICT;
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state = 'waiting';
CREATE UNIQUE INDEX outbox_claim ON outbox (claim) WHERE claim IS NOT NULL;

-- What was judged, for statistics and the desk.
CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    topic TEXT NOT NULL,
    judgement TEXT NOT NULL,                    -- internal; a `Judgement`
    redacted TEXT NOT NULL,                     -- sensitive
    bundle TEXT NOT NULL
) STRICT;
CREATE INDEX answers_conversation ON answers (conversation);
CREATE INDEX answers_at ON answers (at);

CREATE TABLE staff (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE,                 -- internal
    name TEXT NOT NULL,                         -- internal
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,                -- internal, secret
    active INTEGER NOT NULL,
    must_change INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_sessions (
    token_digest TEXT PRIMARY KEY,              -- internal, secret
    staff INTEGER NOT NULL REFERENCES staff,
    csrf TEXT NOT NULL,                         -- internal, secret
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_sessions_staff ON staff_sessions (staff);

-- Attempts to log in. Digests only: people type passwords into the wrong field.
CREATE TABLE logins (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    login TEXT NOT NULL,                        -- internal; keyed digest
    address TEXT NOT NULL,                      -- internal; keyed digest
    ok INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_login ON logins (login, at);
CREATE INDEX logins_address ON logins (address, at);

-- A ticket outlives its conversation, but then holds nothing that points to a person.
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,                  -- internal
    submission TEXT NOT NULL UNIQUE,            -- internal; one ticket for one form
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
    citations TEXT NOT NULL,                    -- public; JSON list of ids
    consent_version TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_conversation ON tickets (conversation);
CREATE INDEX tickets_state ON tickets (state, acted_at);

CREATE TABLE contacts (
    ticket TEXT PRIMARY KEY REFERENCES tickets (code),
    contact BLOB NOT NULL                       -- sensitive, sealed; a `Contact`
) STRICT;

CREATE TABLE ticket_events (
    ticket TEXT NOT NULL REFERENCES tickets (code),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor INTEGER REFERENCES staff,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,                       -- internal; ids and codes only
    PRIMARY KEY (ticket, seq)
) STRICT;
CREATE TRIGGER ticket_events_keep BEFORE DELETE ON ticket_events
BEGIN SELECT raise(ABORT, 'ticket_events is append-only'); END;
CREATE TRIGGER ticket_events_fixed BEFORE UPDATE ON ticket_events
BEGIN SELECT raise(ABORT, 'ticket_events is append-only'); END;

-- Who opened how many tickets, for limits. Apart from the tickets, so that the limit of an
-- address outlives a deletion for its short term without pointing from a ticket to anybody.
CREATE TABLE openings (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    conversation INTEGER REFERENCES conversations ON DELETE SET NULL,
    address TEXT                                -- personal; keyed digest
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
    detail TEXT NOT NULL                        -- internal; ids and codes only
) STRICT;
CREATE TRIGGER audit_keep BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'audit is append-only'); END;

-- Which migrations have run.
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;
