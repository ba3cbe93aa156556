/*
 * conversation_store: what a chat turn has to know of its conversation, in one query (floor 3).
 *
 * Shape    plain values, filled from mamori.load_conversation.
 * Units    times are int64 ms, lengths are bytes.
 * Own      everything is returned: it lives in the arena.
 * Errors   a conversation that does not exist is MM_OK with exists = false. A database that
 *          cannot be asked is MM_UPSTREAM, MM_BUSY or MM_TIMEOUT: chat goes on without.
 * Threads  any.
 */
#ifndef MM_STORE_CONVERSATION_STORE_H
#define MM_STORE_CONVERSATION_STORE_H

#include "base/id.h"
#include "detect/labels.h"
#include "store/owner.h"
#include "store/pool.h"

enum mm_message_role { MM_ROLE_CUSTOMER, MM_ROLE_BOT, MM_ROLE_AGENT, MM_ROLE__MAX };

/* "customer", "bot", "agent"; "unknown" when out of range. */
const char *mm_message_role_name(enum mm_message_role role);

struct mm_stored_message {
	struct mm_id id;
	enum mm_message_role role;
	const char *text;
	size_t length;
	int64_t utc_ms;
	bool has_analysis; /* severity and sentiment are known */
	enum mm_severity severity;
	enum mm_sentiment sentiment;
	bool is_fallback; /* the bot had no answer */
};

struct mm_stored_conversation {
	bool exists;
	enum mm_owner owner;
	int64_t created_utc_ms;
	const char *customer_name;          /* NULL when unknown */
	struct mm_stored_message *messages; /* the newest history_max, oldest first */
	size_t count;
	unsigned fallback_streak; /* bot messages without an answer at the end of messages */
	bool has_open_handoff;    /* a person is waited for or at work */
	bool has_notice;          /* the bot has asked for a moderate tone */
	int bot_turns; /* messages of the bot since a person gave the conversation back; 0 where
			* there are certainly fewer than turns_max */
};

/*
 * Loads owner, history and handoff state. history_max >= 0 messages at most, by the deadline;
 * turns_max is what bot_turns will be compared with, 0 for nothing.
 * Records that are still in a journal's queue or spool are not seen.
 */
enum mm_status mm_conversation_load(struct mm_pool *pool, const struct mm_id *id, int history_max,
				    int turns_max, int64_t deadline_mono_ms,
				    struct mm_stored_conversation *out, struct mm_arena *arena,
				    struct mm_error *err);

/* Only the owner, as step 5 of a chat turn asks; exists as above. */
enum mm_status mm_conversation_owner(struct mm_pool *pool, const struct mm_id *id,
				     int64_t deadline_mono_ms, bool *exists_out,
				     enum mm_owner *owner_out, struct mm_error *err);

#endif
