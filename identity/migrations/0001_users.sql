-- Users. Rows are never removed: a deleted user keeps its row for the ledger's and the audit's sake.

CREATE SCHEMA identity;

CREATE TABLE identity.users (
    user_id uuid PRIMARY KEY,  -- version 7, so its order is the order of creation
    email text COLLATE "C" NOT NULL CHECK (octet_length(email) BETWEEN 3 AND 254),
    password_hash text NOT NULL,
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 2 AND 32),
    display_name_folded text COLLATE "C" NOT NULL,  -- what searches compare with
    roles text[] NOT NULL CHECK (
        cardinality(roles) BETWEEN 1 AND 4
        AND roles <@ ARRAY['viewer', 'streamer', 'moderator', 'admin']
    ),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    profile jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(profile) = 'object'),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);

-- COLLATE "C" compares code points: a prefix search is a range of these indexes.
CREATE UNIQUE INDEX users_email_active ON identity.users (email) WHERE deleted_at IS NULL;
CREATE INDEX users_name_active ON identity.users (display_name_folded) WHERE deleted_at IS NULL;
