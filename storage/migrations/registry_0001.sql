-- Format 1 of registry.db. Append-only: a later change is a new file, never an edit of this one.
-- Ids are 128 random bits (16 bytes), never rowids. `rev` counts the changes of a row (ETag).
-- Times are whole seconds since 1970 UTC unless the name ends in _us (microseconds) or _on (a date).

CREATE TABLE classes (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    ends_on TEXT,
    grace_days INTEGER NOT NULL DEFAULT 14,
    closed_at INTEGER,
    strict_isolation INTEGER NOT NULL DEFAULT 0,
    on_denied_publish TEXT NOT NULL DEFAULT 'ack' CHECK (on_denied_publish IN ('ack', 'disconnect')),
    things_per_project_max INTEGER NOT NULL,
    messages_per_second INTEGER NOT NULL,
    burst INTEGER NOT NULL,
    payload_bytes_max INTEGER NOT NULL,
    retained_per_thing_max INTEGER NOT NULL,
    queue_bytes_per_session_max INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;

CREATE TABLE students (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    class_id BLOB NOT NULL REFERENCES classes (id),
    pseudonym TEXT NOT NULL,
    real_name TEXT,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    UNIQUE (class_id, pseudonym)
) STRICT;

CREATE TABLE projects (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    class_id BLOB NOT NULL REFERENCES classes (id),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    UNIQUE (class_id, name)
) STRICT;

-- A project belongs to a student or to a group of them.
CREATE TABLE project_students (
    project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    student_id BLOB NOT NULL REFERENCES students (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, student_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_students_by_student ON project_students (student_id);

-- class_id and project_id are both NULL for a classless thing, whose rights are its policies only.
CREATE TABLE things (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    class_id BLOB REFERENCES classes (id),
    project_id BLOB REFERENCES projects (id),
    name TEXT NOT NULL,
    aws_name TEXT NOT NULL UNIQUE,
    thing_type TEXT,
    board TEXT,
    attributes TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    CHECK ((class_id IS NULL) = (project_id IS NULL)),
    UNIQUE (class_id, project_id, name)
) STRICT;
CREATE INDEX things_by_project ON things (project_id);

CREATE TABLE thing_groups (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    parent_id BLOB REFERENCES thing_groups (id),
    attributes TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;

CREATE TABLE thing_group_members (
    group_id BLOB NOT NULL REFERENCES thing_groups (id) ON DELETE CASCADE,
    thing_id BLOB NOT NULL REFERENCES things (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, thing_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX thing_group_members_by_thing ON thing_group_members (thing_id);

-- Certificate authorities that are not ours: registered for flashed devices of another system.
CREATE TABLE foreign_cas (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    pem TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
    auto_registration INTEGER NOT NULL DEFAULT 0,
    not_after INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;

-- fingerprint, pem and not_after are NULL while a serial is only reserved (status pending).
-- entry_id: the certificate entry, handed on at renewal, so that the session scope survives it.
CREATE TABLE certificates (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    entry_id BLOB NOT NULL CHECK (length(entry_id) = 16),
    issuer TEXT NOT NULL,
    serial TEXT NOT NULL,
    fingerprint BLOB UNIQUE CHECK (fingerprint IS NULL OR length(fingerprint) = 32),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'revoked', 'inactive')),
    origin TEXT NOT NULL CHECK (origin IN ('server_key', 'csr', 'foreign')),
    key_type TEXT NOT NULL,
    not_before INTEGER,
    not_after INTEGER,
    pem TEXT,
    service TEXT,
    foreign_ca_id BLOB REFERENCES foreign_cas (id),
    renewed_from BLOB REFERENCES certificates (id),
    revoked_at INTEGER,
    revoke_reason TEXT,
    created_us INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    UNIQUE (issuer, serial),
    CHECK (status = 'pending' OR (fingerprint IS NOT NULL AND pem IS NOT NULL AND not_after IS NOT NULL))
) STRICT;
CREATE INDEX certificates_by_creation ON certificates (created_us, id);
CREATE INDEX certificates_by_end ON certificates (not_after) WHERE status = 'active';
CREATE INDEX certificates_pending ON certificates (created_us) WHERE status = 'pending';

CREATE TABLE certificate_things (
    certificate_id BLOB NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    thing_id BLOB NOT NULL REFERENCES things (id) ON DELETE CASCADE,
    PRIMARY KEY (certificate_id, thing_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_things_by_thing ON certificate_things (thing_id);

CREATE TABLE policies (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    default_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    policy_id BLOB NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (policy_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachments (
    policy_id BLOB NOT NULL REFERENCES policies (id),
    target_kind TEXT NOT NULL
        CHECK (target_kind IN ('certificate', 'thing', 'project', 'class', 'group', 'user')),
    target_id BLOB NOT NULL CHECK (length(target_id) = 16),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (policy_id, target_kind, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_target ON attachments (target_kind, target_id);

CREATE TABLE users (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    user_id BLOB REFERENCES users (id),
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    role TEXT NOT NULL,
    class_id BLOB REFERENCES classes (id),
    project_id BLOB REFERENCES projects (id),
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    created_us INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_by_creation ON tokens (created_us, id);

-- hash = SHA-256(hash of the entry before || this entry), so that a cut or changed entry is found.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- AUTOINCREMENT: a number is never used twice, also after old events were removed.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published = 0;

CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 BLOB NOT NULL CHECK (length(request_sha256) = 32),
    answer TEXT NOT NULL,
    key_handed_out INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
