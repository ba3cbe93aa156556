-- One open handoff a conversation: the first stays, later ones are kept beside it.
BEGIN;
SELECT plan(22);

CREATE FUNCTION pg_temp.number_of(id uuid) RETURNS integer LANGUAGE sql
RETURN ('x' || right(id::text, 8))::bit(32)::integer;
CREATE FUNCTION pg_temp.handoffs(number integer)
RETURNS TABLE (handoff integer, reason text, priority text, status text)
LANGUAGE sql AS $$
	SELECT pg_temp.number_of(id), reason, priority::text, status FROM mamori.handoffs
	WHERE conversation_id = tap.uuid_of(now(), number) ORDER BY id
$$;
CREATE FUNCTION pg_temp.repeats(number integer)
RETURNS TABLE (repeat integer, handoff integer, reason text, priority text)
LANGUAGE sql AS $$
	SELECT pg_temp.number_of(r.id), pg_temp.number_of(h.id), r.reason, r.priority::text
	FROM mamori.handoff_repeats AS r JOIN mamori.handoffs AS h ON h.id = handoff_id
	WHERE conversation_id = tap.uuid_of(now(), number) ORDER BY r.id
$$;
CREATE FUNCTION pg_temp.hand_over(conversation integer, handoff integer, priority text)
RETURNS integer LANGUAGE sql AS $$
	SELECT tap.apply_turns(tap.turn(conversation, '[]', '[]',
		tap.handoff(handoff, now(), jsonb_build_object('priority', priority))))
$$;

-- One after the other.
SELECT is(pg_temp.hand_over(1, 11, 'high'), 1, 'the first');
SELECT is(pg_temp.hand_over(1, 12, 'normal'), 1, 'a second is kept');
SELECT results_eq('SELECT * FROM pg_temp.handoffs(1)',
		  $$ VALUES (11, 'severity', 'high', 'waiting') $$, 'one is open');
SELECT results_eq('SELECT * FROM pg_temp.repeats(1)',
		  $$ VALUES (12, 11, 'severity', 'normal') $$, 'the second stands beside it');
SELECT is(pg_temp.hand_over(1, 12, 'normal') + pg_temp.hand_over(1, 11, 'high'), 0, 'both again');
UPDATE mamori.handoffs SET status = 'assigned' WHERE id = tap.uuid_of(now(), 11);
SELECT is(pg_temp.hand_over(1, 13, 'urgent'), 1, 'a person has it and it turns urgent');
SELECT results_eq('SELECT * FROM pg_temp.handoffs(1)',
		  $$ VALUES (11, 'severity', 'urgent', 'assigned') $$, 'the open one is urgent');
SELECT results_eq($$ SELECT priority::text, owner, status FROM mamori.conversations
		     WHERE id = tap.uuid_of(now(), 1) $$,
		  $$ VALUES ('urgent', 'human', 'waiting') $$, 'and its conversation');

-- After the first is done a new one opens, and what is known is not opened again.
UPDATE mamori.handoffs SET status = 'resolved', resolved_at = now() WHERE id = tap.uuid_of(now(), 11);
UPDATE mamori.conversations SET owner = 'bot', status = 'open', priority = 'normal'
WHERE id = tap.uuid_of(now(), 1);
SELECT is(pg_temp.hand_over(1, 11, 'high') + pg_temp.hand_over(1, 13, 'urgent'), 0,
	  'replayed after the end');
SELECT results_eq($$ SELECT priority::text, owner, status FROM mamori.conversations
		     WHERE id = tap.uuid_of(now(), 1) $$,
		  $$ VALUES ('normal', 'bot', 'open') $$, 'the bot keeps it');
SELECT is(pg_temp.hand_over(1, 14, 'normal'), 1, 'handed over another time');
SELECT results_eq('SELECT * FROM pg_temp.handoffs(1)',
		  $$ VALUES (11, 'severity', 'urgent', 'resolved'),
			    (14, 'severity', 'normal', 'waiting') $$, 'another one');

-- In one batch: the first by its id, with the highest priority of all.
SELECT is(tap.apply_turns(
	tap.turn(2, '[]', '[]', tap.handoff(22, now(), '{"priority":"urgent","reason":"self_harm"}')),
	tap.turn(2, jsonb_build_array(tap.message(29)), '[]', tap.handoff(21)),
	tap.turn(2, '[]', '[]', tap.handoff(21)),
	tap.turn(3, '[]', '[]', tap.handoff(31))), 4, 'a batch of two conversations');
SELECT results_eq('SELECT * FROM pg_temp.handoffs(2)',
		  $$ VALUES (21, 'severity', 'urgent', 'waiting') $$, 'the first');
SELECT results_eq('SELECT * FROM pg_temp.repeats(2)',
		  $$ VALUES (22, 21, 'self_harm', 'urgent') $$, 'the other');
SELECT results_eq('SELECT * FROM pg_temp.handoffs(3)',
		  $$ VALUES (31, 'severity', 'high', 'waiting') $$, 'not the other conversation''s');

SELECT throws_ok($$ SELECT tap.apply_turns(tap.turn(2, '[]', '[]',
			tap.handoff(24, now(), '{"reason":"boredom"}'))) $$, '23514', NULL,
		 'a repeat without a reason is refused like a handoff');
SELECT throws_ok($$ INSERT INTO mamori.handoffs (id, conversation_id, at, reason, priority, summary)
		    VALUES (gen_random_uuid(), tap.uuid_of(now(), 2), now(), 'anger', 'high', '') $$,
		 '23505', NULL, 'the index holds for everybody');

-- What the migration made of before-005.psql.
CREATE FUNCTION pg_temp.old(id uuid) RETURNS integer LANGUAGE sql
RETURN right(id::text, 12)::integer;
SELECT results_eq($$
	SELECT pg_temp.old(conversation_id), pg_temp.old(id), reason, priority::text, status
	FROM mamori.handoffs WHERE id::text LIKE '01770000-0000-7000-8000-%' ORDER BY id
$$, $$ VALUES (1, 11, 'severity', 'urgent', 'waiting'), (1, 13, 'anger', 'normal', 'resolved'),
	      (2, 22, 'human_requested', 'high', 'assigned'), (3, 31, 'fallback', 'normal', 'resolved'),
	      (3, 32, 'fallback', 'normal', 'waiting') $$, 'old: one is open');
SELECT results_eq($$
	SELECT pg_temp.old(id), pg_temp.old(handoff_id), reason, priority::text,
	       context ->> 'assigned_to'
	FROM mamori.handoff_repeats WHERE id::text LIKE '01770000-0000-7000-8000-%' ORDER BY id
$$, $$ VALUES (12, 11, 'self_harm', 'urgent', NULL), (21, 22, 'anger', 'high', NULL),
	      (23, 22, 'human_requested', 'normal', '鈴木') $$, 'old: the others are kept');

-- Of four writers (concurrent.psql) that handed the same conversations over, each its own handoff.
SELECT results_eq($$
	SELECT count(*), count(DISTINCT conversation_id) FROM mamori.handoffs,
	       date_trunc('day', now(), 'UTC') AS day
	WHERE conversation_id BETWEEN tap.uuid_of(day, 95000) AND tap.uuid_of(day, 95019)
$$, 'VALUES (20::bigint, 20::bigint)', 'writers: one each');
SELECT is((SELECT count(*)::integer
	   FROM mamori.handoff_repeats AS r JOIN mamori.handoffs AS h ON h.id = handoff_id,
		date_trunc('day', now(), 'UTC') AS day
	   WHERE conversation_id BETWEEN tap.uuid_of(day, 95000) AND tap.uuid_of(day, 95019)), 60,
	  'writers: the others are kept');

SELECT * FROM finish();
ROLLBACK;
