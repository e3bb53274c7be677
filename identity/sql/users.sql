-- Every statement sees users that are not deleted, and only those.

-- name: insert
INSERT INTO identity.users (
    user_id, email, password_hash, display_name, display_name_folded, roles, created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING
RETURNING user_id, email, display_name, roles, status, created_at

-- name: by_id
SELECT user_id, email, display_name, roles, status, created_at
FROM identity.users
WHERE user_id = $1 AND deleted_at IS NULL

-- name: by_email
SELECT user_id, email, display_name, roles, status, created_at
FROM identity.users
WHERE email = $1 AND deleted_at IS NULL

-- name: credentials
SELECT user_id, password_hash
FROM identity.users
WHERE email = $1 AND deleted_at IS NULL

-- name: names
SELECT user_id, display_name
FROM identity.users
WHERE user_id = ANY($1::uuid[]) AND deleted_at IS NULL

-- name: page
SELECT user_id, email, display_name, roles, status, created_at
FROM identity.users
WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR user_id < $1)
ORDER BY user_id DESC
LIMIT $2

-- name: search
SELECT user_id, email, display_name, roles, status, created_at
FROM identity.users
WHERE deleted_at IS NULL
    AND ($1::uuid IS NULL OR user_id < $1)
    AND (email BETWEEN $3 AND $4 OR display_name_folded BETWEEN $3 AND $4)
ORDER BY user_id DESC
LIMIT $2

-- name: set_status
UPDATE identity.users
SET status = $2, updated_at = $3
WHERE user_id = $1 AND deleted_at IS NULL
RETURNING user_id, email, display_name, roles, status, created_at

-- name: set_roles
UPDATE identity.users
SET roles = $2, updated_at = $3
WHERE user_id = $1 AND deleted_at IS NULL
RETURNING user_id, email, display_name, roles, status, created_at

-- name: replace_hash
UPDATE identity.users
SET password_hash = $3, updated_at = $4
WHERE user_id = $1 AND password_hash = $2 AND deleted_at IS NULL
