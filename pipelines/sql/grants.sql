-- Two roles: the one that migrates owns the tables; the other is the application.
-- The application reads, inserts and updates. It deletes only in tables of libraries whose rows have
-- no history, it never truncates, and append-only tables take its INSERT and SELECT alone.

CREATE OR REPLACE FUNCTION application_role() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT :application_role $$;

DO $$
DECLARE
    role text := application_role();
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role) THEN
        RAISE EXCEPTION 'The database role "%" is missing.', role
            USING HINT = format('Create the application role first: CREATE ROLE %I LOGIN PASSWORD ''...'';', role);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO %I', role);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', role);
    EXECUTE format('REVOKE INSERT, UPDATE ON django_migrations FROM %I', role);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM %I', role);
    EXECUTE format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO %I', role);
    EXECUTE format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I', role);
END
$$;

-- Lets the application delete in those of the named tables that exist.
CREATE OR REPLACE FUNCTION allow_delete(VARIADIC names text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF to_regclass(name) IS NOT NULL THEN
            EXECUTE format('GRANT DELETE ON %s TO %I', to_regclass(name), application_role());
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION allow_delete(text[]) FROM PUBLIC;

SELECT allow_delete(
    'django_session',
    'account_emailaddress', 'account_emailconfirmation',
    'mfa_authenticator',
    'usersessions_usersession',
    'socialaccount_socialaccount', 'socialaccount_socialtoken', 'socialaccount_socialapp',
    'auth_group_permissions', 'pipelines_user_groups', 'pipelines_user_user_permissions'
);
