-- apply_analyses and apply_turns: once is as good as twice, and counters tell the truth.
BEGIN;
SELECT plan(29);

SELECT is(tap.apply_analyses(tap.analysis(1), tap.analysis(2)), 2, 'two analyses');
SELECT is(tap.apply_analyses(tap.analysis(1), tap.analysis(2)), 0, 'the same again');
SELECT is(tap.apply_analyses(tap.analysis(2), tap.analysis(3), tap.analysis(3)), 1,
	  'overlapping, and one twice in a batch');
SELECT is(mamori.apply_analyses('[]'), 0, 'an empty batch');
SELECT results_eq(
	$$ SELECT text, severity::text, categories::text[], sentiment::text, signals::text[],
		  findings -> 0 ->> 'rule', conversation_id, engine
	   FROM mamori.analysis_logs WHERE id = tap.uuid_of(now(), 1) $$,
	$$ VALUES ('ふざけるな', 'high', ARRAY['verbal_abuse'], 'anger', ARRAY['urgent'], 'ja.x',
		   NULL::uuid, 'rules') $$, 'every field arrives');
SELECT is(tap.apply_analyses(tap.analysis(4, now(),
		'{"conversation_id":"11111111-1111-4111-8111-111111111111"}')), 1,
	  'an analysis of a conversation of another system');
SELECT is(tap.apply_analyses(tap.analysis(5, now(),
		'{"categories":null,"signals":null,"findings":null}')), 1, 'absent lists are empty');

CREATE FUNCTION pg_temp.conversation(number integer)
RETURNS TABLE (owner text, status text, priority text, max_severity text, messages integer,
	       of_customer integer, events integer)
LANGUAGE sql AS $$
	SELECT owner, status, priority::text, max_severity::text, message_count,
	       customer_message_count, harassment_count
	FROM mamori.conversations WHERE id = tap.uuid_of(now(), number)
$$;

SELECT is(tap.apply_turns(tap.turn(10, jsonb_build_array(tap.message(11)))), 1, 'a first message');
SELECT results_eq('SELECT * FROM pg_temp.conversation(10)',
		  $$ VALUES ('bot', 'open', 'normal', 'low', 1, 1, 0) $$, 'one message');
SELECT is(tap.apply_turns(tap.turn(10, jsonb_build_array(tap.message(12, 'bot')),
				   jsonb_build_array(tap.event(13, 11)), tap.handoff(14))), 3,
	  'reply, event and handoff');
SELECT results_eq('SELECT * FROM pg_temp.conversation(10)',
		  $$ VALUES ('human', 'waiting', 'high', 'high', 2, 1, 1) $$, 'handed over');
SELECT is(tap.apply_turns(tap.turn(10, jsonb_build_array(tap.message(11), tap.message(12, 'bot')),
				   jsonb_build_array(tap.event(13, 11)), tap.handoff(14))), 0,
	  'all of it again');
SELECT results_eq('SELECT * FROM pg_temp.conversation(10)',
		  $$ VALUES ('human', 'waiting', 'high', 'high', 2, 1, 1) $$, 'nothing doubled');
SELECT is(tap.apply_turns(
	tap.turn(10, jsonb_build_array(tap.message(12, 'bot'), tap.message(15))),
	tap.turn(10, jsonb_build_array(tap.message(15), tap.message(16))),
	tap.turn(20, jsonb_build_array(tap.message(21)))), 3, 'overlapping batch');
SELECT results_eq('SELECT * FROM pg_temp.conversation(10)',
		  $$ VALUES ('human', 'waiting', 'high', 'high', 4, 3, 1) $$, 'counted once');
SELECT is(mamori.apply_turns('[]'), 0, 'an empty batch');

-- Records of one conversation may come in any order.
SELECT is(tap.apply_turns(tap.turn(30, '[]', '[]', tap.handoff(31))), 1, 'a handoff before all');
SELECT is(tap.apply_turns(tap.turn(30, jsonb_build_array(tap.message(32)))), 1, 'then the message');
SELECT results_eq('SELECT * FROM pg_temp.conversation(30)',
		  $$ VALUES ('human', 'waiting', 'high', 'low', 1, 1, 0) $$, 'the same in the end');

-- A name that is said later is kept; one that is there stays.
SELECT tap.apply_turns(tap.turn(30, '[]', '[]', 'null', now(), '{"customer_name":"山田"}'));
SELECT tap.apply_turns(tap.turn(30, '[]', '[]', 'null', now(), '{"customer_name":"田中"}'));
SELECT is((SELECT customer_name FROM mamori.conversations WHERE id = tap.uuid_of(now(), 30)),
	  '山田', 'first name');

-- Priority and severity only rise; closed and assigned stay.
SELECT tap.apply_turns(tap.turn(40, jsonb_build_array(tap.message(41)), '[]',
				tap.handoff(42, now(), '{"priority":"urgent"}')));
UPDATE mamori.conversations SET status = 'assigned' WHERE id = tap.uuid_of(now(), 40);
SELECT tap.apply_turns(tap.turn(40, '[]', '[]', tap.handoff(43, now(), '{"priority":"normal"}')));
SELECT results_eq('SELECT * FROM pg_temp.conversation(40)',
		  $$ VALUES ('human', 'assigned', 'urgent', 'low', 1, 1, 0) $$, 'still assigned');
UPDATE mamori.conversations SET status = 'closed', closed_at = now()
WHERE id = tap.uuid_of(now(), 40);
SELECT tap.apply_turns(tap.turn(40, '[]', '[]', tap.handoff(44)));
SELECT results_eq('SELECT status FROM pg_temp.conversation(40)', $$ VALUES ('closed') $$,
		  'still closed');

SELECT throws_ok(format('SELECT tap.apply_turns(%s)', bad), state, NULL, bad)
FROM (VALUES
	($$tap.turn(50, jsonb_build_array(tap.message(51, 'ghost')))$$, '23514'),
	($$tap.turn(50, '[]', jsonb_build_array(tap.event(51, 1, now(), '{"severity":"low"}')))$$, '23514'),
	($$tap.turn(50, '[]', '[]', tap.handoff(51, now(), '{"reason":"boredom"}'))$$, '23514'),
	($$tap.turn(50, '[]', '[]', 'null', now(), '{"owner":"nobody"}')$$, '23514'),
	($$tap.turn(50, '[]', '[]', 'null', now(), '{"id":null}')$$, '23502'),
	($$tap.turn(50, '{"a":1}'), '1'::jsonb$$, '22023')) AS row (bad, state);
SELECT is_empty('SELECT * FROM pg_temp.conversation(50)', 'a refused batch leaves nothing');

SELECT * FROM finish();
ROLLBACK;
