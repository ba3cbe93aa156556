-- What four writers left behind that applied the same overlapping batches (concurrent.psql).
-- They commit, so this looks at rows that other files do not make.
BEGIN;
SELECT plan(6);

CREATE TEMP VIEW day AS SELECT date_trunc('day', now(), 'UTC') AS day;
CREATE FUNCTION pg_temp.ids(base integer) RETURNS uuid[] LANGUAGE sql
RETURN (SELECT array_agg(tap.uuid_of(day, base + t))
	FROM generate_series(0, 125) AS t, day);

SELECT is((SELECT count(*)::integer FROM mamori.analysis_logs
	   WHERE id = ANY(pg_temp.ids(500000))), 126, 'analyses');
SELECT is((SELECT count(*)::integer FROM mamori.messages
	   WHERE id = ANY(pg_temp.ids(100000) || pg_temp.ids(200000))), 252, 'messages');
SELECT is((SELECT count(*)::integer FROM mamori.harassment_events
	   WHERE id = ANY(pg_temp.ids(300000))), 126, 'events');
SELECT results_eq($$
	SELECT (SELECT count(*) FROM mamori.handoffs WHERE id = ANY(pg_temp.ids(400000))),
	       (SELECT count(*) FROM mamori.handoff_repeats WHERE id = ANY(pg_temp.ids(400000)))
$$, 'VALUES (2::bigint, 11::bigint)', 'handoffs: of two conversations, and 11 repeats');
SELECT results_eq(
	$$ SELECT sum(message_count)::integer, sum(customer_message_count)::integer,
		  sum(harassment_count)::integer, count(*)::integer
	   FROM mamori.conversations, day
	   WHERE id BETWEEN tap.uuid_of(day, 90000) AND tap.uuid_of(day, 90019) $$,
	'VALUES (252, 126, 126, 20)', 'counters');
SELECT is_empty($$
	SELECT c.id FROM mamori.conversations AS c
	WHERE c.message_count <> (SELECT count(*) FROM mamori.messages AS m
				  WHERE m.conversation_id = c.id)
$$, 'each conversation counts its own');

SELECT * FROM finish();
ROLLBACK;
