-- One open handoff a conversation.
--
-- Turns of one conversation that run at the same time can each hand it over, and a conversation that
-- a person already has is handed over again when it turns urgent. The first is the handoff; the
-- later ones are kept beside it, and raise its priority and the conversation's.

SET LOCAL ROLE mamori_owner;

CREATE TABLE mamori.handoff_repeats (
	id uuid PRIMARY KEY,
	handoff_id uuid NOT NULL REFERENCES mamori.handoffs,
	at timestamptz NOT NULL,
	reason text NOT NULL
		CHECK (reason IN ('severity', 'self_harm', 'human_requested', 'anger', 'fallback')),
	priority mamori.priority NOT NULL,
	summary text NOT NULL,
	context jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX handoff_repeats_handoff ON mamori.handoff_repeats (handoff_id);
COMMENT ON TABLE mamori.handoff_repeats IS 'Handed over again while a handoff was open';
COMMENT ON COLUMN mamori.handoff_repeats.id IS 'UUIDv7, as the client was told it';
COMMENT ON COLUMN mamori.handoff_repeats.handoff_id IS 'The handoff that was open';
COMMENT ON COLUMN mamori.handoff_repeats.at IS 'When the bot handed over again';
COMMENT ON COLUMN mamori.handoff_repeats.reason IS 'Why';
COMMENT ON COLUMN mamori.handoff_repeats.priority IS 'How soon a person is needed';
COMMENT ON COLUMN mamori.handoff_repeats.summary IS 'What the person should know first';
COMMENT ON COLUMN mamori.handoff_repeats.context IS 'Open: issues, order numbers, sentiment history';

-- What is open more than once from before: an assigned one stays, else the first.
LOCK TABLE mamori.handoffs IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO mamori.handoff_repeats (id, handoff_id, at, reason, priority, summary, context)
SELECT id, kept_id, at, reason, priority, summary,
       context || jsonb_strip_nulls(jsonb_build_object('assigned_to', assigned_to))
FROM (SELECT *, first_value(id) OVER (PARTITION BY conversation_id
				      ORDER BY status = 'assigned' DESC, id) AS kept_id
      FROM mamori.handoffs WHERE status <> 'resolved') AS open
WHERE id <> kept_id;

UPDATE mamori.handoffs AS h
SET priority = (ARRAY['normal', 'high', 'urgent'])[repeated.priority_rank]
FROM (SELECT handoff_id, max(mamori.priority_rank(priority)) AS priority_rank
      FROM mamori.handoff_repeats GROUP BY handoff_id) AS repeated
WHERE h.id = repeated.handoff_id AND mamori.priority_rank(h.priority) < repeated.priority_rank;

DELETE FROM mamori.handoffs WHERE id IN (SELECT id FROM mamori.handoff_repeats);

CREATE UNIQUE INDEX handoffs_open ON mamori.handoffs (conversation_id) WHERE status <> 'resolved';
COMMENT ON INDEX mamori.handoffs_open IS
	'At most one open handoff a conversation; whoever opens one locks the conversation first';

-- With the conversations locked. A handoff that is known, as either, is left alone.
CREATE FUNCTION mamori.insert_handoffs(records json) RETURNS integer
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	inserted integer;
BEGIN
	WITH wish AS MATERIALIZED (
		SELECT DISTINCT ON (h.id) h.id, (r.conversation ->> 'id')::uuid AS conversation_id,
		       mamori.utc_of(h.at) AS at, h.reason, h.priority, h.summary,
		       coalesce(h.context, '{}') AS context
		FROM json_to_recordset(records) AS r(conversation json, handoff json),
		     json_to_record(r.handoff) AS h(id uuid, at bigint, reason text, priority text,
						    summary text, context jsonb)
		WHERE json_typeof(r.handoff) = 'object'
		  AND NOT EXISTS (SELECT FROM mamori.handoffs AS known WHERE known.id = h.id)
		  AND NOT EXISTS (SELECT FROM mamori.handoff_repeats AS known WHERE known.id = h.id)
		ORDER BY h.id
	), placed AS MATERIALIZED (
		SELECT wish.*, open.id AS open_id, first_value(wish.id) OVER conversation AS first_id,
		       max(mamori.priority_rank(wish.priority)) OVER conversation AS priority_rank
		FROM wish
		LEFT JOIN mamori.handoffs AS open
		       ON open.conversation_id = wish.conversation_id AND open.status <> 'resolved'
		WINDOW conversation AS (PARTITION BY wish.conversation_id ORDER BY wish.id
				ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
	), opened AS (
		INSERT INTO mamori.handoffs (id, conversation_id, at, reason, priority, summary,
			context)
		SELECT id, conversation_id, at, reason, coalesce(
			(ARRAY['normal', 'high', 'urgent'])[priority_rank], priority), summary, context
		FROM placed WHERE open_id IS NULL AND id = first_id
		ON CONFLICT DO NOTHING
		RETURNING id
	), repeated AS (
		INSERT INTO mamori.handoff_repeats (id, handoff_id, at, reason, priority, summary,
			context)
		SELECT id, coalesce(open_id, first_id), at, reason, priority, summary, context
		FROM placed WHERE open_id IS NOT NULL OR id <> first_id
		ON CONFLICT DO NOTHING
		RETURNING id
	), raised AS (
		UPDATE mamori.handoffs AS h
		SET priority = (ARRAY['normal', 'high', 'urgent'])[placed.priority_rank]
		FROM placed WHERE h.id = placed.open_id
			AND mamori.priority_rank(h.priority) < placed.priority_rank
	), handed_over AS (
		UPDATE mamori.conversations AS c
		SET priority = (ARRAY['normal', 'high', 'urgent'])[
			greatest(mamori.priority_rank(c.priority), placed.priority_rank)],
		    owner = CASE c.status WHEN 'closed' THEN c.owner ELSE 'human' END,
		    status = CASE c.status WHEN 'open' THEN 'waiting' ELSE c.status END
		FROM placed WHERE c.id = placed.conversation_id
	)
	SELECT (SELECT count(*) FROM opened) + (SELECT count(*) FROM repeated) INTO inserted;
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION mamori.insert_handoffs IS
	'The handoffs of apply_turns: opens them, or keeps them beside the open one; rows inserted';

-- Statement 1 inserts the conversations or locks them, always in the order of their ids, so that
-- concurrent batches wait for each other instead of deadlocking. Statement 2 sees what those that
-- were waited for have inserted, and insert_handoffs finds every open handoff.
CREATE OR REPLACE FUNCTION mamori.insert_turns(records json) RETURNS integer
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
		SELECT (r.conversation ->> 'id')::uuid AS conversation_id, r.messages, r.events
		FROM json_to_recordset(records)
			AS r(conversation json, messages json, events json)
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
	), part AS (
		SELECT conversation_id, at, 1 AS messages, (role = 'customer')::integer AS of_customer,
		       0 AS events, severity
		FROM message
		UNION ALL
		SELECT conversation_id, NULL, 0, 0, 1, severity FROM event
	), change AS (
		SELECT conversation_id, max(at) AS at, sum(messages) AS messages,
		       sum(of_customer) AS of_customer, sum(events) AS events,
		       max(mamori.severity_rank(severity)) AS severity_rank,
		       count(*) AS rows
		FROM part GROUP BY conversation_id
	), updated AS (
		UPDATE mamori.conversations AS c
		SET last_message_at = greatest(c.last_message_at, change.at),
		    message_count = c.message_count + change.messages,
		    customer_message_count = c.customer_message_count + change.of_customer,
		    harassment_count = c.harassment_count + change.events,
		    max_severity = (ARRAY['none', 'low', 'medium', 'high', 'critical'])[
			greatest(mamori.severity_rank(c.max_severity), change.severity_rank)]
		FROM change WHERE c.id = change.conversation_id
	)
	SELECT coalesce(sum(rows), 0) INTO inserted FROM change;
	IF EXISTS (SELECT FROM json_to_recordset(records) AS r(handoff json)
		   WHERE json_typeof(r.handoff) = 'object')
	THEN
		inserted := inserted + mamori.insert_handoffs(records);
	END IF;
	RETURN inserted;
END
$$;

RESET ROLE;
