-- Schema mamori: roles, domains, tables.
--
-- Keys are UUIDv7 made by the application. Enumerated columns have domains, so that a list of
-- codes is written once. messages and analysis_logs are partitioned by month on the id itself,
-- which carries its time: see 002-partitions.sql.

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['mamori_owner', 'mamori_chat', 'mamori_analyze',
				      'mamori_health', 'mamori_admin']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted,
				CASE wanted WHEN 'mamori_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);
		END IF;
	END LOOP;
	-- A superuser may act as any role; others must be a member to hand objects over.
	IF NOT pg_catalog.pg_has_role(current_user, 'mamori_owner', 'MEMBER') THEN
		EXECUTE pg_catalog.format('GRANT mamori_owner TO %I', current_user);
	END IF;
END
$$;

ALTER SCHEMA mamori OWNER TO mamori_owner;
ALTER TABLE mamori.migrations OWNER TO mamori_owner;

SET LOCAL ROLE mamori_owner;

COMMENT ON SCHEMA mamori IS 'Customer conversations and the harassment found in them';
COMMENT ON TABLE mamori.migrations IS 'SQL files applied to this database, by mamori migrate';

-- Functions are for the roles they are granted to, those of later files too.
ALTER DEFAULT PRIVILEGES FOR ROLE mamori_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE DOMAIN mamori.severity AS text
	CHECK (VALUE IN ('none', 'low', 'medium', 'high', 'critical'));
COMMENT ON DOMAIN mamori.severity IS 'How bad a message is; harassment from medium on';

CREATE DOMAIN mamori.sentiment AS text
	CHECK (VALUE IN ('positive', 'neutral', 'negative', 'anger'));

CREATE DOMAIN mamori.categories AS text[]
	CHECK (VALUE <@ ARRAY['threat', 'verbal_abuse', 'defamation', 'intimidation',
			      'exposure_threat', 'dogeza_demand', 'persistence', 'restraint',
			      'discrimination', 'sexual', 'personal_attack', 'excessive_demand']);
COMMENT ON DOMAIN mamori.categories IS 'Kinds of customer harassment';

CREATE DOMAIN mamori.signals AS text[]
	CHECK (VALUE <@ ARRAY['urgent', 'legal_mention', 'churn', 'self_harm', 'accommodation',
			      'injection', 'pii_present', 'human_requested']);
COMMENT ON DOMAIN mamori.signals IS 'What a message says beside harassment';

CREATE DOMAIN mamori.priority AS text CHECK (VALUE IN ('normal', 'high', 'urgent'));

CREATE DOMAIN mamori.probability AS real CHECK (VALUE BETWEEN 0 AND 1);

-- Every turn updates a row of conversations: the free room keeps the update on its page.
CREATE TABLE mamori.conversations (
	id uuid PRIMARY KEY,
	created_at timestamptz NOT NULL,
	last_message_at timestamptz NOT NULL,
	customer_name text,
	owner text NOT NULL DEFAULT 'bot' CHECK (owner IN ('bot', 'human')),
	status text NOT NULL DEFAULT 'open'
		CHECK (status IN ('open', 'waiting', 'assigned', 'closed')),
	priority mamori.priority NOT NULL DEFAULT 'normal',
	tags text[] NOT NULL DEFAULT '{}',
	max_severity mamori.severity NOT NULL DEFAULT 'none',
	message_count integer NOT NULL DEFAULT 0 CHECK (message_count >= 0),
	customer_message_count integer NOT NULL DEFAULT 0 CHECK (customer_message_count >= 0),
	harassment_count integer NOT NULL DEFAULT 0 CHECK (harassment_count >= 0),
	csat smallint CHECK (csat BETWEEN 1 AND 5),
	closed_at timestamptz,
	CONSTRAINT conversations_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
	CONSTRAINT conversations_person CHECK (owner = 'human' OR status IN ('open', 'closed'))
) WITH (fillfactor = 80);
COMMENT ON TABLE mamori.conversations IS 'One row a conversation; counters derive from rows really inserted';
COMMENT ON COLUMN mamori.conversations.id IS 'Made by the server, or any UUID chosen by the client';
COMMENT ON COLUMN mamori.conversations.created_at IS 'When its first message came in';
COMMENT ON COLUMN mamori.conversations.last_message_at IS 'Time of the newest message';
COMMENT ON COLUMN mamori.conversations.customer_name IS 'As the client said it; null when it did not';
COMMENT ON COLUMN mamori.conversations.owner IS 'Who answers';
COMMENT ON COLUMN mamori.conversations.status IS 'open: the bot answers or a person without a handoff; waiting: a person is waited for; assigned: a person is at work; closed: nobody answers';
COMMENT ON COLUMN mamori.conversations.priority IS 'Highest priority of its handoffs';
COMMENT ON COLUMN mamori.conversations.tags IS 'Free words for the people who work with it';
COMMENT ON COLUMN mamori.conversations.max_severity IS 'Worst severity of its messages';
COMMENT ON COLUMN mamori.conversations.message_count IS 'Messages of all roles';
COMMENT ON COLUMN mamori.conversations.customer_message_count IS 'Messages of the customer';
COMMENT ON COLUMN mamori.conversations.harassment_count IS 'Rows in harassment_events';
COMMENT ON COLUMN mamori.conversations.csat IS 'Satisfaction the customer gave, 1 to 5';
COMMENT ON COLUMN mamori.conversations.closed_at IS 'When it was closed';

CREATE TABLE mamori.messages (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL REFERENCES mamori.conversations,
	at timestamptz NOT NULL,
	role text NOT NULL CHECK (role IN ('customer', 'bot', 'agent')),
	text text NOT NULL,
	severity mamori.severity,
	sentiment mamori.sentiment,
	confidence mamori.probability,
	signals mamori.signals NOT NULL DEFAULT '{}',
	reply_to uuid,
	is_fallback boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (id);
CREATE INDEX messages_conversation ON mamori.messages (conversation_id, id);
COMMENT ON TABLE mamori.messages IS 'Every message, verbatim: evidence. Partitioned by month on id';
COMMENT ON COLUMN mamori.messages.id IS 'UUIDv7: its time decides the partition';
COMMENT ON COLUMN mamori.messages.conversation_id IS 'The conversation';
COMMENT ON COLUMN mamori.messages.at IS 'When it came in or was answered';
COMMENT ON COLUMN mamori.messages.role IS 'Who wrote it';
COMMENT ON COLUMN mamori.messages.text IS 'The message as sent';
COMMENT ON COLUMN mamori.messages.severity IS 'Null when not analysed';
COMMENT ON COLUMN mamori.messages.sentiment IS 'Null when not analysed';
COMMENT ON COLUMN mamori.messages.confidence IS 'Probability that is_harassment was right';
COMMENT ON COLUMN mamori.messages.signals IS 'What else was noticed';
COMMENT ON COLUMN mamori.messages.reply_to IS 'The message it answers; no foreign key, because its partition may be gone';
COMMENT ON COLUMN mamori.messages.is_fallback IS 'The bot had no answer';

CREATE TABLE mamori.harassment_events (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL REFERENCES mamori.conversations,
	message_id uuid NOT NULL,
	at timestamptz NOT NULL,
	severity mamori.severity NOT NULL CHECK (severity IN ('medium', 'high', 'critical')),
	categories mamori.categories NOT NULL DEFAULT '{}',
	confidence mamori.probability NOT NULL,
	text text NOT NULL,
	findings jsonb NOT NULL DEFAULT '[]',
	recommendation text,
	response_status text NOT NULL DEFAULT 'open'
		CHECK (response_status IN ('open', 'reviewed', 'resolved')),
	response_note text,
	handled_by text,
	handled_at timestamptz
);
CREATE INDEX harassment_events_conversation ON mamori.harassment_events (conversation_id);
COMMENT ON TABLE mamori.harassment_events IS 'Customer harassment found, with what was done about it; outlives the messages';
COMMENT ON COLUMN mamori.harassment_events.id IS 'UUIDv7';
COMMENT ON COLUMN mamori.harassment_events.conversation_id IS 'The conversation';
COMMENT ON COLUMN mamori.harassment_events.message_id IS 'The message; no foreign key, because its partition is dropped before this record';
COMMENT ON COLUMN mamori.harassment_events.at IS 'When it was found';
COMMENT ON COLUMN mamori.harassment_events.severity IS 'Harassment only: medium and above';
COMMENT ON COLUMN mamori.harassment_events.categories IS 'Kinds of harassment';
COMMENT ON COLUMN mamori.harassment_events.confidence IS 'Probability that it is harassment';
COMMENT ON COLUMN mamori.harassment_events.text IS 'The message, verbatim';
COMMENT ON COLUMN mamori.harassment_events.findings IS 'Which rule matched where: [{rule, category, severity, start, end}], code points';
COMMENT ON COLUMN mamori.harassment_events.recommendation IS 'What the person in charge was advised to do';
COMMENT ON COLUMN mamori.harassment_events.response_status IS 'How far the employer''s response is';
COMMENT ON COLUMN mamori.harassment_events.response_note IS 'The employer''s response, in words';
COMMENT ON COLUMN mamori.harassment_events.handled_by IS 'Who responded';
COMMENT ON COLUMN mamori.harassment_events.handled_at IS 'When';

CREATE TABLE mamori.analysis_logs (
	id uuid PRIMARY KEY,
	at timestamptz NOT NULL,
	conversation_id uuid,
	request_id text,
	text text NOT NULL,
	severity mamori.severity NOT NULL,
	categories mamori.categories NOT NULL DEFAULT '{}',
	confidence mamori.probability NOT NULL,
	sentiment mamori.sentiment NOT NULL,
	risk mamori.severity NOT NULL,
	signals mamori.signals NOT NULL DEFAULT '{}',
	findings jsonb NOT NULL DEFAULT '[]',
	engine text NOT NULL
) PARTITION BY RANGE (id);
COMMENT ON TABLE mamori.analysis_logs IS 'Every answer of the analyze endpoint. Partitioned by month on id';
COMMENT ON COLUMN mamori.analysis_logs.id IS 'UUIDv7: its time decides the partition';
COMMENT ON COLUMN mamori.analysis_logs.at IS 'When it was analysed';
COMMENT ON COLUMN mamori.analysis_logs.conversation_id IS 'As the client said it; no foreign key, because analyze accepts ids of other systems';
COMMENT ON COLUMN mamori.analysis_logs.request_id IS 'The request, as in the logs';
COMMENT ON COLUMN mamori.analysis_logs.text IS 'The message as sent';
COMMENT ON COLUMN mamori.analysis_logs.severity IS 'Verdict';
COMMENT ON COLUMN mamori.analysis_logs.categories IS 'Kinds of harassment';
COMMENT ON COLUMN mamori.analysis_logs.confidence IS 'Probability that is_harassment is right';
COMMENT ON COLUMN mamori.analysis_logs.sentiment IS 'Verdict';
COMMENT ON COLUMN mamori.analysis_logs.risk IS 'Severity and sentiment combined';
COMMENT ON COLUMN mamori.analysis_logs.signals IS 'What else was noticed';
COMMENT ON COLUMN mamori.analysis_logs.findings IS 'Which rule matched where: [{rule, category, severity, start, end}], code points';
COMMENT ON COLUMN mamori.analysis_logs.engine IS 'What judged: rules, or rules and an AI provider';

CREATE TABLE mamori.handoffs (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL REFERENCES mamori.conversations,
	at timestamptz NOT NULL,
	reason text NOT NULL
		CHECK (reason IN ('severity', 'self_harm', 'human_requested', 'anger', 'fallback')),
	priority mamori.priority NOT NULL,
	summary text NOT NULL,
	context jsonb NOT NULL DEFAULT '{}',
	status text NOT NULL DEFAULT 'waiting'
		CHECK (status IN ('waiting', 'assigned', 'resolved')),
	assigned_to text,
	assigned_at timestamptz,
	resolved_at timestamptz
);
CREATE INDEX handoffs_conversation ON mamori.handoffs (conversation_id);
CREATE INDEX handoffs_waiting ON mamori.handoffs (at) WHERE status = 'waiting';
COMMENT ON TABLE mamori.handoffs IS 'A conversation handed from the bot to a person';
COMMENT ON COLUMN mamori.handoffs.id IS 'UUIDv7';
COMMENT ON COLUMN mamori.handoffs.conversation_id IS 'The conversation';
COMMENT ON COLUMN mamori.handoffs.at IS 'When the bot handed over';
COMMENT ON COLUMN mamori.handoffs.reason IS 'Why';
COMMENT ON COLUMN mamori.handoffs.priority IS 'How soon a person is needed';
COMMENT ON COLUMN mamori.handoffs.summary IS 'What the person should know first';
COMMENT ON COLUMN mamori.handoffs.context IS 'Open: issues, order numbers, sentiment history';
COMMENT ON COLUMN mamori.handoffs.status IS 'waiting: nobody took it; assigned: somebody did; resolved: done';
COMMENT ON COLUMN mamori.handoffs.assigned_to IS 'Who took it';
COMMENT ON COLUMN mamori.handoffs.assigned_at IS 'When it was taken';
COMMENT ON COLUMN mamori.handoffs.resolved_at IS 'When it was done';

GRANT USAGE ON SCHEMA mamori TO mamori_chat, mamori_analyze, mamori_health, mamori_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA mamori TO mamori_admin;
ALTER DEFAULT PRIVILEGES FOR ROLE mamori_owner IN SCHEMA mamori
	GRANT SELECT ON TABLES TO mamori_admin;
GRANT SELECT ON mamori.migrations TO mamori_health;

RESET ROLE;
