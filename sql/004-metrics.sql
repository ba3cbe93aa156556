-- daily_metrics: figures a day, computed by mamori refresh.
--
-- A day is a day of the time zone in the database's setting mamori.time_zone, UTC without it:
--   ALTER DATABASE mamori SET mamori.time_zone = 'Asia/Tokyo';

SET LOCAL ROLE mamori_owner;

CREATE FUNCTION mamori.day_of(moment timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (moment AT TIME ZONE
	coalesce(nullif(current_setting('mamori.time_zone', true), ''), 'UTC'))::date;
COMMENT ON FUNCTION mamori.day_of IS 'The day of a moment in the time zone of the metrics';

CREATE MATERIALIZED VIEW mamori.daily_metrics AS
WITH conversation AS (
	SELECT mamori.day_of(created_at) AS day, count(*) AS conversations, avg(csat) AS csat,
	       count(csat) AS csat_count
	FROM mamori.conversations GROUP BY 1
), message AS (
	SELECT mamori.day_of(at) AS day, count(*) AS messages,
	       count(*) FILTER (WHERE role = 'customer') AS customer_messages,
	       count(*) FILTER (WHERE role = 'customer' AND sentiment = 'anger') AS anger
	FROM mamori.messages GROUP BY 1
), event AS (
	SELECT mamori.day_of(at) AS day,
	       count(*) FILTER (WHERE severity = 'medium') AS medium,
	       count(*) FILTER (WHERE severity = 'high') AS high,
	       count(*) FILTER (WHERE severity = 'critical') AS critical
	FROM mamori.harassment_events GROUP BY 1
), handoff AS (
	SELECT mamori.day_of(h.at) AS day, count(*) AS handoffs,
	       count(*) FILTER (WHERE h.reason = 'severity') AS severity,
	       count(*) FILTER (WHERE h.reason = 'self_harm') AS self_harm,
	       count(*) FILTER (WHERE h.reason = 'human_requested') AS human_requested,
	       count(*) FILTER (WHERE h.reason = 'anger') AS anger,
	       count(*) FILTER (WHERE h.reason = 'fallback') AS fallback,
	       avg(extract(epoch FROM h.at - c.created_at) / 60) AS minutes
	FROM mamori.handoffs AS h JOIN mamori.conversations AS c ON c.id = h.conversation_id
	GROUP BY 1
), analysis AS (
	SELECT mamori.day_of(at) AS day, count(*) AS analyses,
	       count(*) FILTER (WHERE severity IN ('medium', 'high', 'critical')) AS harassment
	FROM mamori.analysis_logs GROUP BY 1
)
SELECT day,
       coalesce(conversation.conversations, 0) AS conversations,
       coalesce(message.messages, 0) AS messages,
       coalesce(message.customer_messages, 0) AS customer_messages,
       coalesce(event.medium, 0) AS harassment_medium,
       coalesce(event.high, 0) AS harassment_high,
       coalesce(event.critical, 0) AS harassment_critical,
       coalesce(message.anger, 0) AS anger,
       coalesce(handoff.handoffs, 0) AS handoffs,
       coalesce(handoff.severity, 0) AS handoffs_severity,
       coalesce(handoff.self_harm, 0) AS handoffs_self_harm,
       coalesce(handoff.human_requested, 0) AS handoffs_human_requested,
       coalesce(handoff.anger, 0) AS handoffs_anger,
       coalesce(handoff.fallback, 0) AS handoffs_fallback,
       round(handoff.minutes, 2) AS minutes_to_handoff_mean,
       round(conversation.csat, 2) AS csat_mean,
       coalesce(conversation.csat_count, 0) AS csat_count,
       coalesce(analysis.analyses, 0) AS analyses,
       coalesce(analysis.harassment, 0) AS analyses_harassment
FROM conversation
FULL JOIN message USING (day)
FULL JOIN event USING (day)
FULL JOIN handoff USING (day)
FULL JOIN analysis USING (day);
CREATE UNIQUE INDEX daily_metrics_day ON mamori.daily_metrics (day);

COMMENT ON MATERIALIZED VIEW mamori.daily_metrics IS 'Figures a day, as of the last mamori refresh';
COMMENT ON COLUMN mamori.daily_metrics.day IS 'In the time zone of the setting mamori.time_zone, else UTC';
COMMENT ON COLUMN mamori.daily_metrics.conversations IS 'Conversations begun';
COMMENT ON COLUMN mamori.daily_metrics.messages IS 'Messages of all roles';
COMMENT ON COLUMN mamori.daily_metrics.customer_messages IS 'Messages of customers';
COMMENT ON COLUMN mamori.daily_metrics.harassment_medium IS 'Harassment events by severity';
COMMENT ON COLUMN mamori.daily_metrics.harassment_high IS 'Harassment events by severity';
COMMENT ON COLUMN mamori.daily_metrics.harassment_critical IS 'Harassment events by severity';
COMMENT ON COLUMN mamori.daily_metrics.anger IS 'Customers'' messages in anger';
COMMENT ON COLUMN mamori.daily_metrics.handoffs IS 'Handoffs to a person';
COMMENT ON COLUMN mamori.daily_metrics.handoffs_severity IS 'Handoffs by reason';
COMMENT ON COLUMN mamori.daily_metrics.handoffs_self_harm IS 'Handoffs by reason';
COMMENT ON COLUMN mamori.daily_metrics.handoffs_human_requested IS 'Handoffs by reason';
COMMENT ON COLUMN mamori.daily_metrics.handoffs_anger IS 'Handoffs by reason';
COMMENT ON COLUMN mamori.daily_metrics.handoffs_fallback IS 'Handoffs by reason';
COMMENT ON COLUMN mamori.daily_metrics.minutes_to_handoff_mean IS 'From the first message to the handoff; null without handoffs';
COMMENT ON COLUMN mamori.daily_metrics.csat_mean IS 'Of the conversations begun that day; null without answers';
COMMENT ON COLUMN mamori.daily_metrics.csat_count IS 'Answers behind csat_mean';
COMMENT ON COLUMN mamori.daily_metrics.analyses IS 'Messages judged by the analyze endpoint';
COMMENT ON COLUMN mamori.daily_metrics.analyses_harassment IS 'Of these, harassment: medium and above';

CREATE FUNCTION mamori.refresh_metrics() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	REFRESH MATERIALIZED VIEW CONCURRENTLY mamori.daily_metrics;
END
$$;
COMMENT ON FUNCTION mamori.refresh_metrics IS 'Computes daily_metrics anew without blocking readers';

GRANT EXECUTE ON FUNCTION mamori.refresh_metrics() TO mamori_admin;

RESET ROLE;
