-- Turns: answers kept for retries, messages that came while another was answered, notices given.
--
-- apply_turns() is what it was, with what else a turn leaves behind, in the same transaction. The
-- leases of turns under way are not worth a log: after a crash nobody is answering any more.

SET LOCAL ROLE mamori_owner;

-- ---- why a conversation was handed over

ALTER TABLE mamori.handoffs
	DROP CONSTRAINT handoffs_reason_check,
	ADD CONSTRAINT handoffs_reason_check
		CHECK (reason IN ('severity', 'self_harm', 'human_requested', 'anger', 'fallback',
				  'taken_over', 'turn_cap'));
ALTER TABLE mamori.handoff_repeats
	DROP CONSTRAINT handoff_repeats_reason_check,
	ADD CONSTRAINT handoff_repeats_reason_check
		CHECK (reason IN ('severity', 'self_harm', 'human_requested', 'anger', 'fallback',
				  'turn_cap'));

-- ---- answers for retries

CREATE TABLE mamori.turn_keys (
	key bytea PRIMARY KEY,
	message bytea NOT NULL,
	holder uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	answer text
);
CREATE INDEX turn_keys_at ON mamori.turn_keys (at);
COMMENT ON TABLE mamori.turn_keys IS 'One row an idempotency key: who answers it, then the answer';
COMMENT ON COLUMN mamori.turn_keys.key IS 'HMAC of the conversation and the key: neither can be read here';
COMMENT ON COLUMN mamori.turn_keys.message IS 'HMAC of the message, so that a key is not used for two';
COMMENT ON COLUMN mamori.turn_keys.holder IS 'The turn that claimed it';
COMMENT ON COLUMN mamori.turn_keys.at IS 'When it was claimed, then when it was answered';
COMMENT ON COLUMN mamori.turn_keys.answer IS 'The first answer, its conversation_token blanked; null while it is under way';

CREATE FUNCTION mamori.claim_turn(key_hex text, message_hex text, holder uuid, claim_ms integer)
RETURNS TABLE (state text, answer text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known mamori.turn_keys;
BEGIN
	INSERT INTO mamori.turn_keys AS k (key, message, holder)
	VALUES (decode(key_hex, 'hex'), decode(message_hex, 'hex'), claim_turn.holder)
	ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, at = excluded.at
	WHERE k.answer IS NULL AND k.message = excluded.message
	  AND k.at < now() - claim_ms * interval '1 millisecond';
	IF FOUND THEN
		RETURN QUERY SELECT 'claimed', NULL::text;
		RETURN;
	END IF;
	SELECT * INTO known FROM mamori.turn_keys AS k WHERE k.key = decode(key_hex, 'hex');
	RETURN QUERY SELECT
		CASE WHEN known.message <> decode(message_hex, 'hex') THEN 'reused'
		     WHEN known.answer IS NOT NULL THEN 'answered'
		     ELSE 'under_way' END,
		CASE WHEN known.message = decode(message_hex, 'hex') THEN known.answer END;
END
$$;
COMMENT ON FUNCTION mamori.claim_turn IS
	'claimed: answer it; answered: here is the answer; under_way: claimed less than claim_ms ago; reused: for another message';

CREATE FUNCTION mamori.release_turn(key_hex text, holder uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM mamori.turn_keys AS k
	WHERE k.key = decode(key_hex, 'hex') AND k.holder = release_turn.holder AND k.answer IS NULL
$$;
COMMENT ON FUNCTION mamori.release_turn IS 'Gives up a claim of a turn that was refused';

-- ---- notices, and how much the bot has answered

CREATE TABLE mamori.notices (
	conversation_id uuid PRIMARY KEY REFERENCES mamori.conversations,
	message_id uuid NOT NULL,
	at timestamptz NOT NULL
);
COMMENT ON TABLE mamori.notices IS 'Conversations in which the bot has asked for a moderate tone';
COMMENT ON COLUMN mamori.notices.conversation_id IS 'The conversation: it is asked once';
COMMENT ON COLUMN mamori.notices.message_id IS 'The customer''s message; no foreign key, because its partition may be gone';
COMMENT ON COLUMN mamori.notices.at IS 'When';

CREATE FUNCTION mamori.turn_state(conversation uuid, turns_max integer)
RETURNS TABLE (has_notice boolean, bot_turns integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
	c mamori.conversations;
	since timestamptz;
BEGIN
	SELECT * INTO c FROM mamori.conversations AS stored WHERE stored.id = conversation;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	has_notice := EXISTS (SELECT FROM mamori.notices AS n WHERE n.conversation_id = conversation);
	bot_turns := 0;
	-- Messages are only counted where there are enough of them.
	IF turns_max > 0 AND c.message_count >= turns_max THEN
		SELECT greatest(c.created_at - interval '1 day', max(h.resolved_at)) INTO since
		FROM mamori.handoffs AS h WHERE h.conversation_id = conversation;
		SELECT count(*) INTO bot_turns FROM mamori.messages AS m
		WHERE m.conversation_id = conversation AND m.id >= mamori.uuid_at(since)
		  AND m.role = 'bot';
	END IF;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION mamori.turn_state IS
	'Whether the notice was given; the bot''s messages since a person gave the conversation back, 0 while there are certainly fewer than turns_max';

-- ---- what a turn leaves behind

ALTER FUNCTION mamori.apply_turns(json) RENAME TO store_turns;
REVOKE EXECUTE ON FUNCTION mamori.store_turns(json) FROM mamori_chat;
COMMENT ON FUNCTION mamori.store_turns IS
	'The conversations, messages, events and handoffs of apply_turns; returns rows inserted';

CREATE FUNCTION mamori.leave_behind(records json) RETURNS void
LANGUAGE sql
AS $$
	-- In the order of the keys: concurrent batches wait for each other instead of deadlocking.
	WITH turn AS MATERIALIZED (
		SELECT r.id, r.at, (r.conversation ->> 'id')::uuid AS conversation_id,
		       r.notice, r.idempotency
		FROM json_to_recordset(records) AS r(id uuid, at bigint, conversation json,
						     notice uuid, idempotency json)
		WHERE r.notice IS NOT NULL OR json_typeof(r.idempotency) = 'object'
	), noticed AS (
		INSERT INTO mamori.notices (conversation_id, message_id, at)
		SELECT conversation_id, notice, mamori.utc_of(at) FROM turn
		WHERE notice IS NOT NULL ORDER BY conversation_id
		ON CONFLICT DO NOTHING
	)
	INSERT INTO mamori.turn_keys AS k (key, message, holder, answer)
	SELECT DISTINCT ON (key) decode(idempotency ->> 'key', 'hex') AS key,
	       decode(idempotency ->> 'message', 'hex'), id, idempotency ->> 'answer'
	FROM turn WHERE json_typeof(idempotency) = 'object'
	ORDER BY key, id
	ON CONFLICT (key) DO UPDATE
	SET answer = excluded.answer, holder = excluded.holder, at = excluded.at
	WHERE k.answer IS NULL AND k.message = excluded.message
$$;
COMMENT ON FUNCTION mamori.leave_behind IS 'The notices of apply_turns and its answers for retries';

CREATE FUNCTION mamori.apply_turns(records json) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inserted integer := mamori.store_turns(records);
BEGIN
	-- Most turns leave nothing more, which a search tells sooner than reading them again.
	IF position('"idempotency"' IN records::text) + position('"notice"' IN records::text) > 0 THEN
		PERFORM mamori.leave_behind(records);
	END IF;
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION mamori.apply_turns IS
	'Stores a JSON array of chat turns and what else they leave; idempotent; returns rows that store_turns inserted';
GRANT EXECUTE ON FUNCTION mamori.apply_turns(json) TO mamori_chat;

-- Whose reply keep_turns drops had no notice in it, and its retry hears nothing of it either.
CREATE OR REPLACE FUNCTION mamori.without_reply(turn jsonb) RETURNS json
LANGUAGE sql IMMUTABLE
RETURN (jsonb_set(turn, '{messages}', coalesce((
	SELECT jsonb_agg(message ORDER BY position)
	FROM jsonb_array_elements(turn -> 'messages') WITH ORDINALITY AS m(message, position)
	WHERE message ->> 'role' <> 'bot'), '[]')) - 'notice'
	|| CASE jsonb_typeof(turn -> 'idempotency') WHEN 'object' THEN
		jsonb_build_object('idempotency', jsonb_set(turn -> 'idempotency', '{answer}',
			coalesce(turn #> '{idempotency,without_reply}', 'null')))
	   ELSE '{}' END)::json;

-- ---- one answer at a time

CREATE UNLOGGED TABLE mamori.turn_leases (
	conversation_id uuid PRIMARY KEY,
	holder uuid NOT NULL,
	message_id uuid NOT NULL,
	until timestamptz NOT NULL,
	is_full boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE mamori.turn_leases IS 'Conversations for which a model is being asked';
COMMENT ON COLUMN mamori.turn_leases.conversation_id IS 'The conversation; no foreign key, because it may not be stored yet';
COMMENT ON COLUMN mamori.turn_leases.holder IS 'The turn that asks';
COMMENT ON COLUMN mamori.turn_leases.message_id IS 'Its message';
COMMENT ON COLUMN mamori.turn_leases.until IS 'After this its worker is taken for dead';
COMMENT ON COLUMN mamori.turn_leases.is_full IS 'The model is asked for the last time: nothing joins any more';

CREATE UNLOGGED TABLE mamori.turn_joins (
	message_id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL REFERENCES mamori.turn_leases ON DELETE CASCADE,
	text text NOT NULL
);
CREATE INDEX turn_joins_conversation ON mamori.turn_joins (conversation_id);
COMMENT ON TABLE mamori.turn_joins IS 'Messages that wait for the turn under way to answer them too';
COMMENT ON COLUMN mamori.turn_joins.message_id IS 'The message, which its own turn stores';
COMMENT ON COLUMN mamori.turn_joins.conversation_id IS 'The conversation';
COMMENT ON COLUMN mamori.turn_joins.text IS 'The message as sent';

CREATE FUNCTION mamori.begin_turn(conversation uuid, holder uuid, message uuid, text text,
				  is_proved boolean, lease_ms integer)
RETURNS TABLE (state text, answered_with uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	held mamori.turn_leases;
	waiting_bytes bigint;
BEGIN
	-- A lease that ends between the two statements is looked for again.
	FOR attempt IN 1 .. 3 LOOP
		INSERT INTO mamori.turn_leases AS l (conversation_id, holder, message_id, until)
		VALUES (conversation, begin_turn.holder, message,
			now() + lease_ms * interval '1 millisecond')
		ON CONFLICT (conversation_id) DO UPDATE
		SET holder = excluded.holder, message_id = excluded.message_id,
		    until = excluded.until, is_full = false
		WHERE l.until < now();
		IF FOUND THEN
			DELETE FROM mamori.turn_joins AS j WHERE j.conversation_id = conversation;
			RETURN QUERY SELECT 'holds', NULL::uuid;
			RETURN;
		END IF;
		SELECT * INTO held FROM mamori.turn_leases AS l
		WHERE l.conversation_id = conversation FOR UPDATE;
		EXIT WHEN FOUND;
	END LOOP;
	IF NOT is_proved THEN
		RETURN QUERY SELECT 'denied', NULL::uuid;
		RETURN;
	END IF;
	SELECT coalesce(sum(octet_length(j.text)), 0) INTO waiting_bytes
	FROM mamori.turn_joins AS j WHERE j.conversation_id = conversation;
	IF held.conversation_id IS NULL OR held.is_full
	   OR waiting_bytes + octet_length(begin_turn.text) > 65536
	THEN
		RETURN QUERY SELECT 'full', NULL::uuid;
		RETURN;
	END IF;
	INSERT INTO mamori.turn_joins (message_id, conversation_id, text)
	VALUES (message, conversation, begin_turn.text);
	RETURN QUERY SELECT 'joined', held.message_id;
END
$$;
COMMENT ON FUNCTION mamori.begin_turn IS
	'holds: ask the model; joined: the turn of answered_with answers this too; full: too many, later; denied: another''s';

CREATE FUNCTION mamori.take_joins(conversation uuid, holder uuid, is_last boolean)
RETURNS TABLE (message_id uuid, text text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM mamori.turn_leases AS l
	WHERE l.conversation_id = conversation AND l.holder = take_joins.holder FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH taken AS (
		DELETE FROM mamori.turn_joins AS j WHERE j.conversation_id = conversation
		RETURNING j.message_id, j.text
	)
	SELECT taken.message_id, taken.text FROM taken ORDER BY taken.message_id;
	IF FOUND THEN
		UPDATE mamori.turn_leases AS l SET is_full = is_last
		WHERE l.conversation_id = conversation;
	ELSE
		DELETE FROM mamori.turn_leases AS l WHERE l.conversation_id = conversation;
	END IF;
END
$$;
COMMENT ON FUNCTION mamori.take_joins IS
	'The messages that joined, once; with none of them the turn has ended and the next message begins another';

CREATE FUNCTION mamori.end_turn(conversation uuid, holder uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM mamori.turn_leases AS l
	WHERE l.conversation_id = conversation AND l.holder = end_turn.holder
$$;
COMMENT ON FUNCTION mamori.end_turn IS 'Ends a turn, whatever joined it';

-- ---- upkeep

CREATE FUNCTION mamori.purge_turns(hours_kept integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	purged integer;
BEGIN
	IF hours_kept < 24 OR hours_kept IS NULL THEN
		RAISE EXCEPTION 'answers are kept for 24 hours at least'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DELETE FROM mamori.turn_keys WHERE at < now() - hours_kept * interval '1 hour';
	GET DIAGNOSTICS purged = ROW_COUNT;
	DELETE FROM mamori.turn_leases WHERE until < now();
	RETURN purged;
END
$$;
COMMENT ON FUNCTION mamori.purge_turns IS
	'Forgets the answers for retries that are older, and turns whose worker is dead; how many answers';

GRANT EXECUTE ON FUNCTION mamori.claim_turn(text, text, uuid, integer),
	mamori.release_turn(text, uuid), mamori.turn_state(uuid, integer),
	mamori.begin_turn(uuid, uuid, uuid, text, boolean, integer),
	mamori.take_joins(uuid, uuid, boolean), mamori.end_turn(uuid, uuid) TO mamori_chat;
GRANT EXECUTE ON FUNCTION mamori.purge_turns(integer) TO mamori_admin;

RESET ROLE;
