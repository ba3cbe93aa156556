/*
 * ledger: what the processes of an executable know together about their providers (floor 3).
 *
 * Shape    an account for each provider: numbers only, in a file that all processes of the
 *          executable map. breaker.h and budget.h give them their meaning
 * Units    times are int64 ms UTC: the file outlives a reboot, which the monotonic clock does not
 * Own      the ledger owns its mapping; the file stays, so that a restart forgets neither the day's
 *          tokens nor a broken provider
 * Errors   a file that cannot be made is no error: the process then keeps its own account, and the
 *          log says so
 * Threads  every field is atomic; any number of threads and processes
 *
 * The file is <spool_dir>/<executable>.ai. It is written by one executable and read by
 * health, so another one's tokens are not counted together with it.
 */
#ifndef MM_AI_LEDGER_H
#define MM_AI_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum mm_ai_vendor {
	MM_VENDOR_ANTHROPIC,
	MM_VENDOR_GEMINI,
	MM_VENDOR_OPENAI,
	MM_VENDOR__MAX,
	MM_LEDGER_ACCOUNTS = 8, /* in the file, with room for more vendors */
};

struct mm_account {
	_Atomic int64_t failures;       /* in a row */
	_Atomic int64_t open_until;     /* 0: the breaker is closed */
	_Atomic int64_t pause_ms;       /* of the last opening */
	_Atomic int64_t last_fault;     /* enum mm_fault */
	_Atomic int64_t last_fault_at;  /* 0: never */
	_Atomic int64_t day;            /* days since the epoch; whose tokens these are: */
	_Atomic int64_t tokens;         /* used, and promised to calls under way */
	_Atomic int64_t calls, answers; /* since the file was made */
	_Atomic int64_t spare[7];
};

struct mm_ledger;

/* Opens, or makes, the ledger of `app` in `dir`. MM_NO_MEMORY. */
enum mm_status mm_ledger_open(const char *dir, const char *app, struct mm_ledger **out,
			      struct mm_error *err);

/* NULL is allowed. */
void mm_ledger_close(struct mm_ledger *ledger);

/* The account of a vendor; never NULL. Borrowed. */
struct mm_account *mm_ledger_account(struct mm_ledger *ledger, enum mm_ai_vendor vendor);

/*
 * Copies the accounts in the file of `app` for reading. MM_NOT_FOUND: there is no such file yet;
 * MM_UPSTREAM: it cannot be read.
 */
enum mm_status mm_ledger_read(const char *dir, const char *app,
			      struct mm_account accounts_out[MM_LEDGER_ACCOUNTS],
			      struct mm_arena *arena, struct mm_error *err);

/* "anthropic", "gemini", "openai". */
const char *mm_vendor_name(enum mm_ai_vendor vendor);

/* False for an unknown name. */
bool mm_vendor_parse(const char *name, size_t length, enum mm_ai_vendor *out);

#endif
