-- daily_metrics: figures of a day far from the days of other tests.
BEGIN;
SELECT plan(7);

CREATE FUNCTION pg_temp.moment(minutes integer) RETURNS timestamptz LANGUAGE sql
RETURN '2026-03-04 10:00Z'::timestamptz + minutes * interval '1 minute';

SELECT tap.apply_turns(
	tap.turn(1, jsonb_build_array(
			tap.message(11, 'customer', pg_temp.moment(0), '{"sentiment":"anger"}'),
			tap.message(12, 'bot', pg_temp.moment(0))),
		 jsonb_build_array(tap.event(13, 11, pg_temp.moment(0)),
				   tap.event(14, 11, pg_temp.moment(0), '{"severity":"critical"}')),
		 tap.handoff(15, pg_temp.moment(5)), pg_temp.moment(0)),
	tap.turn(2, jsonb_build_array(tap.message(21, 'customer', pg_temp.moment(0))),
		 jsonb_build_array(tap.event(22, 21, pg_temp.moment(0), '{"severity":"medium"}')),
		 tap.handoff(23, pg_temp.moment(10), '{"reason":"self_harm"}'), pg_temp.moment(0)),
	tap.turn(3, jsonb_build_array(tap.message(31, 'customer', pg_temp.moment(0))), '[]', 'null',
		 pg_temp.moment(0)),
	tap.turn(4, jsonb_build_array(tap.message(41, 'customer', pg_temp.moment(900))), '[]', 'null',
		 pg_temp.moment(900)));
UPDATE mamori.conversations SET csat = 5 WHERE id = tap.uuid_of(pg_temp.moment(0), 1);
UPDATE mamori.conversations SET csat = 2 WHERE id = tap.uuid_of(pg_temp.moment(0), 2);
SELECT tap.apply_analyses(tap.analysis(51, pg_temp.moment(0)),
			  tap.analysis(52, pg_temp.moment(0), '{"severity":"low"}'));

SELECT lives_ok('SELECT mamori.refresh_metrics()', 'refresh');
SELECT results_eq($$
	SELECT conversations, messages, customer_messages, harassment_medium, harassment_high,
	       harassment_critical, anger, handoffs, handoffs_severity, handoffs_self_harm,
	       handoffs_human_requested, handoffs_anger, handoffs_fallback
	FROM mamori.daily_metrics WHERE day = '2026-03-04'
$$, 'VALUES (3::bigint, 4::bigint, 3::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint,
	     2::bigint, 1::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint)', 'counts');
SELECT results_eq($$
	SELECT minutes_to_handoff_mean, csat_mean, csat_count, analyses, analyses_harassment
	FROM mamori.daily_metrics WHERE day = '2026-03-04'
$$, 'VALUES (7.50, 3.50, 2::bigint, 2::bigint, 1::bigint)', 'means');
SELECT results_eq($$
	SELECT conversations, messages, minutes_to_handoff_mean, csat_mean
	FROM mamori.daily_metrics WHERE day = '2026-03-05'
$$, 'VALUES (1::bigint, 1::bigint, NULL::numeric, NULL::numeric)', 'the next day in UTC');

SET LOCAL mamori.time_zone = 'America/New_York';
SELECT mamori.refresh_metrics();
SELECT results_eq($$
	SELECT conversations FROM mamori.daily_metrics WHERE day = '2026-03-04'
$$, 'VALUES (4::bigint)', 'one day in another time zone');
SET LOCAL mamori.time_zone = '';
SELECT lives_ok('SELECT mamori.refresh_metrics()', 'an empty setting is UTC');
SELECT index_is_unique('mamori'::name, 'daily_metrics'::name, 'daily_metrics_day'::name);

SELECT * FROM finish();
ROLLBACK;
