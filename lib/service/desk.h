/*
 * desk: what the people who take over do (floor 4).
 *
 * Shape    a request in, JSON out; the same for the command and for a console
 * Errors   MM_BAD_INPUT, MM_TOO_LARGE: a field; MM_NOT_FOUND: no such handoff or conversation;
 *          MM_CONFLICT: the state is another ("handoff_ended", "handoff_taken", "handoff_waiting");
 *          MM_GONE: the conversation is closed; MM_UPSTREAM, MM_BUSY, MM_TIMEOUT: the database. In all
 *          but MM_TIMEOUT nothing was done
 * Threads  any number at once over one runtime
 *
 * A handoff is waiting, then assigned to one person, then resolved. Accepting is compare-and-set: of
 * two people one gets it. Only who has it replies or ends it. Every action is recorded with who, what,
 * when and the conversation's owner before and after. Who the actor is, the caller has to know: it is
 * not proved here.
 *
 * Needs the runtime's pool, whose role is mamori_desk.
 */
#ifndef MM_SERVICE_DESK_H
#define MM_SERVICE_DESK_H

#include "base/buffer.h"
#include "service/runtime.h"
#include "store/desk_store.h"

enum {
	MM_DESK_NAME_MAX = 100,  /* code points of an actor's name */
	MM_DESK_NOTE_MAX = 1000, /* of a note */
	MM_DESK_LIST_MAX = 500,  /* handoffs in a list */
	MM_DESK_SHOWN_MAX = 500, /* messages and events of a conversation */
};

struct mm_desk_request {
	enum mm_desk_verb verb;
	const char *actor;
	const char *target;            /* the id of a handoff or a conversation */
	const char *text;              /* reply: the message; else a note, or NULL */
	const char *expected;          /* accept: the colleague who has it, NULL: nobody */
	const struct mm_id *action_id; /* so that it may be sent again; NULL: one is made */
};

/*
 * Does it, and writes {"action", "action_id", "actor", "at", "handoff_id", "conversation_id", "owner",
 * "assigned_to", "message_id"}. To accept a conversation without an open handoff takes it from the
 * bot, with a handoff of its own.
 */
enum mm_status mm_desk_act(struct mm_runtime *runtime, const struct mm_desk_request *request,
			   struct mm_buffer *out, struct mm_arena *arena, struct mm_error *err);

/* Writes {"handoffs": […], "has_more"}: open ones, the most urgent first; is_all: ended ones too. */
enum mm_status mm_desk_list(struct mm_runtime *runtime, bool is_all, struct mm_buffer *out,
			    struct mm_arena *arena, struct mm_error *err);

/*
 * Writes {"handoff", "context", "conversation", "messages", "events", "repeats", "actions"} of a
 * handoff or a conversation; `handoff` is null where there never was one.
 */
enum mm_status mm_desk_show(struct mm_runtime *runtime, const char *target, struct mm_buffer *out,
			    struct mm_arena *arena, struct mm_error *err);

#endif
