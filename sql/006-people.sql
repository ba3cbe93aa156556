-- People: who has a conversation, what they did with it, and what its customer may read.
--
-- Every change of a conversation's owner locks the conversation first, as insert_turns does; so of
-- two people who accept at once one is first, and a bot's reply whose conversation a person has
-- taken meanwhile is not kept (keep_turns).

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['mamori_conversations', 'mamori_desk'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN', wanted);
		END IF;
	END LOOP;
END
$$;

SET LOCAL ROLE mamori_owner;

GRANT USAGE ON SCHEMA mamori TO mamori_conversations, mamori_desk;

-- ---- what is recorded

ALTER TABLE mamori.handoffs DROP CONSTRAINT handoffs_reason_check;
ALTER TABLE mamori.handoffs ADD CONSTRAINT handoffs_reason_check CHECK (reason IN
	('severity', 'self_harm', 'human_requested', 'anger', 'fallback', 'taken_over'));
COMMENT ON COLUMN mamori.handoffs.reason IS 'Why; taken_over: a person took it from the bot unasked';
COMMENT ON COLUMN mamori.conversations.priority IS
	'Highest priority since it last came to the bot; normal when a person gives it back';

CREATE TABLE mamori.conversation_actions (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL REFERENCES mamori.conversations,
	handoff_id uuid NOT NULL REFERENCES mamori.handoffs,
	at timestamptz NOT NULL,
	actor text NOT NULL CHECK (actor <> '' AND char_length(actor) <= 100),
	action text NOT NULL
		CHECK (action IN ('accept', 'reply', 'return', 'resolve', 'close')),
	old_owner text NOT NULL CHECK (old_owner IN ('bot', 'human', 'closed')),
	new_owner text NOT NULL CHECK (new_owner IN ('bot', 'human', 'closed')),
	taken_from text,
	message_id uuid,
	note text
);
CREATE INDEX conversation_actions_conversation ON mamori.conversation_actions (conversation_id, id);
COMMENT ON TABLE mamori.conversation_actions IS 'What people did with conversations; only added to';
COMMENT ON COLUMN mamori.conversation_actions.id IS 'UUIDv7, made by who asks: the same again does nothing';
COMMENT ON COLUMN mamori.conversation_actions.conversation_id IS 'The conversation';
COMMENT ON COLUMN mamori.conversation_actions.handoff_id IS 'The handoff that was open';
COMMENT ON COLUMN mamori.conversation_actions.at IS 'When';
COMMENT ON COLUMN mamori.conversation_actions.actor IS 'Who, as they named themselves';
COMMENT ON COLUMN mamori.conversation_actions.action IS 'return: back to the bot, unresolved; resolve: done; close: done, and nobody answers any more';
COMMENT ON COLUMN mamori.conversation_actions.old_owner IS 'Who answered before';
COMMENT ON COLUMN mamori.conversation_actions.new_owner IS 'Who answers from then on';
COMMENT ON COLUMN mamori.conversation_actions.taken_from IS 'accept: which colleague had it before';
COMMENT ON COLUMN mamori.conversation_actions.message_id IS 'reply: the message; no foreign key, because its partition may be gone';
COMMENT ON COLUMN mamori.conversation_actions.note IS 'In words, for colleagues; never shown to the customer';

CREATE FUNCTION mamori.iso_time(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION mamori.iso_time IS 'As the API writes times';

CREATE FUNCTION mamori.owner_of(conversation mamori.conversations) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE conversation.status WHEN 'closed' THEN 'closed' ELSE conversation.owner END;
COMMENT ON FUNCTION mamori.owner_of IS 'bot, human or closed';

-- ---- turns of the bot

CREATE FUNCTION mamori.without_reply(turn jsonb) RETURNS json
LANGUAGE sql IMMUTABLE
RETURN jsonb_set(turn, '{messages}', coalesce((
	SELECT jsonb_agg(message ORDER BY position)
	FROM jsonb_array_elements(turn -> 'messages') WITH ORDINALITY AS m(message, position)
	WHERE message ->> 'role' <> 'bot'), '[]'))::json;
COMMENT ON FUNCTION mamori.without_reply IS 'A turn without what the bot said';

-- The first statement inserts the conversations or locks them, in the order of their ids, as
-- insert_turns does after it; but the bot has a conversation until its handoff is inserted.
CREATE FUNCTION mamori.keep_turns(records json) RETURNS TABLE (turn_id uuid, owner_now text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	dropped uuid[];
BEGIN
	INSERT INTO mamori.conversations AS stored
		(id, created_at, last_message_at, customer_name, owner)
	SELECT DISTINCT ON (c.id) c.id, mamori.utc_of(c.created_at), mamori.utc_of(c.created_at),
	       c.customer_name,
	       CASE json_typeof(r.handoff) WHEN 'object' THEN 'bot' ELSE coalesce(c.owner, 'bot') END
	FROM json_to_recordset(records) AS r(conversation json, handoff json),
	     json_to_record(r.conversation) AS c(id uuid, created_at bigint, customer_name text,
						 owner text)
	ORDER BY c.id, c.customer_name IS NULL, c.created_at
	ON CONFLICT (id) DO UPDATE SET customer_name = excluded.customer_name
	WHERE stored.customer_name IS NULL AND excluded.customer_name IS NOT NULL;

	-- Also where a person has given it back since the turn began: the reply knows nothing of theirs.
	dropped := ARRAY(
		SELECT r.id
		FROM json_to_recordset(records) AS r(id uuid, at bigint, conversation json,
						     is_reply_held boolean)
		JOIN mamori.conversations AS c ON c.id = (r.conversation ->> 'id')::uuid
		WHERE r.is_reply_held AND (mamori.owner_of(c) <> 'bot' OR EXISTS (
			SELECT FROM mamori.conversation_actions AS a
			WHERE a.conversation_id = c.id
			  AND a.id >= mamori.uuid_at(mamori.utc_of(r.at)))));
	IF dropped = '{}' THEN
		PERFORM mamori.apply_turns(records);
		RETURN;
	END IF;
	PERFORM mamori.apply_turns((
		SELECT json_agg(CASE WHEN (turn ->> 'id')::uuid = ANY(dropped)
				     THEN mamori.without_reply(turn::jsonb) ELSE turn END
				ORDER BY position)
		FROM json_array_elements(records) WITH ORDINALITY AS t(turn, position)));
	RETURN QUERY
	SELECT r.id, mamori.owner_of(c)
	FROM json_to_recordset(records) AS r(id uuid, conversation json)
	JOIN mamori.conversations AS c ON c.id = (r.conversation ->> 'id')::uuid
	WHERE r.id = ANY(dropped);
END
$$;
COMMENT ON FUNCTION mamori.keep_turns IS
	'apply_turns for answers that have not left: a reply with is_reply_held is kept only where the bot has had the conversation since the turn began; returns the turns whose reply was not kept, and who has theirs. For a first attempt: what was told to the customer goes through apply_turns';

-- ---- what people do

CREATE TYPE mamori.desk_result AS (
	outcome text, handoff_id uuid, conversation_id uuid, owner text, assigned_to text,
	message_id uuid);
COMMENT ON TYPE mamori.desk_result IS
	'outcome: done; unknown: no such handoff or conversation; ended: not open any more; taken: somebody else has it; waiting: nobody has accepted it; closed: the conversation is';

-- A target is the id of a handoff, of one of its repeats, or of a conversation, which stands for its
-- open handoff.
CREATE FUNCTION mamori.lock_target(target uuid, OUT c mamori.conversations, OUT h mamori.handoffs)
LANGUAGE plpgsql
AS $$
DECLARE
	named uuid := coalesce((SELECT id FROM mamori.handoffs WHERE id = target),
			       (SELECT handoff_id FROM mamori.handoff_repeats WHERE id = target));
BEGIN
	SELECT * INTO c FROM mamori.conversations AS stored
	WHERE stored.id = coalesce((SELECT conversation_id FROM mamori.handoffs WHERE id = named), target)
	FOR NO KEY UPDATE;
	IF named IS NULL THEN
		SELECT * INTO h FROM mamori.handoffs AS stored
		WHERE stored.conversation_id = c.id AND stored.status <> 'resolved';
	ELSE
		SELECT * INTO h FROM mamori.handoffs AS stored WHERE stored.id = named;
	END IF;
END
$$;
COMMENT ON FUNCTION mamori.lock_target IS 'Locks the conversation; columns are null where there is none';

CREATE FUNCTION mamori.desk_result_of(outcome text, conversation uuid, handoff uuid,
				      message uuid DEFAULT NULL)
RETURNS mamori.desk_result
LANGUAGE sql STABLE
RETURN (SELECT row(outcome, h.id, c.id, mamori.owner_of(c), h.assigned_to, message)::mamori.desk_result
	FROM (SELECT) AS one
	LEFT JOIN mamori.conversations AS c ON c.id = conversation
	LEFT JOIN mamori.handoffs AS h ON h.id = handoff);
COMMENT ON FUNCTION mamori.desk_result_of IS 'A result with the present state';

-- Why somebody may not act on a handoff; null: they may.
CREATE FUNCTION mamori.desk_obstacle(h mamori.handoffs, actor text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN h.id IS NULL OR h.status = 'resolved' THEN 'ended'
	    WHEN h.status = 'waiting' THEN 'waiting'
	    WHEN h.assigned_to IS DISTINCT FROM actor THEN 'taken' END;
COMMENT ON FUNCTION mamori.desk_obstacle IS 'Compare, before set: ended, waiting, taken or null';

-- What every action begins with; an answer is where it ends already.
CREATE FUNCTION mamori.desk_begin(action_id uuid, actor text, target uuid, OUT c mamori.conversations,
				  OUT h mamori.handoffs, OUT answer mamori.desk_result)
LANGUAGE plpgsql
AS $$
DECLARE
	locked record;
	done mamori.conversation_actions;
	obstacle text;
BEGIN
	SELECT * INTO locked FROM mamori.lock_target(target);
	c := locked.c;
	h := locked.h;
	SELECT * INTO done FROM mamori.conversation_actions WHERE id = action_id;
	IF done.id IS NOT NULL THEN
		answer := mamori.desk_result_of('done', done.conversation_id, done.handoff_id,
						done.message_id);
		RETURN;
	END IF;
	obstacle := CASE WHEN c.id IS NULL THEN 'unknown'
			 WHEN actor IS NOT NULL THEN mamori.desk_obstacle(h, actor) END;
	IF obstacle IS NOT NULL THEN
		answer := mamori.desk_result_of(obstacle, c.id, h.id);
	END IF;
END
$$;
COMMENT ON FUNCTION mamori.desk_begin IS
	'Locks the target; answers for an action that was done before, for no target, and for an actor (null: anybody) who may not act';

CREATE FUNCTION mamori.desk_accept(action_id uuid, at_ms bigint, actor text, target uuid,
				   expected text, fresh uuid)
RETURNS mamori.desk_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	locked record;
	c mamori.conversations;
	h mamori.handoffs;
	moment timestamptz := mamori.utc_of(at_ms);
BEGIN
	SELECT * INTO locked FROM mamori.desk_begin(action_id, NULL, target);
	c := locked.c;
	h := locked.h;
	IF (locked.answer).outcome IS NOT NULL THEN
		RETURN locked.answer;
	ELSIF h.status = 'resolved' THEN
		RETURN mamori.desk_result_of('ended', c.id, h.id);
	ELSIF h.status = 'assigned' AND h.assigned_to = actor THEN
		RETURN mamori.desk_result_of('done', c.id, h.id);
	ELSIF h.assigned_to IS DISTINCT FROM expected THEN
		RETURN mamori.desk_result_of('taken', c.id, h.id);
	ELSIF h.id IS NULL AND c.status = 'closed' THEN
		RETURN mamori.desk_result_of('closed', c.id, NULL);
	ELSIF h.id IS NULL THEN
		INSERT INTO mamori.handoffs (id, conversation_id, at, reason, priority, summary)
		VALUES (fresh, c.id, moment, 'taken_over', 'normal',
			'担当者がボットから会話を引き継ぎました。')
		RETURNING * INTO h;
	END IF;
	UPDATE mamori.handoffs SET status = 'assigned', assigned_to = actor, assigned_at = moment
	WHERE id = h.id;
	UPDATE mamori.conversations SET owner = 'human', status = 'assigned'
	WHERE id = c.id AND status <> 'closed';
	INSERT INTO mamori.conversation_actions (id, conversation_id, handoff_id, at, actor, action,
		old_owner, new_owner, taken_from)
	VALUES (action_id, c.id, h.id, moment, actor, 'accept', mamori.owner_of(c),
		CASE c.status WHEN 'closed' THEN 'closed' ELSE 'human' END, h.assigned_to);
	RETURN mamori.desk_result_of('done', c.id, h.id);
END
$$;
COMMENT ON FUNCTION mamori.desk_accept IS
	'Gives a handoff to somebody if nobody has it, or who is expected to; a conversation without an open handoff gets the handoff `fresh`: it is taken from the bot';

-- Later than every message that its conversation has: who reads on from the newest they saw misses
-- none. The tail of the wish keeps it unique.
CREATE FUNCTION mamori.id_after_all(conversation mamori.conversations, wish uuid) RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	newest uuid := (SELECT m.id FROM mamori.messages AS m
			WHERE m.conversation_id = conversation.id
			  AND m.id >= mamori.uuid_at(conversation.created_at - interval '1 day')
			ORDER BY m.id DESC LIMIT 1);
	later uuid;
BEGIN
	IF newest IS NULL OR newest < wish THEN
		RETURN wish;
	END IF;
	later := mamori.uuid_at(mamori.uuid_time(newest) + interval '1 millisecond');
	RETURN (left(later::text, 13) || substr(wish::text, 14))::uuid;
END
$$;
COMMENT ON FUNCTION mamori.id_after_all IS 'The id that is wished for, moved behind the newest message';

CREATE FUNCTION mamori.desk_reply(action_id uuid, at_ms bigint, actor text, target uuid,
				  message_id uuid, text text)
RETURNS mamori.desk_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	locked record;
	c mamori.conversations;
	h mamori.handoffs;
	moment timestamptz := mamori.utc_of(at_ms);
	message uuid;
BEGIN
	SELECT * INTO locked FROM mamori.desk_begin(action_id, actor, target);
	c := locked.c;
	h := locked.h;
	IF (locked.answer).outcome IS NOT NULL THEN
		RETURN locked.answer;
	ELSIF c.status = 'closed' THEN
		RETURN mamori.desk_result_of('closed', c.id, h.id);
	END IF;
	message := mamori.id_after_all(c, message_id);
	PERFORM mamori.make_partitions_for('messages', ARRAY[message]);
	INSERT INTO mamori.messages (id, conversation_id, at, role, text)
	VALUES (message, c.id, moment, 'agent', text);
	UPDATE mamori.conversations
	SET message_count = message_count + 1, last_message_at = greatest(last_message_at, moment)
	WHERE id = c.id;
	INSERT INTO mamori.conversation_actions (id, conversation_id, handoff_id, at, actor, action,
		old_owner, new_owner, message_id)
	VALUES (action_id, c.id, h.id, moment, actor, 'reply', 'human', 'human', message);
	RETURN mamori.desk_result_of('done', c.id, h.id, message);
END
$$;
COMMENT ON FUNCTION mamori.desk_reply IS 'A message to the customer by who has accepted the handoff';

CREATE FUNCTION mamori.desk_end(action_id uuid, at_ms bigint, actor text, target uuid, action text,
				note text)
RETURNS mamori.desk_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	locked record;
	c mamori.conversations;
	h mamori.handoffs;
	moment timestamptz := mamori.utc_of(at_ms);
	is_closed boolean;
BEGIN
	SELECT * INTO locked FROM mamori.desk_begin(action_id, actor, target);
	c := locked.c;
	h := locked.h;
	IF (locked.answer).outcome IS NOT NULL THEN
		RETURN locked.answer;
	END IF;
	is_closed := action = 'close' OR c.status = 'closed';
	UPDATE mamori.handoffs SET status = 'resolved', resolved_at = moment WHERE id = h.id;
	UPDATE mamori.conversations
	SET owner = CASE WHEN is_closed THEN owner ELSE 'bot' END,
	    status = CASE WHEN is_closed THEN 'closed' ELSE 'open' END,
	    closed_at = CASE WHEN is_closed THEN coalesce(closed_at, moment) END,
	    priority = 'normal'
	WHERE id = c.id;
	INSERT INTO mamori.conversation_actions (id, conversation_id, handoff_id, at, actor, action,
		old_owner, new_owner, note)
	VALUES (action_id, c.id, h.id, moment, actor, desk_end.action, mamori.owner_of(c),
		CASE WHEN is_closed THEN 'closed' ELSE 'bot' END, desk_end.note);
	RETURN mamori.desk_result_of('done', c.id, h.id);
END
$$;
COMMENT ON FUNCTION mamori.desk_end IS
	'Ends a handoff by who has accepted it: return and resolve give the conversation to the bot, close ends it; what is closed stays closed';

-- ---- what people see

CREATE FUNCTION mamori.handoff_json(h mamori.handoffs) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT json_build_object('id', h.id, 'conversation_id', h.conversation_id,
		'status', h.status, 'priority', h.priority, 'reason', h.reason,
		'created_at', mamori.iso_time(h.at), 'assigned_to', h.assigned_to,
		'assigned_at', mamori.iso_time(h.assigned_at),
		'resolved_at', mamori.iso_time(h.resolved_at), 'summary', h.summary,
		'customer_name', c.customer_name, 'owner', mamori.owner_of(c),
		'max_severity', c.max_severity, 'message_count', c.message_count,
		'last_message_at', mamori.iso_time(c.last_message_at),
		'repeat_count', (SELECT count(*) FROM mamori.handoff_repeats AS r
				 WHERE r.handoff_id = h.id))
	FROM mamori.conversations AS c WHERE c.id = h.conversation_id);
COMMENT ON FUNCTION mamori.handoff_json IS 'A handoff in a list';

CREATE FUNCTION mamori.desk_list(is_all boolean, most integer) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH listed AS (
		SELECT h.id, row_number() OVER urgent_first AS position
		FROM (SELECT * FROM mamori.handoffs WHERE status <> 'resolved'
		      UNION ALL
		      (SELECT * FROM mamori.handoffs WHERE is_all AND status = 'resolved'
		       ORDER BY id DESC LIMIT most + 1)) AS h
		WINDOW urgent_first AS (ORDER BY h.status = 'resolved',
			CASE WHEN h.status <> 'resolved' THEN -mamori.priority_rank(h.priority) END,
			CASE WHEN h.status <> 'resolved' THEN h.id END, h.id DESC)
		ORDER BY position LIMIT most + 1
	)
	SELECT json_build_object('handoffs', coalesce(json_agg(mamori.handoff_json(h)
				ORDER BY position) FILTER (WHERE position <= most), '[]'),
		'has_more', count(*) > most)
	FROM listed JOIN mamori.handoffs AS h USING (id)
$$;
COMMENT ON FUNCTION mamori.desk_list IS
	'Open handoffs as JSON, the most urgent first, of these the oldest; is_all: then the ended ones, the newest first';

CREATE FUNCTION mamori.desk_show(target uuid, most integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
	c mamori.conversations;
	h mamori.handoffs;
	named uuid := coalesce((SELECT handoff_id FROM mamori.handoff_repeats WHERE id = target), target);
BEGIN
	SELECT * INTO h FROM mamori.handoffs WHERE id = named;
	IF h.id IS NULL THEN
		SELECT * INTO h FROM mamori.handoffs WHERE conversation_id = target
		ORDER BY status = 'resolved', id DESC LIMIT 1;
	END IF;
	SELECT * INTO c FROM mamori.conversations WHERE id = coalesce(h.conversation_id, target);
	IF c.id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_build_object(
		'handoff', CASE WHEN h.id IS NOT NULL THEN mamori.handoff_json(h) END,
		'context', h.context,
		'conversation', json_build_object('id', c.id, 'owner', mamori.owner_of(c),
			'status', c.status, 'priority', c.priority, 'customer_name', c.customer_name,
			'created_at', mamori.iso_time(c.created_at),
			'closed_at', mamori.iso_time(c.closed_at), 'message_count', c.message_count,
			'harassment_count', c.harassment_count, 'max_severity', c.max_severity),
		'messages', (
			SELECT coalesce(json_agg(json_build_object('id', m.id, 'role', m.role,
				'at', mamori.iso_time(m.at), 'text', m.text, 'severity', m.severity,
				'sentiment', m.sentiment) ORDER BY m.id), '[]')
			FROM (SELECT * FROM mamori.messages AS stored
			      WHERE stored.conversation_id = c.id
				AND stored.id >= mamori.uuid_at(c.created_at - interval '1 day')
			      ORDER BY stored.id DESC LIMIT most) AS m),
		'events', (
			SELECT coalesce(json_agg(json_build_object('id', e.id,
				'message_id', e.message_id, 'at', mamori.iso_time(e.at),
				'severity', e.severity, 'categories', e.categories, 'text', e.text,
				'recommendation', e.recommendation) ORDER BY e.id), '[]')
			FROM (SELECT * FROM mamori.harassment_events AS stored
			      WHERE stored.conversation_id = c.id
			      ORDER BY stored.id DESC LIMIT most) AS e),
		'repeats', (
			SELECT coalesce(json_agg(json_build_object('id', r.id,
				'at', mamori.iso_time(r.at), 'reason', r.reason,
				'priority', r.priority, 'summary', r.summary) ORDER BY r.id), '[]')
			FROM mamori.handoff_repeats AS r WHERE r.handoff_id = h.id),
		'actions', (
			SELECT coalesce(json_agg(json_build_object('id', a.id,
				'handoff_id', a.handoff_id, 'at', mamori.iso_time(a.at),
				'actor', a.actor, 'action', a.action, 'old_owner', a.old_owner,
				'new_owner', a.new_owner, 'taken_from', a.taken_from,
				'message_id', a.message_id, 'note', a.note) ORDER BY a.id), '[]')
			FROM mamori.conversation_actions AS a WHERE a.conversation_id = c.id));
END
$$;
COMMENT ON FUNCTION mamori.desk_show IS
	'What a person has to know of a handoff or a conversation, as JSON, with the newest `most` messages and events; null when there is neither';

-- ---- what the customer sees

-- Without names: who answers is protected.
CREATE FUNCTION mamori.customer_messages(conversation uuid, after uuid, most integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
	c mamori.conversations;
	shown json;
	found bigint;
BEGIN
	SELECT * INTO c FROM mamori.conversations WHERE id = conversation;
	IF c.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT coalesce(json_agg(json_build_object('id', m.id, 'role', m.role, 'text', m.text,
			'timestamp', mamori.iso_time(m.at), 'reply_to', m.reply_to) ORDER BY m.id)
		FILTER (WHERE m.position <= most), '[]'),
	       count(*)
	INTO shown, found
	FROM (SELECT *, row_number() OVER (ORDER BY stored.id) AS position
	      FROM mamori.messages AS stored
	      WHERE stored.conversation_id = c.id
		AND stored.id >= mamori.uuid_at(c.created_at - interval '1 day')
		AND (after IS NULL OR stored.id > after)
	      ORDER BY stored.id LIMIT most + 1) AS m;
	RETURN json_build_object('conversation_id', c.id, 'owner', mamori.owner_of(c),
		'status', c.status, 'messages', shown,
		'next', coalesce((shown -> -1 ->> 'id')::uuid, after), 'has_more', found > most);
END
$$;
COMMENT ON FUNCTION mamori.customer_messages IS
	'The first `most` messages of a conversation after an id, oldest first, as JSON; null when there is no such conversation';

GRANT EXECUTE ON FUNCTION mamori.keep_turns(json) TO mamori_chat;
GRANT EXECUTE ON FUNCTION mamori.desk_accept(uuid, bigint, text, uuid, text, uuid),
	mamori.desk_reply(uuid, bigint, text, uuid, uuid, text),
	mamori.desk_end(uuid, bigint, text, uuid, text, text), mamori.desk_list(boolean, integer),
	mamori.desk_show(uuid, integer) TO mamori_desk;
GRANT EXECUTE ON FUNCTION mamori.customer_messages(uuid, uuid, integer) TO mamori_conversations;

RESET ROLE;
