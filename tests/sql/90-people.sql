-- People: accept, reply, return, resolve, close; what is recorded; replies of the bot that are dropped.
BEGIN;
SELECT plan(58);

CREATE FUNCTION pg_temp.id(number integer) RETURNS uuid LANGUAGE sql
RETURN tap.uuid_of(now(), number);
-- The outcome of each action; 'action' numbers are ids of the actions.
CREATE FUNCTION pg_temp.accept(action integer, actor text, target integer, expected text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
	SELECT outcome FROM mamori.desk_accept(pg_temp.id(action), tap.ms_of(now()), actor,
		pg_temp.id(target), expected, pg_temp.id(action + 50000))
$$;
CREATE FUNCTION pg_temp.reply(action integer, actor text, target integer, message integer)
RETURNS mamori.desk_result LANGUAGE sql AS $$
	SELECT mamori.desk_reply(pg_temp.id(action), tap.ms_of(now()), actor, pg_temp.id(target),
		pg_temp.id(message), 'お待たせしました')
$$;
CREATE FUNCTION pg_temp.finish(action integer, actor text, target integer, verb text)
RETURNS text LANGUAGE sql AS $$
	SELECT outcome FROM mamori.desk_end(pg_temp.id(action), tap.ms_of(now()), actor,
		pg_temp.id(target), verb, '覚え書き')
$$;
CREATE FUNCTION pg_temp.state(conversation integer) RETURNS text LANGUAGE sql AS $$
	SELECT owner || ' ' || status || ' ' || priority FROM mamori.conversations
	WHERE id = pg_temp.id(conversation)
$$;
CREATE FUNCTION pg_temp.held(conversation integer, messages jsonb, handoff jsonb DEFAULT 'null',
			     number integer DEFAULT 0)
RETURNS jsonb LANGUAGE sql
RETURN tap.turn(conversation, messages, '[]', handoff)
       || jsonb_build_object('is_reply_held', true, 'id', pg_temp.id(number));
CREATE FUNCTION pg_temp.begun(turn jsonb, moment timestamptz) RETURNS jsonb LANGUAGE sql
RETURN turn || jsonb_build_object('at', tap.ms_of(moment));
CREATE FUNCTION pg_temp.texts(conversation integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(role || ':' || text, ', ' ORDER BY id) FROM mamori.messages
	WHERE conversation_id = pg_temp.id(conversation)
$$;

-- A handoff from its beginning to its return.
SELECT tap.apply_turns(tap.turn(1, jsonb_build_array(tap.message(101), tap.message(102, 'bot')), '[]',
	tap.handoff(11)));
SELECT is(pg_temp.reply(1000, '鈴木', 11, 110), row('waiting', pg_temp.id(11), pg_temp.id(1), 'human',
	NULL, NULL)::mamori.desk_result, 'nobody has accepted it');
SELECT is(pg_temp.finish(1001, '鈴木', 11, 'return'), 'waiting', 'nor can it be given back');
SELECT is(pg_temp.accept(1002, '鈴木', 11), 'done', 'accepted');
SELECT is(pg_temp.state(1), 'human assigned high', 'a person is at work');
SELECT is(pg_temp.accept(1003, '佐藤', 11), 'taken', 'not twice');
SELECT is(pg_temp.accept(1004, '鈴木', 11), 'done', 'again by the same: nothing to do');
SELECT is(pg_temp.accept(1002, '鈴木', 11), 'done', 'the same action again');
SELECT is((pg_temp.reply(1005, '佐藤', 11, 110)).outcome, 'taken', 'another''s');
SELECT is((pg_temp.reply(1005, '佐藤', 11, 110)).assigned_to, '鈴木', 'whose');
SELECT is(pg_temp.finish(1006, '佐藤', 11, 'resolve'), 'taken', 'not to be ended by others');
SELECT is((pg_temp.reply(1007, '鈴木', 11, 110)).message_id, pg_temp.id(110), 'a reply');
SELECT is((pg_temp.reply(1007, '鈴木', 11, 111)).message_id, pg_temp.id(110), 'the same action again');
SELECT is(pg_temp.texts(1), 'customer:message 101, bot:message 102, agent:お待たせしました', 'one message');
SELECT is((SELECT message_count FROM mamori.conversations WHERE id = pg_temp.id(1)), 3, 'counted');
SELECT is(pg_temp.accept(1008, '佐藤', 11, '田中'), 'taken', 'from somebody who has not got it');
SELECT is(pg_temp.accept(1009, '佐藤', 11, '鈴木'), 'done', 'taken over from a colleague');
SELECT is((pg_temp.reply(1010, '鈴木', 11, 111)).outcome, 'taken', 'who has lost it');
SELECT is(pg_temp.finish(1011, '佐藤', 1, 'return'), 'done', 'given back, by the conversation''s id');
SELECT is(pg_temp.state(1), 'bot open normal', 'the bot has it');
SELECT is(pg_temp.accept(1012, '佐藤', 11), 'ended', 'it is over');
SELECT is((pg_temp.reply(1013, '佐藤', 11, 112)).outcome, 'ended', 'over');
SELECT is(pg_temp.finish(1014, '佐藤', 11, 'return'), 'ended', 'over');
SELECT is(pg_temp.finish(1011, '佐藤', 1, 'return'), 'done', 'the same action again');
SELECT is(pg_temp.finish(1015, '佐藤', 1, 'return'), 'ended', 'nothing is open');
SELECT results_eq($$
	SELECT actor, action, old_owner, new_owner, taken_from, message_id, note
	FROM mamori.conversation_actions WHERE conversation_id = pg_temp.id(1) ORDER BY id
$$, $$ VALUES ('鈴木', 'accept', 'human', 'human', NULL, NULL::uuid, NULL),
	      ('鈴木', 'reply', 'human', 'human', NULL, pg_temp.id(110), NULL),
	      ('佐藤', 'accept', 'human', 'human', '鈴木', NULL, NULL),
	      ('佐藤', 'return', 'human', 'bot', NULL, NULL, '覚え書き') $$, 'recorded');
SELECT results_eq($$ SELECT owner, role FROM mamori.load_conversation(pg_temp.id(1), 1) $$,
		  $$ VALUES ('bot', 'agent') $$, 'the bot sees what was said');

-- Taken from the bot, and closed.
SELECT is(pg_temp.accept(1020, '鈴木', 1), 'done', 'a person takes it from the bot');
SELECT is(pg_temp.state(1), 'human assigned normal', 'and has it');
SELECT results_eq($$ SELECT id, reason, status FROM mamori.handoffs
		     WHERE conversation_id = pg_temp.id(1) AND status <> 'resolved' $$,
		  $$ VALUES (pg_temp.id(51020), 'taken_over', 'assigned') $$, 'a handoff of its own');
SELECT is(pg_temp.finish(1021, '鈴木', 1, 'close'), 'done', 'closed');
SELECT is(pg_temp.state(1), 'human closed normal', 'closed');
SELECT is(mamori.conversation_owner(pg_temp.id(1)), 'closed', 'nobody has it');
SELECT is(pg_temp.accept(1022, '鈴木', 1), 'closed', 'it stays closed');
SELECT is(pg_temp.accept(1023, '鈴木', 9), 'unknown', 'no such conversation');
SELECT results_eq($$ SELECT old_owner, new_owner FROM mamori.conversation_actions
		     WHERE id IN (pg_temp.id(1020), pg_temp.id(1021)) ORDER BY id $$,
		  $$ VALUES ('bot', 'human'), ('human', 'closed') $$, 'owners');

-- Handed over while it was being closed: it can be ended, and stays closed.
SELECT tap.apply_turns(tap.turn(1, '[]', '[]', tap.handoff(12)));
SELECT is(pg_temp.accept(1030, '鈴木', 12), 'done', 'accepted');
SELECT is((pg_temp.reply(1031, '鈴木', 12, 113)).outcome, 'closed', 'nobody reads it');
SELECT is(pg_temp.finish(1032, '鈴木', 12, 'return'), 'done', 'ended');
SELECT is(pg_temp.state(1), 'human closed normal', 'closed');

-- A reply by a clock that is behind comes after what is there.
SELECT tap.apply_turns(tap.turn(2, jsonb_build_array(tap.message(201, 'customer',
	now() + interval '1 minute')), '[]', tap.handoff(21)));
SELECT pg_temp.accept(1040, '鈴木', 21);
SELECT ok((pg_temp.reply(1041, '鈴木', 21, 202)).message_id
	  > tap.uuid_of(now() + interval '1 minute', 201), 'behind the newest');
SELECT is(pg_temp.texts(2), 'customer:message 201, agent:お待たせしました', 'in its order');

-- The bot's replies that wait for their record.
SELECT is_empty($$ SELECT * FROM mamori.keep_turns(json_build_array(
	pg_temp.held(3, jsonb_build_array(tap.message(301), tap.message(302, 'bot'))))) $$,
	'the bot has it: kept');
SELECT is_empty($$ SELECT * FROM mamori.keep_turns(json_build_array(
	pg_temp.held(4, jsonb_build_array(tap.message(401), tap.message(402, 'bot')), tap.handoff(41)))) $$,
	'a handoff with its reply, a fresh conversation: kept');
SELECT is(pg_temp.texts(4), 'customer:message 401, bot:message 402', 'both messages');
SELECT is(pg_temp.state(4), 'human waiting high', 'handed over');
SELECT pg_temp.accept(1050, '鈴木', 3);
SELECT results_eq($$ SELECT * FROM mamori.keep_turns(json_build_array(
	pg_temp.held(3, jsonb_build_array(tap.message(303), tap.message(304, 'bot')), 'null', 31),
	pg_temp.held(5, jsonb_build_array(tap.message(501), tap.message(502, 'bot')), 'null', 32))) $$,
	$$ VALUES (pg_temp.id(31), 'human') $$, 'a person took it: dropped, and nobody else''s');
SELECT is(pg_temp.texts(3), 'customer:message 301, bot:message 302, customer:message 303',
	  'the customer''s message is kept');
SELECT is(pg_temp.texts(5), 'customer:message 501, bot:message 502', 'the other turn is whole');
SELECT pg_temp.finish(1051, '鈴木', 3, 'return');
SELECT results_eq($$ SELECT owner_now FROM mamori.keep_turns(json_build_array(pg_temp.begun(
	pg_temp.held(3, jsonb_build_array(tap.message(307), tap.message(308, 'bot'))), now()))) $$,
	$$ VALUES ('bot') $$, 'given back since the turn began: dropped');
SELECT is_empty($$ SELECT * FROM mamori.keep_turns(json_build_array(pg_temp.begun(
	pg_temp.held(3, jsonb_build_array(tap.message(309), tap.message(310, 'bot'))),
	now() + interval '1 second'))) $$, 'given back before it began: kept');
SELECT results_eq($$ SELECT owner_now FROM mamori.keep_turns(json_build_array(
	pg_temp.held(1, jsonb_build_array(tap.message(120), tap.message(121, 'bot'))))) $$,
	$$ VALUES ('closed') $$, 'closed: dropped');
SELECT is_empty($$ SELECT * FROM mamori.keep_turns(json_build_array(tap.turn(3,
	jsonb_build_array(tap.message(305), tap.message(306, 'bot'))))) $$, 'not held: it was told');
SELECT is(tap.apply_turns(pg_temp.held(3, jsonb_build_array(tap.message(303),
	tap.message(304, 'bot')))), 1, 'apply_turns keeps what was told');

-- What is shown.
SELECT is(mamori.desk_show(pg_temp.id(999), 10)::text, NULL, 'show: nothing');
SELECT is((SELECT string_agg(h ->> 'id', ',') FROM json_array_elements(
		mamori.desk_list(false, 100) -> 'handoffs') AS h
	   WHERE (h ->> 'id')::uuid IN (pg_temp.id(21), pg_temp.id(41), pg_temp.id(11))),
	  pg_temp.id(21) || ',' || pg_temp.id(41), 'list: what is open, the oldest first');
SELECT is(mamori.customer_messages(pg_temp.id(9), NULL, 10)::text, NULL, 'messages: nothing');
SELECT is((SELECT string_agg(m ->> 'role', ',') FROM json_array_elements(
		mamori.customer_messages(pg_temp.id(1), pg_temp.id(101), 2) -> 'messages') AS m),
	  'bot,agent', 'messages: after one');
SELECT is(mamori.customer_messages(pg_temp.id(1), pg_temp.id(101), 2) ->> 'next',
	  pg_temp.id(110)::text, 'messages: where to go on');

SELECT * FROM finish();
ROLLBACK;
