-- Articles are imported by title and language, and what nothing answered is kept.
BEGIN;
SELECT plan(33);

CREATE FUNCTION pg_temp.import(articles json, is_whole boolean DEFAULT false) RETURNS text
LANGUAGE sql AS $$
	SELECT format('%s added, %s changed, %s unchanged, %s removed', added, changed, unchanged,
		      removed)
	FROM mamori.import_articles(articles, is_whole)
$$;

SELECT results_eq('SELECT version, title FROM mamori.load_articles()',
		  $$ VALUES (1::bigint, NULL::text) $$, 'an empty base has a version');
SELECT is(pg_temp.import('[{"title":"送料","body":"550円","tags":["配送料","無料"],"language":"ja"},
			   {"title":"Fees","body":"550 yen","language":"en"}]'),
	  '2 added, 0 changed, 0 unchanged, 0 removed', 'two');
SELECT is(mamori.kb_version(), 2::bigint, 'another version');
SELECT results_eq('SELECT version, title, body, tags, language FROM mamori.load_articles()',
		  $$ VALUES (2::bigint, 'Fees', '550 yen', '', 'en'),
			    (2, '送料', '550円', '配送料, 無料', 'ja') $$, 'as they were sent');
SELECT is(pg_temp.import('[{"title":"送料","body":"550円","tags":["配送料","無料"],"language":"ja"}]'),
	  '0 added, 0 changed, 1 unchanged, 0 removed', 'again');
SELECT is(mamori.kb_version(), 2::bigint, 'no other version');
SELECT is(pg_temp.import('[{"title":"送料","body":"600円","tags":["配送料","無料"],"language":"ja"}]'),
	  '0 added, 1 changed, 0 unchanged, 0 removed', 'another body');
SELECT is(pg_temp.import('[{"title":"送料","body":"600円","language":"ja"}]'),
	  '0 added, 1 changed, 0 unchanged, 0 removed', 'other tags');
SELECT is(pg_temp.import('[{"title":"送料","body":"600 yen","language":"en"}]'),
	  '1 added, 0 changed, 0 unchanged, 0 removed', 'another language');
SELECT is(mamori.kb_version(), 5::bigint, 'three versions');
SELECT is((SELECT count(DISTINCT id) FROM mamori.kb_articles), 3::bigint, 'three articles');
SELECT is(pg_temp.import('[{"title":"送料","body":"600円","language":"ja"},
			   {"title":"返品","body":"8日","language":"ja"}]', true),
	  '1 added, 0 changed, 1 unchanged, 2 removed', 'the whole base');
SELECT set_eq('SELECT title, language FROM mamori.kb_articles',
	      $$ VALUES ('送料', 'ja'), ('返品', 'ja') $$, 'is what was sent');
SELECT throws_ok(format('SELECT pg_temp.import(%L)', bad), state, NULL, bad)
FROM (VALUES ('[{"title":"","body":"x","language":"ja"}]', '23514'),
	     ('[{"title":"x","body":null,"language":"ja"}]', '23502'),
	     ('[{"title":"x","body":"y","language":"fr"}]', '23514')) AS row (bad, state);

SELECT throws_ok($$ SELECT pg_temp.import('[{"title":"x","body":"1","language":"ja"},
					     {"title":"x","body":"2","language":"ja"}]') $$,
		 '23505', NULL, 'the same title twice');
SELECT is((SELECT count(*) FROM mamori.kb_articles WHERE title = 'x'), 0::bigint,
	  'what is refused changes nothing');
SELECT throws_ok($$ SELECT pg_temp.import((SELECT json_agg(json_build_object('title', 'n' || n,
				'body', 'b', 'language', 'ja'))
			 FROM generate_series(1, 9999) AS n)) $$,
		 '54000', 'there would be 10001 articles of 1 MiB; 10000 of 32 MiB fit',
		 'more articles than fit');
SELECT throws_ok($$ SELECT pg_temp.import((SELECT json_agg(json_build_object('title', 'n' || n,
				'body', repeat('あ', 20000), 'language', 'ja'))
			 FROM generate_series(1, 560) AS n)) $$,
		 '54000', 'there would be 562 articles of 33 MiB; 10000 of 32 MiB fit',
		 'more text than fits');
SELECT is(mamori.remove_articles('送料'), 1, 'removed by title');
SELECT is(mamori.remove_articles('送料'), 0, 'once');
SELECT is(mamori.remove_articles((SELECT id::text FROM mamori.kb_articles)), 1, 'removed by id');
SELECT is_empty('SELECT title FROM mamori.kb_articles', 'none is left');

-- The gap of a turn.
CREATE FUNCTION pg_temp.ask(number integer, gap text) RETURNS integer LANGUAGE sql AS $$
	SELECT mamori.apply_turns(json_build_array(
		tap.turn(number, jsonb_build_array(tap.message(number + 1))) || jsonb_build_object(
		'gap', jsonb_build_object('id', tap.uuid_of(now(), number + 1), 'language', 'ja',
					  'question', gap))))
$$;
SELECT is(pg_temp.ask(1, '駐車場は？'), 1, 'a turn with a gap');
SELECT is(pg_temp.ask(1, '駐車場は？'), 0, 'the same turn again');
SELECT is(pg_temp.ask(3, repeat('あ', 600)), 1, 'a long question');
SELECT results_eq('SELECT conversation_id, language, char_length(question) FROM mamori.kb_gaps
		   ORDER BY id',
		  $$ VALUES (tap.uuid_of(now(), 1), 'ja', 5), (tap.uuid_of(now(), 3), 'ja', 500) $$,
		  'two gaps');
INSERT INTO mamori.kb_gaps (id, conversation_id, at, language, question)
SELECT gen_random_uuid(), gen_random_uuid(), now() - make_interval(months => months), 'ja', 'old'
FROM unnest(ARRAY[2, 12, 14]) AS months;
SELECT is(mamori.trim_gaps(0), 1, 'gaps of more than a year go');
SELECT is(mamori.trim_gaps(3), 1, 'or as long as is asked for');
INSERT INTO mamori.kb_gaps (id, conversation_id, at, language, question)
SELECT gen_random_uuid(), gen_random_uuid(), now() - make_interval(secs => 60 + n), 'ja', 'flood'
FROM generate_series(1, 100005) AS n;
SELECT is(mamori.trim_gaps(0), 8, 'or more than 100000');
SELECT is((SELECT count(*) FROM mamori.kb_gaps WHERE question <> 'flood'), 2::bigint,
	  'the newest stay');
SELECT is(tap.apply_turns(tap.turn(5, jsonb_build_array(tap.message(6)))), 1,
	  'a turn without a gap');

SELECT * FROM finish();
ROLLBACK;
