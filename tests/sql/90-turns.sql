-- Claims on keys, answers for retries, notices, leases and what joins them, the count of turns.
BEGIN;
SELECT plan(53);

CREATE FUNCTION pg_temp.claim(key text, message text, holder integer, ms integer DEFAULT 30000)
RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', state, answer)
	FROM mamori.claim_turn(encode(key::bytea, 'hex'), encode(message::bytea, 'hex'),
			       tap.uuid_of(now(), holder), ms)
$$;
CREATE FUNCTION pg_temp.keyed(conversation integer, message integer, key text, text text, answer text)
RETURNS integer LANGUAGE sql AS $$
	SELECT mamori.apply_turns(json_build_array(
		tap.turn(conversation, jsonb_build_array(tap.message(message)))
		|| jsonb_build_object('idempotency', jsonb_build_object(
			'key', encode(key::bytea, 'hex'), 'message', encode(text::bytea, 'hex'),
			'answer', answer))))
$$;

-- Keys.
SELECT is(pg_temp.claim('k', 'hello', 1), 'claimed', 'the first claims');
SELECT is(pg_temp.claim('k', 'hello', 2), 'under_way', 'a second waits');
SELECT is(pg_temp.claim('k', 'other', 2), 'reused', 'another message is refused while it is under way');
SELECT is(pg_temp.claim('l', 'hello', 2), 'claimed', 'another key is free');
UPDATE mamori.turn_keys SET at = now() - interval '29 s' WHERE key = 'k';
SELECT is(pg_temp.claim('k', 'hello', 3), 'under_way', 'a claim lasts');
UPDATE mamori.turn_keys SET at = now() - interval '31 s' WHERE key = 'k';
SELECT is(pg_temp.claim('k', 'other', 3), 'reused', 'a void claim is still for its message');
SELECT is(pg_temp.claim('k', 'hello', 3), 'claimed', 'a claim of the dead is void');
SELECT is(pg_temp.claim('k', 'hello', 4), 'under_way', 'and claimed anew');
SELECT mamori.release_turn(encode('k', 'hex'), tap.uuid_of(now(), 1));
SELECT is(pg_temp.claim('k', 'hello', 4), 'under_way', 'only its holder releases it');
SELECT mamori.release_turn(encode('k', 'hex'), tap.uuid_of(now(), 3));
SELECT is(pg_temp.claim('k', 'hello', 4), 'claimed', 'released');
SELECT is(pg_temp.keyed(1, 11, 'k', 'hello', '{"a":"\n\"é"}'), 1, 'a turn with its answer');
SELECT is(pg_temp.claim('k', 'hello', 5), 'answered {"a":"\n\"é"}', 'to the byte');
SELECT is(pg_temp.claim('k', 'other', 5), 'reused', 'refused with the answer there');
SELECT is(pg_temp.keyed(1, 12, 'k', 'hello', 'second'), 1, 'a second turn is stored');
SELECT is(pg_temp.claim('k', 'hello', 5), 'answered {"a":"\n\"é"}', 'the first answer stays');
SELECT mamori.release_turn(encode('k', 'hex'), tap.uuid_of(now(), 0));
SELECT is(pg_temp.claim('k', 'hello', 5), 'answered {"a":"\n\"é"}', 'an answer is not released');
SELECT is(pg_temp.keyed(2, 13, 'm', 'hello', 'unclaimed'), 1, 'a turn that could claim nothing');
SELECT is(pg_temp.claim('m', 'hello', 5), 'answered unclaimed', 'brings its answer later');
SELECT is(pg_temp.keyed(2, 13, 'm', 'hello', 'unclaimed'), 0, 'applied twice is once');
SELECT is(mamori.apply_turns(json_build_array(
	tap.turn(2, jsonb_build_array(tap.message(14))) || '{"idempotency":{"key":"aa","message":"bb","answer":"1"}}',
	tap.turn(2, jsonb_build_array(tap.message(15))) || '{"idempotency":{"key":"aa","message":"bb","answer":"2"}}')),
	2, 'one key twice in a batch');
SELECT is((SELECT count(*)::integer FROM mamori.turn_keys WHERE key = '\xaa'), 1, 'is one row');
SELECT is(mamori.apply_turns(json_build_array(tap.turn(2, jsonb_build_array(tap.message(16))))), 1,
	  'a turn without anything');
SELECT throws_ok($$ SELECT mamori.apply_turns(json_build_array(tap.turn(2, '[]')
	|| '{"idempotency":{"key":"zz","message":"bb","answer":"1"}}')) $$, '22023', NULL,
	'a key that is no hexadecimal is refused');

-- A reply that a person has overtaken: its retry does not hear it either, and no notice was given.
CREATE FUNCTION pg_temp.kept(conversation integer, key text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM mamori.keep_turns(json_build_array(
		tap.turn(conversation, jsonb_build_array(tap.message(17), tap.message(18, 'bot')))
		|| jsonb_build_object('is_reply_held', true, 'notice', tap.uuid_of(now(), 17),
			'idempotency', jsonb_build_object(
			'key', encode(key::bytea, 'hex'), 'message', encode('hello', 'hex'),
			'answer', '{"b":"é",  "a":1}', 'without_reply', '{"b":null,  "a":1}'))))
$$;
SELECT tap.apply_turns(tap.turn(4, '[]', '[]', tap.handoff(42)));
SELECT is(pg_temp.kept(4, 'n') || pg_temp.claim('n', 'hello', 5), '1answered {"b":null,  "a":1}',
	  'overtaken: the answer without a reply, to the byte');
SELECT is((SELECT count(*)::integer FROM mamori.notices), 0, 'nor a notice');
SELECT is(pg_temp.kept(5, 'o') || pg_temp.claim('o', 'hello', 5), '0answered {"b":"é",  "a":1}',
	  'not overtaken: the answer');
DELETE FROM mamori.notices;

-- Upkeep.
UPDATE mamori.turn_keys SET at = now() - interval '23 h' WHERE key = 'k';
UPDATE mamori.turn_keys SET at = now() - interval '25 h' WHERE key = 'm';
SELECT is(mamori.purge_turns(24), 1, 'purged after 24 hours');
SELECT is(pg_temp.claim('k', 'hello', 5), 'answered {"a":"\n\"é"}', 'kept before');
SELECT is(pg_temp.claim('m', 'hello', 5), 'claimed', 'forgotten after');
SELECT throws_ok($$ SELECT mamori.purge_turns(23) $$, '22023', NULL, 'never sooner');

-- Notices and the count of turns.
CREATE FUNCTION pg_temp.state(conversation integer, turns_max integer) RETURNS text LANGUAGE sql
AS $$ SELECT has_notice || ' ' || bot_turns
      FROM mamori.turn_state(tap.uuid_of(now(), conversation), turns_max) $$;
SELECT is(pg_temp.state(99, 5), NULL, 'no conversation, no state');
SELECT is(pg_temp.state(1, 5), 'false 0', 'no notice');
SELECT mamori.apply_turns(json_build_array(tap.turn(1, '[]')
	|| jsonb_build_object('notice', tap.uuid_of(now(), 11))));
SELECT is(pg_temp.state(1, 5), 'true 0', 'a notice');
SELECT lives_ok($$ SELECT mamori.apply_turns(json_build_array(tap.turn(1, '[]')
	|| jsonb_build_object('notice', tap.uuid_of(now(), 12)))) $$, 'a second notice is no mistake');
SELECT is((SELECT message_id FROM mamori.notices), tap.uuid_of(now(), 11), 'the first one stays');
SELECT tap.apply_turns(tap.turn(3, jsonb_agg(tap.message(t, CASE t % 2 WHEN 0 THEN 'customer' ELSE 'bot' END))))
FROM generate_series(100, 109) AS t;
SELECT is(pg_temp.state(3, 5), 'false 5', 'five turns of the bot');
SELECT is(pg_temp.state(3, 11), 'false 0', 'not counted where there cannot be so many');
SELECT is(pg_temp.state(3, 0), 'false 0', 'nor without a limit');
SELECT tap.apply_turns(tap.turn(3, '[]', '[]', tap.handoff(31, now(), '{"reason":"turn_cap"}')));
UPDATE mamori.handoffs SET status = 'resolved', resolved_at = now() + interval '1 s'
WHERE id = tap.uuid_of(now(), 31);
SELECT is(pg_temp.state(3, 5), 'false 0', 'counted anew after a person had it');

-- Leases.
CREATE FUNCTION pg_temp.begin(holder integer, message integer, text text DEFAULT 'x',
			      is_proved boolean DEFAULT true) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', state, right(answered_with::text, 2))
	FROM mamori.begin_turn(tap.uuid_of(now(), 7), tap.uuid_of(now(), holder),
			       tap.uuid_of(now(), message), text, is_proved, 30000)
$$;
CREATE FUNCTION pg_temp.take(holder integer, is_last boolean DEFAULT false) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(right(message_id::text, 2) || text, ' ')
	FROM mamori.take_joins(tap.uuid_of(now(), 7), tap.uuid_of(now(), holder), is_last)
$$;
SELECT is(pg_temp.begin(1, 33), 'holds', 'the first holds, in a conversation not yet stored');
SELECT is(pg_temp.begin(2, 35, 'b'), 'joined 21', 'a second joins it');
SELECT is(pg_temp.begin(3, 34, 'a'), 'joined 21', 'a third');
SELECT is(pg_temp.begin(4, 36, 'b', false), 'denied', 'who has no token does not');
SELECT is(pg_temp.take(2), NULL, 'only the holder takes');
SELECT is(pg_temp.take(1), '22a 23b', 'in the order of the messages');
SELECT is(pg_temp.begin(4, 36, repeat('x', 65000)) || pg_temp.begin(5, 37, repeat('x', 600)),
	  'joined 21full', 'not more than a model can read');
SELECT is(length(pg_temp.take(1, true)), 65002, 'the next round, the last');
SELECT is(pg_temp.begin(5, 38), 'full', 'nothing joins the last round');
SELECT is(pg_temp.take(1), NULL, 'with nothing joined it has ended');
SELECT is(pg_temp.begin(5, 39), 'holds', 'and the next one holds');
UPDATE mamori.turn_leases SET until = now() - interval '1 s';
SELECT is(pg_temp.begin(6, 40) || coalesce(pg_temp.take(5), '-'), 'holds-', 'a lease of the dead is taken over');
SELECT is(pg_temp.begin(5, 41), 'joined 28', 'for a whole turn');
SELECT mamori.end_turn(tap.uuid_of(now(), 7), tap.uuid_of(now(), 5)),
       mamori.end_turn(tap.uuid_of(now(), 7), tap.uuid_of(now(), 6));
SELECT is((SELECT count(*)::integer FROM mamori.turn_joins), 0, 'what joined goes with the lease');

SELECT * FROM finish();
ROLLBACK;
