/*
 * health: can this installation serve (floor 4).
 *
 * Shape    a JSON report; struct mm_health is opaque and remembers the last database check
 * Errors   MM_NO_MEMORY; a sick installation is a report, not an error
 * Threads  any number at once
 *
 * healthy    the database answers, its schema is this program's, every journal writes to it
 * degraded   something of that is not so, but requests are answered and kept on disk
 * unhealthy  requests cannot be kept: a journal fails, or there is neither a database nor a
 *            journal's report
 * Nothing is asked of an AI provider: its breaker's state is told. The database is asked once a
 * second at most, however often the endpoint is called.
 */
#ifndef MM_SERVICE_HEALTH_H
#define MM_SERVICE_HEALTH_H

#include "base/buffer.h"
#include "service/runtime.h"

struct mm_health;

/* Needs the runtime's pool. The runtime must outlive it. */
enum mm_status mm_health_new(struct mm_runtime *runtime, struct mm_health **out,
			     struct mm_error *err);
void mm_health_free(struct mm_health *health);

/* Writes the report to `out`; *can_serve_out is false for unhealthy. */
enum mm_status mm_health_report(struct mm_health *health, struct mm_buffer *out,
				bool *can_serve_out, struct mm_arena *arena, struct mm_error *err);

/* Writes {"status": "alive", …}: this process answers, nothing else is looked at. */
void mm_health_report_live(const struct mm_runtime *runtime, struct mm_buffer *out);

#endif
