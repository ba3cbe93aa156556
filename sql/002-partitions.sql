-- Months: partitions of messages and analysis_logs, made ahead, made on demand, dropped.
--
-- There is no default partition: rows in it would block making the month they belong to. An id
-- outside all partitions (a spool drained after months, a wrong clock) makes its month on demand,
-- see apply_analyses and apply_turns. Months before 2020 or more than 35 days ahead are refused,
-- so that a broken clock cannot fill the database with empty tables: the journal sets such records
-- aside with the reason.

SET LOCAL ROLE mamori_owner;

CREATE FUNCTION mamori.uuid_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0')
	|| repeat('0', 20))::uuid;
COMMENT ON FUNCTION mamori.uuid_at IS
	'The bound of UUIDv7 ids at a moment: ids of that millisecond and later are not smaller';

CREATE FUNCTION mamori.uuid_time(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0);
COMMENT ON FUNCTION mamori.uuid_time IS 'The time that a UUIDv7 carries';

CREATE FUNCTION mamori.make_partition(parent text, month timestamptz) RETURNS boolean
LANGUAGE plpgsql SET client_min_messages = 'error' SET timezone = 'UTC'
AS $$
DECLARE
	first timestamptz := date_trunc('month', month);
	name text := parent || to_char(first, '_YYYYMM');
BEGIN
	IF to_regclass('mamori.' || quote_ident(name)) IS NOT NULL THEN
		RETURN false;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('mamori partitions'));
	IF to_regclass('mamori.' || quote_ident(name)) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- ATTACH locks the parent less than CREATE TABLE ... PARTITION OF would.
	EXECUTE format('CREATE TABLE mamori.%I (LIKE mamori.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
		       name, parent);
	EXECUTE format('ALTER TABLE mamori.%I ATTACH PARTITION mamori.%I FOR VALUES FROM (%L) TO (%L)',
		       parent, name, mamori.uuid_at(first),
		       mamori.uuid_at(first + interval '1 month'));
	RETURN true;
END
$$;
COMMENT ON FUNCTION mamori.make_partition IS
	'Makes the partition of a month (UTC), true; false when it is there';

CREATE FUNCTION mamori.make_partitions_for(parent text, ids uuid[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	month timestamptz;
BEGIN
	FOR month IN SELECT DISTINCT date_trunc('month', mamori.uuid_time(id), 'UTC')
		     FROM unnest(ids) AS id ORDER BY 1
	LOOP
		IF month < '2020-01-01 00:00+00' OR month > now() + interval '35 days' THEN
			RAISE EXCEPTION 'an id of % is outside the months that are stored',
				to_char(month, 'YYYY-MM')
				USING ERRCODE = 'datetime_field_overflow';
		END IF;
		PERFORM mamori.make_partition(parent, month);
	END LOOP;
END
$$;
COMMENT ON FUNCTION mamori.make_partitions_for IS
	'Makes the partitions that rows with these ids need; refuses absurd times';

CREATE FUNCTION mamori.ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
	parent text;
	ahead integer;
	made integer := 0;
BEGIN
	-- The month before this one too: spooled records and slow clocks.
	FOR ahead IN -1 .. least(greatest(months_ahead, 0), 24) LOOP
		FOREACH parent IN ARRAY ARRAY['messages', 'analysis_logs'] LOOP
			IF mamori.make_partition(parent, date_trunc('month', now(), 'UTC')
							 + ahead * interval '1 month')
			THEN
				made := made + 1;
			END IF;
		END LOOP;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION mamori.ensure_partitions IS
	'Makes the partitions from last month to months_ahead (0 to 24) months ahead; how many were made';

CREATE FUNCTION mamori.drop_partitions(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' SET timezone = 'UTC'
AS $$
DECLARE
	partition record;
	dropped integer := 0;
BEGIN
	IF before IS NULL OR before > now() THEN
		RAISE EXCEPTION 'retention must end in the past' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR partition IN
		SELECT child.relname
		FROM pg_inherits
		JOIN pg_class AS child ON child.oid = inhrelid
		WHERE inhparent IN ('mamori.messages'::regclass, 'mamori.analysis_logs'::regclass)
		  AND to_timestamp(right(child.relname, 6), 'YYYYMM') + interval '1 month' <= before
		ORDER BY child.relname
	LOOP
		EXECUTE format('DROP TABLE mamori.%I', partition.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END
$$;
COMMENT ON FUNCTION mamori.drop_partitions IS
	'Drops the months that ended before the given moment; conversations, events and handoffs stay';

SELECT mamori.ensure_partitions(3);

GRANT EXECUTE ON FUNCTION mamori.ensure_partitions(integer),
	mamori.drop_partitions(timestamptz), mamori.uuid_at(timestamptz),
	mamori.uuid_time(uuid) TO mamori_admin;

RESET ROLE;
