/*
 * thread: what the earlier messages of a conversation add up to (floor 2, private to this folder).
 *
 * Shape    struct mm_thread is a plain value: the part that answers show, and what only the
 *          judgement of conversation.c needs
 * Units    times are int64 ms
 * Errors   enum mm_status
 * Threads  plain values
 *
 * Every count is linear in the number of messages, but the comparison of texts: that looks at the
 * latest MM_THREAD_COMPARED_MAX messages, and at a bounded part of each (likeness.h).
 *
 * The time of a message may be unknown. Then it counts where order alone tells (repetitions_long,
 * harassing_before), and nowhere that a window of time is asked for.
 */
#ifndef MM_DETECT_THREAD_H
#define MM_DETECT_THREAD_H

#include "detect/resolve.h"

/* How far back each count looks. */
#define MM_THREAD_MINUTE_MS         INT64_C(60000)
#define MM_THREAD_RECENT_MS         (10 * MM_THREAD_MINUTE_MS)          /* repetitions */
#define MM_THREAD_LONG_MS           (7 * 24 * 60 * MM_THREAD_MINUTE_MS) /* repetitions_long */
#define MM_THREAD_PAUSE_MS          (15 * MM_THREAD_MINUTE_MS) /* a longer silence is a pause */
#define MM_THREAD_RESTRAINT_MS      (60 * MM_THREAD_MINUTE_MS) /* without a pause: very long */
#define MM_THREAD_RESTRAINT_STEP_MS (30 * MM_THREAD_MINUTE_MS) /* each one more adds weight */

enum {
	MM_THREAD_COMPARED_MAX = 40,           /* latest messages whose texts are compared */
	MM_THREAD_CHARACTERS_MIN = 6,          /* shorter messages repeat innocently */
	MM_THREAD_RECENT_MIN = 3,              /* earlier ones within MM_THREAD_RECENT_MS */
	MM_THREAD_LONG_MIN = 4,                /* earlier ones within MM_THREAD_LONG_MS */
	MM_THREAD_LONG_ANSWERS_MIN = 2,        /* of which so many were answered */
	MM_THREAD_FLOOD_MIN = 8,               /* messages of one minute, the judged one included */
	MM_THREAD_FLOOD_HARASSING_MIN = 4,     /* of which so many were harassment */
	MM_THREAD_RESTRAINT_MESSAGES_MIN = 8,  /* the customer's of the unbroken stretch */
	MM_THREAD_RESTRAINT_REPEATED_MIN = 3,  /* earlier demands in it that say the same, or */
	MM_THREAD_RESTRAINT_HARASSING_MIN = 2, /* earlier harassment in it */
};

/* The messages back from the judged one that no pause interrupts. */
struct mm_thread_stretch {
	unsigned messages;  /* the customer's, the judged one included */
	unsigned answers;   /* the other side's that say something */
	unsigned repeated;  /* that say the same as the judged one */
	unsigned harassing; /* of the customer, earlier ones */
};

struct mm_thread {
	struct mm_conversation_reading shown; /* is_escalating and angry_in_a_row are left alone */
	bool is_recent_answered;              /* one of `repetitions` was answered */
	unsigned harassing_in_minute;         /* earlier ones */
	struct mm_thread_stretch stretch;
};

/* Reads the thread. `past` has messages. MM_NO_MEMORY. */
enum mm_status mm_thread_read(const struct mm_reading *reading, const struct mm_past *past,
			      struct mm_thread *out, struct mm_error *err);

#endif
