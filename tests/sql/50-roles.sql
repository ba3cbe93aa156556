-- Each role may do what its program needs and nothing else.
BEGIN;
SELECT plan(10);

-- role, what it tries, whether it may
CREATE TEMP TABLE attempt (role text, statement text, may boolean);
INSERT INTO attempt
SELECT role, statement, role = ANY(allowed)
FROM unnest(ARRAY['mamori_chat', 'mamori_analyze', 'mamori_health', 'mamori_admin',
		  'mamori_conversations', 'mamori_desk']) AS role,
     (VALUES
	($$SELECT mamori.apply_turns('[]')$$, ARRAY['mamori_chat']),
	($$SELECT mamori.apply_analyses('[]')$$, ARRAY['mamori_analyze']),
	($$SELECT * FROM mamori.load_conversation(gen_random_uuid(), 5)$$, ARRAY['mamori_chat']),
	($$SELECT mamori.conversation_owner(gen_random_uuid())$$, ARRAY['mamori_chat']),
	($$SELECT max(number) FROM mamori.migrations$$, ARRAY['mamori_health', 'mamori_admin']),
	($$SELECT count(*) FROM mamori.messages$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.conversations$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.harassment_events$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.analysis_logs$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.handoffs$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.daily_metrics$$, ARRAY['mamori_admin']),
	($$SELECT mamori.ensure_partitions(3)$$, ARRAY['mamori_admin']),
	($$SELECT mamori.drop_partitions('2001-01-01')$$, ARRAY['mamori_admin']),
	($$SELECT mamori.refresh_metrics()$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.handoff_repeats$$, ARRAY['mamori_admin']),
	($$SELECT mamori.keep_turns('[]')$$, ARRAY['mamori_chat']),
	($$SELECT mamori.customer_messages(gen_random_uuid(), NULL, 1)$$, ARRAY['mamori_conversations']),
	($$SELECT mamori.desk_list(true, 1)$$, ARRAY['mamori_desk']),
	($$SELECT mamori.desk_show(gen_random_uuid(), 1)$$, ARRAY['mamori_desk']),
	($$SELECT mamori.desk_accept(gen_random_uuid(), 0, 'a', gen_random_uuid(), NULL, NULL)$$,
	 ARRAY['mamori_desk']),
	($$SELECT mamori.desk_reply(gen_random_uuid(), 0, 'a', gen_random_uuid(), NULL, '')$$,
	 ARRAY['mamori_desk']),
	($$SELECT mamori.desk_end(gen_random_uuid(), 0, 'a', gen_random_uuid(), 'return', NULL)$$,
	 ARRAY['mamori_desk']),
	($$SELECT count(*) FROM mamori.conversation_actions$$, ARRAY['mamori_admin']),
	($$SELECT mamori.lock_target(gen_random_uuid())$$, ARRAY[]::text[]),
	($$INSERT INTO mamori.conversation_actions DEFAULT VALUES$$, ARRAY[]::text[]),
	($$SELECT mamori.claim_turn('aa', 'bb', gen_random_uuid(), 1)$$, ARRAY['mamori_chat']),
	($$SELECT mamori.release_turn('aa', gen_random_uuid())$$, ARRAY['mamori_chat']),
	($$SELECT * FROM mamori.turn_state(gen_random_uuid(), 5)$$, ARRAY['mamori_chat']),
	($$SELECT mamori.begin_turn(gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'x', true, 1)$$,
	 ARRAY['mamori_chat']),
	($$SELECT mamori.take_joins(gen_random_uuid(), gen_random_uuid(), true)$$, ARRAY['mamori_chat']),
	($$SELECT mamori.end_turn(gen_random_uuid(), gen_random_uuid())$$, ARRAY['mamori_chat']),
	($$SELECT mamori.purge_turns(24)$$, ARRAY['mamori_admin']),
	($$DELETE FROM mamori.turn_keys$$, ARRAY[]::text[]),
	($$INSERT INTO mamori.notices VALUES (gen_random_uuid(), gen_random_uuid(), now())$$, ARRAY[]::text[]),
	($$SELECT mamori.store_turns('[]')$$, ARRAY[]::text[]),
	($$SELECT mamori.leave_behind('[]')$$, ARRAY[]::text[]),
	($$SELECT count(*) FROM mamori.kb_articles$$, ARRAY['mamori_admin']),
	($$SELECT count(*) FROM mamori.kb_gaps$$, ARRAY['mamori_admin']),
	($$SELECT mamori.load_articles()$$, ARRAY['mamori_chat', 'mamori_admin']),
	($$SELECT mamori.kb_version()$$, ARRAY['mamori_chat', 'mamori_admin']),
	($$SELECT mamori.import_articles('[]', false)$$, ARRAY['mamori_admin']),
	($$SELECT mamori.remove_articles('x')$$, ARRAY['mamori_admin']),
	($$SELECT mamori.trim_gaps(0)$$, ARRAY['mamori_admin']),
	($$SELECT mamori.check_kb_size()$$, ARRAY[]::text[]),
	($$UPDATE mamori.kb_state SET version = 1$$, ARRAY[]::text[]),
	($$DELETE FROM mamori.kb_articles$$, ARRAY[]::text[]),
	($$SELECT mamori.insert_gaps('[]')$$, ARRAY[]::text[]),
	($$SELECT mamori.insert_turns('[]')$$, ARRAY[]::text[]),
	($$SELECT mamori.insert_handoffs('[]')$$, ARRAY[]::text[]),
	($$SELECT mamori.insert_analyses('[]')$$, ARRAY[]::text[]),
	($$SELECT mamori.make_partition('messages', '2031-01-01')$$, ARRAY[]::text[]),
	($$INSERT INTO mamori.migrations VALUES (999, 'x', 'x')$$, ARRAY[]::text[]),
	($$DELETE FROM mamori.messages$$, ARRAY[]::text[]),
	($$UPDATE mamori.conversations SET owner = 'bot'$$, ARRAY[]::text[]),
	($$TRUNCATE mamori.harassment_events$$, ARRAY[]::text[]),
	($$CREATE TABLE mamori.mine ()$$, ARRAY[]::text[]),
	($$CREATE FUNCTION mamori.mine() RETURNS integer LANGUAGE sql RETURN 1$$, ARRAY[]::text[]),
	($$SET ROLE mamori_owner$$, ARRAY[]::text[])) AS right_of (statement, allowed);

CREATE FUNCTION pg_temp.is_allowed(role text, statement text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', role);
	EXECUTE statement;
	SET LOCAL SESSION AUTHORIZATION DEFAULT;
	RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN false;
END
$$;

SELECT set_eq(format($$
	SELECT statement FROM attempt
	WHERE role = %1$L AND pg_temp.is_allowed(%1$L, statement)
$$, role), format('SELECT statement FROM attempt WHERE role = %L AND may', role), role)
FROM unnest(ARRAY['mamori_chat', 'mamori_analyze', 'mamori_health', 'mamori_admin',
		  'mamori_conversations', 'mamori_desk']) AS role;

SELECT is_empty($$
	SELECT rolname FROM pg_roles
	WHERE rolname LIKE 'mamori_%' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)
$$, 'no role has a privilege over the cluster');
SELECT is_empty($$
	SELECT rolname FROM pg_authid WHERE rolname LIKE 'mamori_%' AND rolpassword IS NOT NULL
$$, 'no role has a password');
SELECT is_empty($$
	SELECT oid::regprocedure FROM pg_proc
	WHERE pronamespace = 'mamori'::regnamespace
	  AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))
$$, 'no function is for everybody');
SELECT set_eq($$ SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'mamori_%' $$,
	      ARRAY['mamori_owner', 'mamori_chat', 'mamori_analyze', 'mamori_health',
		    'mamori_admin', 'mamori_conversations', 'mamori_desk'], 'the roles');

SELECT * FROM finish();
ROLLBACK;
