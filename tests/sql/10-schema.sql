-- Tables, keys, constraints and comments are what the documentation says.
BEGIN;
SELECT plan(45);

SELECT has_table('mamori'::name, name::name)
FROM unnest(ARRAY['conversations', 'messages', 'harassment_events', 'analysis_logs', 'handoffs',
		  'handoff_repeats', 'kb_articles', 'kb_gaps', 'kb_state', 'migrations']) AS name;
SELECT has_materialized_view('mamori'::name, 'daily_metrics'::name, 'daily_metrics');
SELECT col_is_pk('mamori'::name, name::name, 'id'::name, name)
FROM unnest(ARRAY['conversations', 'messages', 'harassment_events', 'analysis_logs', 'handoffs',
		  'handoff_repeats', 'kb_articles', 'kb_gaps']) AS name;
SELECT fk_ok('mamori'::name, name::name, 'conversation_id'::name,
	     'mamori'::name, 'conversations'::name, 'id'::name)
FROM unnest(ARRAY['messages', 'harassment_events', 'handoffs']) AS name;
SELECT col_isnt_fk('mamori'::name, 'analysis_logs'::name, 'conversation_id'::name);
SELECT is_partitioned('mamori'::name, 'messages'::name);
SELECT is_partitioned('mamori'::name, 'analysis_logs'::name);

SELECT is_empty($$
	SELECT c.relname, a.attname
	FROM pg_class AS c
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'mamori'::regnamespace AND c.relkind IN ('r', 'p', 'm')
	  AND NOT c.relispartition AND c.relname <> 'migrations'
	  AND col_description(c.oid, a.attnum) IS NULL
$$, 'every column has a comment');
SELECT is_empty($$
	SELECT oid::regclass FROM pg_class
	WHERE relnamespace = 'mamori'::regnamespace AND relkind IN ('r', 'p', 'm')
	  AND NOT relispartition AND obj_description(oid, 'pg_class') IS NULL
$$, 'every table has a comment');
SELECT is_empty($$
	SELECT oid::regprocedure FROM pg_proc
	WHERE pronamespace = 'mamori'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
$$, 'every function has a comment');
SELECT is_empty($$
	SELECT attrelid::regclass, attname FROM pg_attribute
	JOIN pg_class ON pg_class.oid = attrelid
	WHERE relnamespace = 'mamori'::regnamespace AND atttypid = 'timestamp'::regtype
$$, 'every time has a time zone');
SELECT is_empty($$
	SELECT oid::regprocedure FROM pg_proc
	WHERE pronamespace = 'mamori'::regnamespace AND prosecdef
	  AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']
$$, 'every SECURITY DEFINER function pins search_path');
SELECT is_empty($$
	SELECT oid::regclass FROM pg_class
	WHERE relnamespace = 'mamori'::regnamespace AND relowner <> 'mamori_owner'::regrole
$$, 'mamori_owner owns everything');

SELECT ok(mamori.uuid_at(moment) < tap.uuid_of(moment, 1)
	  AND mamori.uuid_time(tap.uuid_of(moment, 1)) = moment, moment::text)
FROM unnest(ARRAY['1970-01-01 00:00Z', '2026-11-30 23:59:59.999Z', '2026-12-01 00:00Z',
		  '2199-12-31 23:59:59.999Z']::timestamptz[]) AS moment;

-- A row with one bad value each; the good one goes in.
CREATE FUNCTION pg_temp.apply_with(changes jsonb) RETURNS integer LANGUAGE sql
AS $$ SELECT tap.apply_analyses(tap.analysis(1, now(), changes)) $$;
SELECT throws_ok(format('SELECT pg_temp.apply_with(%L)', bad), '23514', NULL, bad)
FROM unnest(ARRAY['{"severity":"huge"}', '{"sentiment":"sad"}', '{"risk":"5"}',
		  '{"categories":["threat","rude"]}', '{"signals":["x"]}',
		  '{"confidence":1.5}']) AS bad;
SELECT throws_ok(format('SELECT pg_temp.apply_with(%L)', bad), state, NULL, bad)
FROM (VALUES ('{"text":null}', '23502'), ('{"id":"x"}', '22P02'), ('{"at":"x"}', '22P02'))
	AS row (bad, state);
SELECT is(pg_temp.apply_with('{}'), 1, 'a good one');

SELECT * FROM finish();
ROLLBACK;
