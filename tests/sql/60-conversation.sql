-- load_conversation and conversation_owner: what a chat turn sees.
BEGIN;
SELECT plan(13);

SELECT is_empty('SELECT * FROM mamori.load_conversation(tap.uuid_of(now(), 1), 20)', 'none');
SELECT is(mamori.conversation_owner(tap.uuid_of(now(), 1)), NULL, 'no owner');

SELECT tap.apply_turns(tap.turn(1, '[]', '[]', 'null', now(), '{"customer_name":"山田"}'));
SELECT results_eq(
	$$ SELECT owner, created_at, customer_name, has_open_handoff, message_id
	   FROM mamori.load_conversation(tap.uuid_of(now(), 1), 20) $$,
	$$ VALUES ('bot', tap.ms_of(now()), '山田', false, NULL::uuid) $$, 'no message yet');

SELECT tap.apply_turns(tap.turn(1, jsonb_agg(tap.message(t,
	CASE t % 2 WHEN 0 THEN 'customer' ELSE 'bot' END, now(),
	jsonb_build_object('is_fallback', t % 2 = 1)))))
FROM generate_series(100, 129) AS t;
SELECT results_eq(
	$$ SELECT text FROM mamori.load_conversation(tap.uuid_of(now(), 1), 3) $$,
	$$ VALUES ('message 127'), ('message 128'), ('message 129') $$, 'newest, oldest first');
SELECT is((SELECT count(*)::integer FROM mamori.load_conversation(tap.uuid_of(now(), 1), 100)), 30,
	  'all');
SELECT is((SELECT count(message_id)::integer
	   FROM mamori.load_conversation(tap.uuid_of(now(), 1), n)), 0, 'limit ' || n)
FROM unnest(ARRAY[0, -1]) AS n;
SELECT results_eq(
	$$ SELECT role, severity, sentiment, is_fallback, at
	   FROM mamori.load_conversation(tap.uuid_of(now(), 1), 2) $$,
	$$ VALUES ('customer', 'low', 'negative', false, tap.ms_of(now())),
		  ('bot', NULL, NULL, true, tap.ms_of(now())) $$, 'each field');

-- A conversation over the end of a month is read from both partitions.
SELECT tap.apply_turns(tap.turn(2, jsonb_build_array(
	tap.message(3, 'customer', now() - interval '1 month'), tap.message(4))), tap.turn(5, '[]'));
UPDATE mamori.conversations SET created_at = now() - interval '1 month'
WHERE id = tap.uuid_of(now(), 2);
SELECT results_eq('SELECT text FROM mamori.load_conversation(tap.uuid_of(now(), 2), 20)',
		  $$ VALUES ('message 3'), ('message 4') $$, 'two months');

SELECT tap.apply_turns(tap.turn(1, '[]', '[]', tap.handoff(6)));
SELECT results_eq(
	$$ SELECT owner, has_open_handoff
	   FROM mamori.load_conversation(tap.uuid_of(now(), 1), 1) $$,
	$$ VALUES ('human', true) $$, 'handed over');
UPDATE mamori.handoffs SET status = 'resolved' WHERE id = tap.uuid_of(now(), 6);
SELECT results_eq(
	$$ SELECT owner, has_open_handoff
	   FROM mamori.load_conversation(tap.uuid_of(now(), 1), 1) $$,
	$$ VALUES ('human', false) $$, 'resolved');
UPDATE mamori.conversations SET status = 'closed', closed_at = now()
WHERE id = tap.uuid_of(now(), 1);
SELECT is(mamori.conversation_owner(tap.uuid_of(now(), 1)), 'closed', 'closed');
SELECT is(mamori.conversation_owner(tap.uuid_of(now(), 2)), 'bot', 'the bot''s');

SELECT * FROM finish();
ROLLBACK;
