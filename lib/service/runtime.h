/*
 * runtime: what an executable needs to serve, opened once (floor 4).
 *
 * Shape    struct mm_runtime is filled by mm_runtime_open with the parts that were asked for; the
 *          others stay NULL
 * Own      the runtime owns its parts; settings are borrowed and outlive it
 * Errors   the first part that does not open ends the start; the cause names it
 * Threads  open and close from one thread; in between every part is shared by all threads
 */
#ifndef MM_SERVICE_RUNTIME_H
#define MM_SERVICE_RUNTIME_H

#include "ai/chain.h"
#include "ai/opinion_cache.h"
#include "ai/provider.h"
#include "ai/replies.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/secret.h"
#include "base/settings.h"
#include "service/judge.h"
#include "service/library.h"
#include "store/journal.h"
#include "store/pool.h"
#include "store/sink_postgres.h"

enum mm_need {
	MM_NEED_DETECTOR = 1 << 0,
	MM_NEED_JOURNAL = 1 << 1,
	MM_NEED_POOL = 1 << 2,
	MM_NEED_TOKENS = 1 << 3,
	MM_NEED_REPLIES = 1 << 4, /* and who answers: the chain of ai.chain */
	MM_NEED_LIBRARY = 1 << 5, /* needs the pool; stays NULL where knowledge.enabled is no */
};

struct mm_runtime {
	const char *name; /* the executable's, such as "chat" */
	const char *role; /* its database role where the dsn names no user: "mamori_chat" */
	const struct mm_settings *settings;
	const struct mm_clock *clock;
	int64_t started_mono_ms;
	struct mm_arena *arena; /* lives as long as the runtime; not for requests */
	struct mm_id_source *ids;
	struct mm_judge *judge;
	struct mm_sink_postgres *sink;
	struct mm_journal *journal; /* NULL: nothing is stored */
	struct mm_pool *pool;
	struct mm_library *library;
	struct mm_secret *token_secret;
	struct mm_replies *replies;
	struct mm_chain *chain;
	struct mm_provider provider; /* the chain's */
	struct mm_opinion_cache *opinions;
};

/*
 * Opens the parts in `needs` (bits of enum mm_need). `name` is static. On failure everything that
 * was opened is closed again.
 */
enum mm_status mm_runtime_open(const struct mm_settings *settings, const char *name, unsigned needs,
			       struct mm_runtime **out, struct mm_error *err);

/* Reads rules and models again, for requests that begin later, and has the articles read again; logs
 * what came of it. Needs the detector. One thread at a time. */
void mm_runtime_reload(struct mm_runtime *runtime);

/* Closes the parts in reverse order; the journal first makes durable what it has accepted. */
void mm_runtime_close(struct mm_runtime *runtime);

#endif
