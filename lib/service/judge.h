/*
 * judge: the detector in use, which can be exchanged while requests run (floor 4).
 *
 * Shape    struct mm_judge is opaque. A request borrows the detector once and judges everything
 *          with it, so that no request sees two sets of rules
 * Own      the judge owns the detector. A loan ends when the borrower's arena is reset: what an
 *          analysis points to in the rules is readable until then
 * Errors   enum mm_status; a reload that fails leaves the detector that was there
 * Threads  borrow from any thread; reload from one thread at a time. After a reload the old
 *          detector is freed when its last loan ends: for that while there are two in memory
 */
#ifndef MM_SERVICE_JUDGE_H
#define MM_SERVICE_JUDGE_H

#include "base/settings.h"
#include "detect/detector.h"

struct mm_judge;

/* Loads rules and models as the settings say; they are borrowed, and read again by a reload. End
 * with mm_judge_close (NULL is fine) after the last loan. */
enum mm_status mm_judge_open(const struct mm_settings *settings, struct mm_judge **out,
			     struct mm_error *err);

/* A judge over `detector`, which it takes ownership of, that cannot be reloaded. NULL: no memory,
 * and the detector is freed. */
struct mm_judge *mm_judge_over(struct mm_detector *detector);

void mm_judge_close(struct mm_judge *judge);

/* Loads rules and models again and uses them from the next loan on. */
enum mm_status mm_judge_reload(struct mm_judge *judge, struct mm_error *err);

/* Lends the detector until `arena` is reset. MM_NO_MEMORY. */
enum mm_status mm_judge_borrow(struct mm_judge *judge, struct mm_detector **out,
			       struct mm_arena *arena, struct mm_error *err);

#endif
