/*
 * desk_store: conversations as people and their customers see them (floor 3).
 *
 * Shape    reads give JSON that the functions of sql/006-people.sql have made, whole; an action is a
 *          plain value, and so is what came of it
 * Units    times are int64 ms
 * Own      everything is returned: it lives in the arena
 * Errors   an action that is not allowed in the present state is MM_OK with its outcome. A database
 *          that cannot be asked is MM_UPSTREAM, MM_BUSY or MM_TIMEOUT; after MM_TIMEOUT the same
 *          action may be sent again, because its id does nothing twice
 * Threads  any
 */
#ifndef MM_STORE_DESK_STORE_H
#define MM_STORE_DESK_STORE_H

#include "base/id.h"
#include "store/pool.h"

enum mm_desk_verb {
	MM_DESK_ACCEPT,
	MM_DESK_REPLY,
	MM_DESK_RETURN,  /* to the bot, not done yet */
	MM_DESK_RESOLVE, /* done; the bot answers what comes */
	MM_DESK_CLOSE,   /* done, and nobody answers any more */
	MM_DESK_VERB__MAX
};

/* "accept", "reply", "return", "resolve", "close". */
const char *mm_desk_verb_name(enum mm_desk_verb verb);

struct mm_desk_action {
	enum mm_desk_verb verb;
	struct mm_id id; /* of the action */
	int64_t utc_ms;
	const char *actor;
	struct mm_id target;  /* a handoff, or a conversation: its open one */
	struct mm_id made_id; /* accept: of a handoff that has to be made; reply: of the message */
	const char *text;     /* reply: the message; return, resolve, close: a note, or NULL */
	const char *expected; /* accept: who has it, NULL: nobody */
};

enum mm_desk_outcome {
	MM_DESK_DONE,
	MM_DESK_UNKNOWN, /* no such handoff or conversation */
	MM_DESK_ENDED,   /* not open any more */
	MM_DESK_TAKEN,   /* somebody else has it, or not who was expected */
	MM_DESK_WAITING, /* nobody has accepted it */
	MM_DESK_CLOSED,  /* the conversation is */
	MM_DESK_OUTCOME__MAX
};

struct mm_desk_result {
	enum mm_desk_outcome outcome;
	const char *handoff_id, *conversation_id, *owner, *assigned_to, *message_id; /* or NULL */
};

/* Does it, or finds out why not: one transaction, with the conversation locked. */
enum mm_status mm_desk_store_act(struct mm_pool *pool, const struct mm_desk_action *action,
				 int64_t deadline_mono_ms, struct mm_desk_result *out,
				 struct mm_arena *arena, struct mm_error *err);

/* Handoffs: the open ones; is_all: the ended ones too; `most` at most. */
enum mm_status mm_desk_store_list(struct mm_pool *pool, bool is_all, int most,
				  int64_t deadline_mono_ms, const char **json_out,
				  struct mm_arena *arena, struct mm_error *err);

/* A handoff with its conversation, by the id of either; NULL when there is neither. */
enum mm_status mm_desk_store_show(struct mm_pool *pool, const struct mm_id *target, int most,
				  int64_t deadline_mono_ms, const char **json_out,
				  struct mm_arena *arena, struct mm_error *err);

/* What the customer may read after a message (NULL: from the first); NULL: no such conversation. */
enum mm_status mm_desk_store_messages(struct mm_pool *pool, const struct mm_id *conversation,
				      const struct mm_id *after, int most, int64_t deadline_mono_ms,
				      const char **json_out, struct mm_arena *arena,
				      struct mm_error *err);

#endif
