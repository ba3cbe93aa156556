/*
 * turn_store: the claims by which turns of one conversation know of each other (floor 3).
 *
 * Shape    plain values, over the functions of sql/007-turns.sql. Two kinds of claims: a key, so
 *          that a retry gets the first answer, and a lease, so that one model is asked at a time.
 * Units    times are ms; hexadecimal texts as mac.h makes them.
 * Own      texts are returned: they live in the arena.
 * Errors   a database that cannot be asked is MM_UPSTREAM, MM_BUSY or MM_TIMEOUT: the turn goes on
 *          without. A claim that nobody ends is void when its time is over.
 * Threads  any, in any process.
 *
 * No lock outlives a statement, so PgBouncer in transaction mode is fine.
 */
#ifndef MM_STORE_TURN_STORE_H
#define MM_STORE_TURN_STORE_H

#include "base/id.h"
#include "store/pool.h"

/* Who asks and until when. */
struct mm_turn_caller {
	struct mm_pool *pool;
	struct mm_id holder; /* names the turn */
	int64_t deadline_mono_ms;
};

enum mm_claim {
	MM_CLAIM_TAKEN,     /* nobody had it: answer, and keep the answer with the turn */
	MM_CLAIM_ANSWERED,  /* here is the answer */
	MM_CLAIM_UNDER_WAY, /* somebody is answering */
	MM_CLAIM_REUSED,    /* the key was used for another message */
	MM_CLAIM__MAX
};

struct mm_turn_key {
	const char *key;
	const char *message;
};

/* Claims a key for `claim_ms`. *answer_out is NULL unless MM_CLAIM_ANSWERED. */
enum mm_status mm_turn_claim(const struct mm_turn_caller *caller, const struct mm_turn_key *key,
			     int64_t claim_ms, enum mm_claim *claim_out, const char **answer_out,
			     struct mm_arena *arena, struct mm_error *err);

/* Gives a claimed key up, because the turn was refused. */
enum mm_status mm_turn_release(const struct mm_turn_caller *caller, const struct mm_turn_key *key,
			       struct mm_arena *arena, struct mm_error *err);

enum mm_lease {
	MM_LEASE_HELD,   /* ask the model */
	MM_LEASE_JOINED, /* another turn is asking: it answers this message too */
	MM_LEASE_FULL,   /* it takes no more */
	MM_LEASE_DENIED, /* the same, and who asks has not proved that the conversation is theirs */
	MM_LEASE__MAX
};

/* A message that waits for an answer. */
struct mm_turn_message {
	struct mm_id conversation_id;
	struct mm_id id;
	const char *text; /* NUL-terminated */
	size_t length;
	bool is_proved;
};

/* Takes the conversation's lease for `lease_ms`, or joins the turn that has it;
 * *answered_with_out is that turn's message when MM_LEASE_JOINED. */
enum mm_status mm_turn_begin(const struct mm_turn_caller *caller,
			     const struct mm_turn_message *message, int64_t lease_ms,
			     enum mm_lease *lease_out, struct mm_id *answered_with_out,
			     struct mm_arena *arena, struct mm_error *err);

/*
 * What joined since the last call, each message once. With none the lease has ended. is_last: after
 * these nothing may join any more.
 */
enum mm_status mm_turn_take_joins(const struct mm_turn_caller *caller,
				  const struct mm_id *conversation, bool is_last,
				  struct mm_turn_message **out, size_t *count_out,
				  struct mm_arena *arena, struct mm_error *err);

/* Ends the lease, whatever joined. */
enum mm_status mm_turn_end(const struct mm_turn_caller *caller, const struct mm_id *conversation,
			   struct mm_arena *arena, struct mm_error *err);

#endif
