-- name: roles
SELECT rolname FROM pg_roles
WHERE rolname = ANY($1::text[]) AND pg_has_role(current_user, oid, 'MEMBER')

-- name: statements
-- What the role $1 may do in the schemas $2: everything with rows, but for what the tables' own
-- triggers refuse. A table whose rows never change has a trigger on UPDATE that calls a function
-- named refuse_change; where that is on some columns, the others may be updated. Partitions are
-- reached through their parents alone; what strayed into a default one is counted there. Views are
-- read. What runs with the owner's rights is nobody else's to call: a restored dump knows no grants.
-- Nobody makes temporary tables or functions: the product has none, and the reader may not.
WITH tables AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($2::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
), refused AS (
    SELECT t.tgrelid AS oid,
           bool_or(t.tgtype & 16 <> 0 AND cardinality(t.tgattr::int2[]) = 0) AS updates,
           bool_or(t.tgtype & 16 <> 0) AS some_updates,
           bool_or(t.tgtype & 8 <> 0) AS deletes,
           (SELECT array_agg(DISTINCT attribute)
            FROM pg_trigger each JOIN pg_proc f ON f.oid = each.tgfoid,
                 unnest(each.tgattr::int2[]) AS attribute
            WHERE each.tgrelid = t.tgrelid AND f.proname = 'refuse_change') AS columns
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE p.proname = 'refuse_change' GROUP BY t.tgrelid
)
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, $1::text) AS statement, 1 AS turn
FROM pg_namespace WHERE nspname = ANY($2::text[])
UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure), 1
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY($2::text[]) AND p.prosecdef
UNION ALL
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', d.datname), 1
FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS acl
WHERE d.datname = current_database() AND pg_has_role(d.datdba, 'USAGE')
  AND acl.grantee = 0 AND acl.privilege_type = 'TEMPORARY'
UNION ALL
SELECT format('REVOKE ALL ON TABLE %s FROM %I', name, $1::text), 2 FROM tables
UNION ALL
SELECT format('GRANT SELECT, INSERT%s%s ON TABLE %s TO %I',
              CASE WHEN coalesce(r.some_updates, false) THEN '' ELSE ', UPDATE' END,
              CASE WHEN coalesce(r.deletes, false) THEN '' ELSE ', DELETE' END, name, $1::text), 3
FROM tables t LEFT JOIN refused r USING (oid)
UNION ALL
SELECT format('GRANT UPDATE (%s) ON TABLE %s TO %I',
              string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), t.name, $1::text), 4
FROM tables t JOIN refused r USING (oid) JOIN pg_attribute a ON a.attrelid = t.oid
WHERE r.some_updates AND NOT r.updates AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT a.attnum = ANY(r.columns)
GROUP BY t.name
UNION ALL
SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, $1::text), 5
FROM pg_namespace WHERE nspname = ANY($2::text[])
UNION ALL
SELECT format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO %I', nspname, $1::text), 5
FROM pg_namespace WHERE nspname = ANY($2::text[])
UNION ALL
SELECT format('GRANT SELECT ON TABLE %I.%I TO %I', n.nspname, c.relname, $1::text), 6
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY($2::text[]) AND c.relkind = 'r'
  AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
UNION ALL
SELECT format('GRANT SELECT ON TABLE %I.%I TO %I', schemaname, viewname, $1::text), 6
FROM pg_views WHERE schemaname = ANY($2::text[])
UNION ALL
SELECT format('GRANT SELECT ON TABLE public.schema_migrations TO %I', $1::text), 6
ORDER BY turn, statement

-- name: unprotected
-- Tables of $1 that have no row-level security yet.
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE format('%I.%I', n.nspname, c.relname) = ANY($1::text[]) AND NOT c.relrowsecurity
ORDER BY 1

-- name: policies
-- Policies that are there, as "table policy".
SELECT format('%I.%I %s', schemaname, tablename, policyname) AS name FROM pg_policies
