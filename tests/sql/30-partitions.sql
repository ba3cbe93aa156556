-- Months: where rows go, what happens outside of them, what retention drops.
BEGIN;
SELECT plan(17);

CREATE FUNCTION pg_temp.month_name(parent text, months integer) RETURNS text LANGUAGE sql
RETURN parent || to_char((now() + months * interval '1 month') AT TIME ZONE 'UTC', '_YYYYMM');

SELECT has_table('mamori'::name, pg_temp.month_name(parent, months)::name)
FROM unnest(ARRAY['messages', 'analysis_logs']) AS parent, unnest(ARRAY[-1, 0, 3]) AS months;
SELECT is(mamori.ensure_partitions(3), 0, 'all there');
SELECT is(mamori.ensure_partitions(4), 2, 'one more month of each');

SELECT tap.apply_analyses(tap.analysis(1, now()));
SELECT tap.apply_turns(tap.turn(2, jsonb_build_array(tap.message(3))));
SELECT is((SELECT tableoid::regclass::text FROM mamori.analysis_logs
	   WHERE id = tap.uuid_of(now(), 1)),
	  'mamori.' || pg_temp.month_name('analysis_logs', 0), 'an analysis goes to its month');
SELECT is((SELECT tableoid::regclass::text FROM mamori.messages WHERE id = tap.uuid_of(now(), 3)),
	  'mamori.' || pg_temp.month_name('messages', 0), 'a message goes to its month');

-- A spool drained after months: the batch makes the months that it needs.
SELECT is(tap.apply_analyses(tap.analysis(4, now() - interval '14 months'), tap.analysis(5),
			     tap.analysis(6, now() - interval '9 months')), 3, 'an old spool');
SELECT is(tap.apply_turns(tap.turn(7, jsonb_build_array(
		tap.message(8, 'customer', now() - interval '14 months')), '[]', 'null',
		now() - interval '14 months')), 1, 'an old turn');

-- A clock gone wrong: refused, so that the journal sets the record aside.
SELECT throws_ok(format('SELECT tap.apply_analyses(tap.analysis(1, %L))', moment), '22008', NULL,
		 moment)
FROM unnest(ARRAY['1970-01-01 00:00Z', '2100-01-01 00:00Z']) AS moment;

SELECT is(mamori.drop_partitions(now() - interval '13 months'), 2, 'months past retention');
SELECT is((SELECT count(*)::integer FROM mamori.analysis_logs
	   WHERE id IN (tap.uuid_of(now() - interval '14 months', 4),
			tap.uuid_of(now() - interval '9 months', 6))), 1, 'the others stay');
SELECT throws_ok($$SELECT mamori.drop_partitions(now() + interval '1 day')$$, '22023', NULL,
		 'the future is not dropped');

SELECT * FROM finish();
ROLLBACK;
