-- Records: what the journal applies, and what a chat turn reads.
--
-- Both apply functions take a JSON array of records and may be called with the same records again,
-- in any order, from several connections at once: rows are inserted by id or not at all, and
-- counters come from rows really inserted. They return how many rows they inserted.

SET LOCAL ROLE mamori_owner;

CREATE FUNCTION mamori.utc_of(ms bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(ms / 1000.0::double precision);
COMMENT ON FUNCTION mamori.utc_of IS 'Milliseconds since the epoch as a timestamp';

-- Not STRICT: that would keep the planner from inlining them.
CREATE FUNCTION mamori.severity_rank(severity text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_position(ARRAY['none', 'low', 'medium', 'high', 'critical'], severity);
COMMENT ON FUNCTION mamori.severity_rank IS '1 for none to 5 for critical, null for null';

CREATE FUNCTION mamori.priority_rank(priority text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_position(ARRAY['normal', 'high', 'urgent'], priority);
COMMENT ON FUNCTION mamori.priority_rank IS '1 for normal to 3 for urgent, null for null';

CREATE FUNCTION mamori.insert_analyses(records json) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	inserted integer;
BEGIN
	INSERT INTO mamori.analysis_logs (id, at, conversation_id, request_id, text, severity,
		categories, confidence, sentiment, risk, signals, findings, engine)
	SELECT r.id, mamori.utc_of(r.at), r.conversation_id, r.request_id, r.text, r.severity,
	       coalesce(r.categories, '{}'), r.confidence, r.sentiment, r.risk,
	       coalesce(r.signals, '{}'), coalesce(r.findings, '[]'), r.engine
	FROM json_to_recordset(records) AS r(id uuid, at bigint, conversation_id uuid,
		request_id text, text text, severity text, categories text[], confidence real,
		sentiment text, risk text, signals text[], findings jsonb, engine text)
	ON CONFLICT (id) DO NOTHING;
	GET DIAGNOSTICS inserted = ROW_COUNT;
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION mamori.insert_analyses IS 'apply_analyses without making partitions';

CREATE FUNCTION mamori.apply_analyses(records json) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	violated text;
BEGIN
	BEGIN
		RETURN mamori.insert_analyses(records);
	EXCEPTION WHEN check_violation THEN
		-- A missing partition is a check violation that names no constraint.
		GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
		IF violated <> '' THEN
			RAISE;
		END IF;
	END;
	PERFORM mamori.make_partitions_for('analysis_logs', ARRAY(
		SELECT r.id FROM json_to_recordset(records) AS r(id uuid)));
	RETURN mamori.insert_analyses(records);
END
$$;
COMMENT ON FUNCTION mamori.apply_analyses IS
	'Stores a JSON array of analysis records; idempotent; returns rows inserted';

-- Statement 1 inserts the conversations or locks them, always in the order of their ids, so that
-- concurrent batches wait for each other instead of deadlocking. Statement 2 sees what those that
-- were waited for have inserted.
CREATE FUNCTION mamori.insert_turns(records json) RETURNS integer
LANGUAGE plpgsql
-- Batches are small and conversations grow: a hash join would read the whole table every time.
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	inserted integer;
BEGIN
	INSERT INTO mamori.conversations AS stored
		(id, created_at, last_message_at, customer_name, owner)
	SELECT DISTINCT ON (c.id) c.id, mamori.utc_of(c.created_at), mamori.utc_of(c.created_at),
	       c.customer_name, coalesce(c.owner, 'bot')
	FROM json_to_recordset(records) AS r(conversation json),
	     json_to_record(r.conversation) AS c(id uuid, created_at bigint, customer_name text,
						 owner text)
	ORDER BY c.id, c.customer_name IS NULL, c.created_at
	ON CONFLICT (id) DO UPDATE SET customer_name = excluded.customer_name
	WHERE stored.customer_name IS NULL AND excluded.customer_name IS NOT NULL;

	WITH turn AS MATERIALIZED (
		SELECT (r.conversation ->> 'id')::uuid AS conversation_id, r.messages, r.events,
		       r.handoff
		FROM json_to_recordset(records)
			AS r(conversation json, messages json, events json, handoff json)
	), message AS (
		INSERT INTO mamori.messages AS stored (id, conversation_id, at, role, text, severity,
			sentiment, confidence, signals, reply_to, is_fallback)
		SELECT m.id, turn.conversation_id, mamori.utc_of(m.at), m.role, m.text, m.severity,
		       m.sentiment, m.confidence, coalesce(m.signals, '{}'), m.reply_to,
		       coalesce(m.is_fallback, false)
		FROM turn, json_to_recordset(turn.messages) AS m(id uuid, at bigint, role text,
			text text, severity text, sentiment text, confidence real, signals text[],
			reply_to uuid, is_fallback boolean)
		WHERE json_typeof(turn.messages) = 'array'
		ON CONFLICT (id) DO NOTHING
		RETURNING stored.conversation_id, stored.at, stored.role, stored.severity
	), event AS (
		INSERT INTO mamori.harassment_events AS stored (id, conversation_id, message_id, at,
			severity, categories, confidence, text, findings, recommendation)
		SELECT e.id, turn.conversation_id, e.message_id, mamori.utc_of(e.at), e.severity,
		       coalesce(e.categories, '{}'), e.confidence, e.text,
		       coalesce(e.findings, '[]'), e.recommendation
		FROM turn, json_to_recordset(turn.events) AS e(id uuid, at bigint, message_id uuid,
			severity text, categories text[], confidence real, text text, findings jsonb,
			recommendation text)
		WHERE json_typeof(turn.events) = 'array'
		ON CONFLICT (id) DO NOTHING
		RETURNING stored.conversation_id, stored.severity
	), handoff AS (
		INSERT INTO mamori.handoffs AS stored (id, conversation_id, at, reason, priority,
			summary, context)
		SELECT h.id, turn.conversation_id, mamori.utc_of(h.at), h.reason, h.priority,
		       h.summary, coalesce(h.context, '{}')
		FROM turn, json_to_record(turn.handoff) AS h(id uuid, at bigint, reason text,
			priority text, summary text, context jsonb)
		WHERE json_typeof(turn.handoff) = 'object'
		ON CONFLICT (id) DO NOTHING
		RETURNING stored.conversation_id, stored.priority
	), part AS (
		SELECT conversation_id, at, 1 AS messages, (role = 'customer')::integer AS of_customer,
		       0 AS events, severity, NULL AS handoff_priority
		FROM message
		UNION ALL
		SELECT conversation_id, NULL, 0, 0, 1, severity, NULL FROM event
		UNION ALL
		SELECT conversation_id, NULL, 0, 0, 0, NULL, priority FROM handoff
	), change AS (
		SELECT conversation_id, max(at) AS at, sum(messages) AS messages,
		       sum(of_customer) AS of_customer, sum(events) AS events,
		       max(mamori.severity_rank(severity)) AS severity_rank,
		       max(mamori.priority_rank(handoff_priority)) AS priority_rank,
		       count(*) AS rows
		FROM part GROUP BY conversation_id
	), updated AS (
		UPDATE mamori.conversations AS c
		SET last_message_at = greatest(c.last_message_at, change.at),
		    message_count = c.message_count + change.messages,
		    customer_message_count = c.customer_message_count + change.of_customer,
		    harassment_count = c.harassment_count + change.events,
		    max_severity = (ARRAY['none', 'low', 'medium', 'high', 'critical'])[
			greatest(mamori.severity_rank(c.max_severity), change.severity_rank)],
		    priority = (ARRAY['normal', 'high', 'urgent'])[
			greatest(mamori.priority_rank(c.priority), change.priority_rank)],
		    owner = CASE WHEN change.priority_rank IS NULL OR c.status = 'closed'
				 THEN c.owner ELSE 'human' END,
		    status = CASE WHEN change.priority_rank IS NULL OR c.status <> 'open'
				  THEN c.status ELSE 'waiting' END
		FROM change WHERE c.id = change.conversation_id
	)
	SELECT coalesce(sum(rows), 0) INTO inserted FROM change;
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION mamori.insert_turns IS 'apply_turns without making partitions';

CREATE FUNCTION mamori.apply_turns(records json) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	violated text;
BEGIN
	BEGIN
		RETURN mamori.insert_turns(records);
	EXCEPTION WHEN check_violation THEN
		GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
		IF violated <> '' THEN
			RAISE;
		END IF;
	END;
	PERFORM mamori.make_partitions_for('messages', ARRAY(
		SELECT m.id
		FROM json_to_recordset(records) AS r(messages json),
		     json_to_recordset(r.messages) AS m(id uuid)));
	RETURN mamori.insert_turns(records);
END
$$;
COMMENT ON FUNCTION mamori.apply_turns IS
	'Stores a JSON array of chat turns; idempotent; returns rows inserted, conversations not counted';

CREATE FUNCTION mamori.conversation_owner(conversation uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE status WHEN 'closed' THEN 'closed' ELSE owner END
	FROM mamori.conversations WHERE id = conversation
$$;
COMMENT ON FUNCTION mamori.conversation_owner IS
	'bot, human or closed; null when there is no such conversation';

-- A day of tolerance below created_at: clocks of several machines. One plan for all partitions,
-- pruned when it runs, is cheaper than planning every call.
CREATE FUNCTION mamori.load_conversation(conversation uuid, history_max integer)
RETURNS TABLE (owner text, created_at bigint, customer_name text, has_open_handoff boolean,
	       message_id uuid, role text, text text, at bigint, severity text, sentiment text,
	       is_fallback boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
	c mamori.conversations;
	is_handed boolean;
BEGIN
	SELECT * INTO c FROM mamori.conversations AS stored WHERE stored.id = conversation;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	is_handed := EXISTS (SELECT FROM mamori.handoffs AS h
			     WHERE h.conversation_id = conversation AND h.status <> 'resolved');
	RETURN QUERY
	SELECT CASE c.status WHEN 'closed' THEN 'closed' ELSE c.owner END,
	       floor(extract(epoch FROM c.created_at) * 1000)::bigint, c.customer_name, is_handed,
	       m.id, m.role, m.text, floor(extract(epoch FROM m.at) * 1000)::bigint,
	       m.severity::text, m.sentiment::text, m.is_fallback
	FROM (SELECT) AS one
	LEFT JOIN (SELECT * FROM mamori.messages AS stored
		   WHERE stored.conversation_id = conversation
		     AND stored.id >= mamori.uuid_at(c.created_at - interval '1 day')
		   ORDER BY stored.id DESC LIMIT greatest(history_max, 0)) AS m ON true
	ORDER BY m.id;
END
$$;
COMMENT ON FUNCTION mamori.load_conversation IS
	'The newest history_max messages, oldest first, each with the conversation''s own columns; one row without a message when there is none; no row when there is no such conversation';

GRANT EXECUTE ON FUNCTION mamori.apply_analyses(json) TO mamori_analyze;
GRANT EXECUTE ON FUNCTION mamori.apply_turns(json), mamori.conversation_owner(uuid),
	mamori.load_conversation(uuid, integer) TO mamori_chat;

RESET ROLE;
