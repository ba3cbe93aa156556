-- The knowledge base: articles that answers come from, and questions that found none.
--
-- An article is known by its title and language: importing a file again changes what has changed.
-- Workers keep all articles in memory and look at kb_version to see whether to read them again.

SET LOCAL ROLE mamori_owner;

CREATE TABLE mamori.kb_articles (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	title text NOT NULL CHECK (title <> '' AND char_length(title) <= 200),
	body text NOT NULL CHECK (body <> '' AND char_length(body) <= 20000),
	tags text[] NOT NULL DEFAULT '{}',
	language text NOT NULL CHECK (language IN ('ja', 'en')),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT kb_articles_title UNIQUE (title, language)
);
COMMENT ON TABLE mamori.kb_articles IS 'What the bot answers from; written by mamori kb import';
COMMENT ON COLUMN mamori.kb_articles.id IS 'Named in the sources of an answer';
COMMENT ON COLUMN mamori.kb_articles.title IS 'What the article is about; unique in its language';
COMMENT ON COLUMN mamori.kb_articles.body IS 'What the customer is told';
COMMENT ON COLUMN mamori.kb_articles.tags IS 'Other words that customers use for it';
COMMENT ON COLUMN mamori.kb_articles.language IS 'Language of the text';
COMMENT ON COLUMN mamori.kb_articles.created_at IS 'When it was imported first';
COMMENT ON COLUMN mamori.kb_articles.updated_at IS 'When its text or tags changed last';

CREATE TABLE mamori.kb_state (
	is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	version bigint NOT NULL DEFAULT 1
);
INSERT INTO mamori.kb_state DEFAULT VALUES;
COMMENT ON TABLE mamori.kb_state IS 'One row';
COMMENT ON COLUMN mamori.kb_state.is_only IS 'Keeps it at one row';
COMMENT ON COLUMN mamori.kb_state.version IS 'Grows with every change of kb_articles';

CREATE TABLE mamori.kb_gaps (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL,
	at timestamptz NOT NULL,
	language text NOT NULL CHECK (language IN ('ja', 'en')),
	question text NOT NULL CHECK (char_length(question) <= 500)
);
CREATE INDEX kb_gaps_at ON mamori.kb_gaps (at);
COMMENT ON TABLE mamori.kb_gaps IS 'Questions that no article answered';
COMMENT ON COLUMN mamori.kb_gaps.id IS 'The customer''s message; no foreign key, because its partition is dropped before this row';
COMMENT ON COLUMN mamori.kb_gaps.conversation_id IS 'Where it was asked; no foreign key, for the same reason';
COMMENT ON COLUMN mamori.kb_gaps.at IS 'When it was asked';
COMMENT ON COLUMN mamori.kb_gaps.language IS 'Language of the question';
COMMENT ON COLUMN mamori.kb_gaps.question IS 'The question with personal data masked, cut at 500 characters';

CREATE FUNCTION mamori.count_kb_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP <> 'TRUNCATE' THEN
		IF NOT EXISTS (SELECT FROM changed) THEN
			RETURN NULL;
		END IF;
	END IF;
	UPDATE mamori.kb_state SET version = version + 1;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION mamori.count_kb_change IS 'Trigger of kb_articles: rows were changed, so another version';
CREATE TRIGGER kb_articles_insert AFTER INSERT ON mamori.kb_articles
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mamori.count_kb_change();
CREATE TRIGGER kb_articles_update AFTER UPDATE ON mamori.kb_articles
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mamori.count_kb_change();
CREATE TRIGGER kb_articles_delete AFTER DELETE ON mamori.kb_articles
	REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mamori.count_kb_change();
CREATE TRIGGER kb_articles_truncate AFTER TRUNCATE ON mamori.kb_articles
	FOR EACH STATEMENT EXECUTE FUNCTION mamori.count_kb_change();

-- What every worker keeps in memory is bounded.
CREATE FUNCTION mamori.check_kb_size() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	articles bigint;
	bytes bigint;
BEGIN
	SELECT count(*), coalesce(sum(octet_length(title) + octet_length(body)), 0)
	INTO articles, bytes FROM mamori.kb_articles;
	IF articles > 10000 OR bytes > 33554432 THEN
		RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded',
			MESSAGE = format('there would be %s articles of %s MiB; 10000 of 32 MiB fit',
					 articles, ceil(bytes / 1048576.0)),
			HINT = 'Leave out or remove articles.';
	END IF;
END
$$;
COMMENT ON FUNCTION mamori.check_kb_size IS 'Rejects what would not fit into the memory of a worker';

-- The lock lets one import run at a time; with is_whole what the file does not have is removed.
CREATE FUNCTION mamori.import_articles(articles json, is_whole boolean, OUT added integer,
				       OUT changed integer, OUT unchanged integer,
				       OUT removed integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF (SELECT count(*) <> count(DISTINCT (w.title, w.language))
	    FROM json_to_recordset(articles) AS w(title text, language text)) THEN
		RAISE EXCEPTION USING ERRCODE = 'unique_violation',
			MESSAGE = 'two articles have the same title and language';
	END IF;
	LOCK TABLE mamori.kb_articles IN SHARE ROW EXCLUSIVE MODE;
	removed := 0;
	IF is_whole THEN
		DELETE FROM mamori.kb_articles AS old WHERE NOT EXISTS (
			SELECT FROM json_to_recordset(articles) AS w(title text, language text)
			WHERE w.title = old.title AND w.language = old.language);
		GET DIAGNOSTICS removed = ROW_COUNT;
	END IF;
	UPDATE mamori.kb_articles AS old
	SET body = w.body, tags = coalesce(w.tags, '{}'), updated_at = now()
	FROM json_to_recordset(articles) AS w(title text, body text, tags text[], language text)
	WHERE w.title = old.title AND w.language = old.language
	  AND (w.body, coalesce(w.tags, '{}')) IS DISTINCT FROM (old.body, old.tags);
	GET DIAGNOSTICS changed = ROW_COUNT;
	INSERT INTO mamori.kb_articles (title, body, tags, language)
	SELECT w.title, w.body, coalesce(w.tags, '{}'), w.language
	FROM json_to_recordset(articles) AS w(title text, body text, tags text[], language text)
	ON CONFLICT (title, language) DO NOTHING;
	GET DIAGNOSTICS added = ROW_COUNT;
	unchanged := json_array_length(articles) - added - changed;
	PERFORM mamori.check_kb_size();
END
$$;
COMMENT ON FUNCTION mamori.import_articles IS
	'Stores a JSON array of {title, body, tags, language} by title and language; idempotent';

CREATE FUNCTION mamori.remove_articles(which text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	removed integer;
BEGIN
	DELETE FROM mamori.kb_articles WHERE id::text = which OR title = which;
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END
$$;
COMMENT ON FUNCTION mamori.remove_articles IS
	'Removes the article of an id, or those of a title, in whatever language; returns how many';

CREATE FUNCTION mamori.load_articles()
RETURNS TABLE (version bigint, id uuid, title text, body text, tags text, language text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.version, a.id, a.title, a.body, array_to_string(a.tags, ', '), a.language
	FROM mamori.kb_state AS s LEFT JOIN mamori.kb_articles AS a ON true ORDER BY a.title, a.id
$$;
COMMENT ON FUNCTION mamori.load_articles IS
	'All articles, each with the version; one row without an article when there is none';

CREATE FUNCTION mamori.kb_version() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT version FROM mamori.kb_state $$;
COMMENT ON FUNCTION mamori.kb_version IS 'Changes whenever the articles do';

-- A gap is a member of a turn's record.
CREATE FUNCTION mamori.insert_gaps(records json) RETURNS void
LANGUAGE sql
AS $$
	INSERT INTO mamori.kb_gaps (id, conversation_id, at, language, question)
	SELECT g.id, (r.conversation ->> 'id')::uuid, mamori.utc_of(r.at), g.language,
	       left(g.question, 500)
	FROM json_to_recordset(records) AS r(at bigint, conversation json, gap json),
	     json_to_record(r.gap) AS g(id uuid, language text, question text)
	WHERE json_typeof(r.gap) = 'object'
	ON CONFLICT (id) DO NOTHING
$$;
COMMENT ON FUNCTION mamori.insert_gaps IS 'The unanswered questions of apply_turns';

-- Bounded by age and by number: whoever asks what is not answered could fill the disk.
CREATE FUNCTION mamori.trim_gaps(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	removed integer;
BEGIN
	DELETE FROM mamori.kb_gaps
	WHERE at < now() - make_interval(months => CASE WHEN months > 0 THEN months ELSE 13 END)
	   OR at < (SELECT newest.at FROM mamori.kb_gaps AS newest ORDER BY newest.at DESC
		    OFFSET 99999 LIMIT 1);
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END
$$;
COMMENT ON FUNCTION mamori.trim_gaps IS
	'Removes unanswered questions older than so many months (0: 13) and all but the newest 100000';

CREATE OR REPLACE FUNCTION mamori.apply_turns(records json) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inserted integer := mamori.store_turns(records);
BEGIN
	-- Most turns leave nothing more, which a search tells sooner than reading them again.
	IF position('"idempotency"' IN records::text) + position('"notice"' IN records::text) > 0 THEN
		PERFORM mamori.leave_behind(records);
	END IF;
	IF position('"gap"' IN records::text) > 0 THEN
		PERFORM mamori.insert_gaps(records);
	END IF;
	RETURN inserted;
END
$$;

GRANT EXECUTE ON FUNCTION mamori.load_articles(), mamori.kb_version()
	TO mamori_chat, mamori_admin;
GRANT EXECUTE ON FUNCTION mamori.import_articles(json, boolean), mamori.remove_articles(text),
	mamori.trim_gaps(integer) TO mamori_admin;

RESET ROLE;
