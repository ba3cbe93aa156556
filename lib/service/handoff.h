/*
 * handoff: when a person takes over, and what they are told (floor 4).
 *
 * Shape    struct mm_handoff is a plain value
 * Own      texts live in the arena
 * Errors   MM_NO_MEMORY
 * Threads  none is shared
 *
 * The first reason of the enum that applies is the one that is told: care before protection,
 * protection before wishes.
 */
#ifndef MM_SERVICE_HANDOFF_H
#define MM_SERVICE_HANDOFF_H

#include "ai/replies.h"
#include "base/id.h"
#include "base/settings.h"
#include "detect/detector.h"
#include "text/json_writer.h"

enum mm_handoff_reason {
	MM_HANDOFF_SELF_HARM,       /* the customer may harm themselves */
	MM_HANDOFF_SEVERITY,        /* harassment of severity high or critical */
	MM_HANDOFF_HUMAN_REQUESTED, /* the customer asked for a person */
	MM_HANDOFF_ANGER,           /* conversation.anger_handoff angry messages in a row */
	MM_HANDOFF_FALLBACK,        /* conversation.fallback_handoff questions without an answer */
	MM_HANDOFF_TURN_CAP, /* the bot has answered conversation.turns_max times; see ladder.h */
	MM_HANDOFF__MAX
};

enum mm_handoff_priority {
	MM_PRIORITY_URGENT,
	MM_PRIORITY_HIGH,
	MM_PRIORITY_NORMAL,
	MM_PRIORITY__MAX
};

enum {
	MM_ORDER_NUMBERS_KEPT = 10,
	MM_SENTIMENTS_KEPT = 20, /* the newest */
};

struct mm_handoff {
	struct mm_id id;
	enum mm_handoff_reason reason;
	enum mm_handoff_priority priority;
	const char *summary;       /* Japanese, for the person who takes over */
	unsigned intents;          /* bit set over all customer messages */
	unsigned signals;          /* the same */
	enum mm_severity severity; /* the highest */
	enum mm_sentiment sentiments[MM_SENTIMENTS_KEPT]; /* of the customer's, oldest first */
	size_t sentiment_count;
	const char *order_numbers[MM_ORDER_NUMBERS_KEPT];
	size_t order_number_count;
	size_t message_count; /* messages of the customer, this one included */
	const char *customer_name;
	enum mm_language language;
	const char *recommendation;
};

/* What a handoff is built from. Everything is borrowed for the call. */
struct mm_handoff_facts {
	struct mm_detector *detector;
	const char *text;
	size_t length;
	const struct mm_analysis *analysis;
	const struct mm_past *past;
	const char *customer_name; /* or NULL */
	enum mm_language language;
};

/*
 * Whether a person is due, and why. `fallback_streak` counts the questions that the bot could not
 * place in a row, this one included.
 */
bool mm_handoff_is_due(const struct mm_settings *settings, const struct mm_analysis *analysis,
		       unsigned fallback_streak, enum mm_handoff_reason *reason_out);

/* Gathers the context from the whole conversation. `out->id` is left to the caller. */
enum mm_status mm_handoff_build(const struct mm_handoff_facts *facts, enum mm_handoff_reason reason,
				struct mm_handoff *out, struct mm_arena *arena,
				struct mm_error *err);

/* Writes {"summary": …, "detected_issues": […], …}. */
void mm_handoff_write_context(struct mm_json_writer *writer, const struct mm_handoff *handoff);

/* "self_harm", "severity", "human_requested", "anger", "fallback", "turn_cap". */
const char *mm_handoff_reason_name(enum mm_handoff_reason reason);

/* "urgent", "high", "normal". */
const char *mm_handoff_priority_name(enum mm_handoff_priority priority);

/* The fixed text with which the customer is handed over. */
enum mm_reply_key mm_handoff_reply_key(enum mm_handoff_reason reason);

#endif
