/*
 * detector: text in, findings out (floor 2). No I/O.
 *
 * Shape    struct mm_detector is opaque: a rule set and a pool of scanners. struct mm_analysis
 *          is a plain value.
 * Units    start/end are Unicode code points of the message as sent; lengths are bytes; scores
 *          and confidences lie in 0..1; times are int64 ms UTC
 * Own      a detector owns its rules. What an analysis points to lives in the arena, in the
 *          detector (rule ids and reasons) or in the message (finding texts are slices of it):
 *          it is valid while all three are.
 * Errors   enum mm_status; outputs are untouched unless MM_OK
 * Threads  one detector may be used by any number of threads at once; scanning is limited to
 *          MM_SCANNERS_MAX threads at a time, the others wait (microseconds): this bounds memory
 * Limits   MM_FINDINGS_MAX findings of the message, MM_KEYWORDS_MAX keywords, MM_HITS_MAX pattern hits of a view
 *          and MM_HITS_PART_MAX of one pattern part, MM_STEPS_MAX steps of matching; what
 *          exceeds a limit is not looked at
 *
 * Harassment
 *   A rule's match stands unless a guard overlaps it, a context of its `unless` applies, or none
 *   of its `requires` does. The message takes the highest severity that stands; medium and above
 *   is harassment. Without one it is low when a low rule stands, or when the sentiment is
 *   negative or anger by a sentiment rule that counts as a complaint (rules.h).
 *   confidence = probability that is_harassment is right:
 *     harassment      1 / (1 + exp(-W)), W = sum of the weights of the rules of medium and above
 *                     that stand, each rule once, less 1 when the signal accommodation is set;
 *                     kept in 0.5 .. 0.99
 *     no harassment   1 / (1 + exp(-(2.2 - 0.4 c - 0.3 l))), c = rules of medium and above with a
 *                     match that was cancelled (at most 4), l = 1 when severity is low: 0.9 when
 *                     nothing fired
 * Sentiment
 *   Each sentiment rule that stands adds its weight once to its class. A harassment rule adds its
 *   weight to the class it names, else to anger when its severity is medium or above (sexual
 *   remarks excepted). Where anger has any weight, three quarters of the weight of negative move
 *   to it: an angry customer is also dissatisfied. score[c] = sum[c] / (sum of all + 0.5), neutral gets the 0.5. The class is
 *   the highest score; ties go to anger, negative, positive, neutral in this order. confidence =
 *   highest - half of the second, at most 0.95.
 * Conversation
 *   A thread adds at most two findings, each about the whole message and of severity medium.
 *   conversation.persistence, by the first of these that applies:
 *     repeated soon   3 earlier messages of 10 minutes say the same, and one was answered
 *     repeated long   4 earlier messages of 7 days, or of an unknown time, say the same, and 2 were
 *                     answered
 *     flooded         8 messages within a minute, this one included, of which 4 are harassment by
 *                     themselves; and this one is, or is angry
 *   conversation.restraint: 60 minutes without a pause of 15, 8 messages of the customer in them
 *     and an answer, and in them 3 earlier messages that say the same (one was answered), or 2
 *     that are harassment by themselves
 *   Neither when the message does not insist: it is a question, polite, thanks, positive, says that
 *   accommodation is needed (a disability, an interpreter, writing), or is a sign of self-harm; or
 *   it only asks or reports what is still wrong (context `fair`) and is no harassment by itself. A
 *   message with a number that the earlier one did not have does not say the same. Where the other
 *   side only said that it has no answer, or that a person will come, nothing was answered. The
 *   windows and counts are constants of thread.h; sameness is likeness.h's.
 *   confidence = the higher of the message's own, when it is harassment by itself, and
 *     1 / (1 + exp(-W)), kept in 0.5 .. 0.99; W = sum over the thread's findings of
 *     2 + 0.25 s + 0.5 h, s = messages beyond the minimum, for restraint half hours beyond the
 *     hour (at most 4), h = 1 when an earlier message was harassment
 */
#ifndef MM_DETECT_DETECTOR_H
#define MM_DETECT_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "detect/fusion.h"
#include "detect/labels.h"
#include "detect/rules.h"

enum {
	MM_FINDINGS_MAX = 32,
	MM_KEYWORDS_MAX = 16,
	MM_HITS_MAX = 16384,
	MM_HITS_PART_MAX = 1024,
	MM_STEPS_MAX = 100000,    /* steps of the automata around needles (regex.h), a view */
	MM_NEEDLE_USES_MAX = 256, /* places at which one needle is looked at, a view */
	MM_SCANNERS_MAX = 2
};

struct mm_detector;

/* One place in the message that a rule objects to. */
struct mm_finding {
	const char *rule; /* rule id; "conversation.…" when the thread made it */
	enum mm_severity severity;
	unsigned categories; /* bit set of enum mm_category */
	size_t start, end;   /* code points of the message, end excluded */
	const char *text;    /* slice of the message, not NUL-terminated */
	size_t text_length;
	const char *reason, *reason_en; /* "" when the rule has none */
	double weight;
};

struct mm_harassment {
	bool is_harassment; /* severity >= medium */
	enum mm_severity severity;
	double confidence;
	unsigned categories;         /* union over findings of medium and above */
	struct mm_finding *findings; /* by position; the most severe when there are too many; the
				      * thread's come last */
	size_t finding_count;
	const char *recommendation, *recommendation_en; /* "" for none */
};

struct mm_sentiment_result {
	enum mm_sentiment sentiment;
	double confidence;
	double scores[MM_SENTIMENT__MAX]; /* sum to 1 */
	bool trigger_alert;               /* anger with a score >= 0.5, or severity >= high */
	const char **keywords;            /* what the sentiment was read from, as sent */
	size_t keyword_count;
};

/* An earlier message of the same conversation. */
struct mm_past_message {
	const char *text;
	size_t length;
	int64_t utc_ms; /* 0 = unknown */
	bool is_customer;
	bool
	    is_no_answer; /* of the other side: it has no answer, or says that a person will come */
	bool has_analysis; /* severity and sentiment are known */
	enum mm_severity severity;
	enum mm_sentiment sentiment;
};

/* Earlier messages, oldest first, without the one under judgement. */
struct mm_past {
	const struct mm_past_message *messages;
	size_t count;
	int64_t now_utc_ms;
};

/* What the thread, rather than the message, shows. */
struct mm_conversation_reading {
	unsigned repetitions;      /* earlier messages of the last 10 minutes that say the same */
	unsigned repetitions_long; /* of the last 7 days, or of an unknown time */
	unsigned repetitions_answered; /* how often one of those was answered */
	unsigned messages_per_minute;  /* the customer's of the last minute, this one included */
	unsigned harassing_before;     /* earlier customer messages that were harassment */
	bool is_escalating; /* risk rose over the last three customer messages, this one included */
	unsigned angry_in_a_row; /* customer messages with anger up to this one, included */
	int64_t duration_ms;     /* since the first message; 0 without history */
	int64_t unbroken_ms;     /* since the last pause of more than 15 minutes */
};

struct mm_analysis {
	struct mm_harassment harassment;
	struct mm_sentiment_result sentiment;
	enum mm_severity combined_risk;
	unsigned signals; /* bit set of enum mm_signal */
	unsigned intents; /* bit set of enum mm_intent */
	struct mm_conversation_reading conversation;
	const char *engine; /* "rules", or "rules+model" */
};

/* Why a candidate stood or fell. */
enum mm_verdict {
	MM_VERDICT_STANDS,
	MM_VERDICT_GUARD,     /* `by` is the rule whose guard overlaps */
	MM_VERDICT_UNLESS,    /* `by` is the context that applies */
	MM_VERDICT_REQUIRES,  /* none of the required contexts is there */
	MM_VERDICT_UNCHANGED, /* squeezed view, but the text is as the plain view has it */
	MM_VERDICT_EDGE,      /* squeezed view, and the match cuts a katakana word */
	MM_VERDICT__MAX
};

/* A match of a rule's pattern before and after judgement; for explanations. Borrowed during the
 * call only. */
struct mm_candidate {
	const struct mm_rule *rule;
	size_t start, end; /* code points of the message */
	bool is_squeezed;  /* found in the squeezed view */
	enum mm_verdict verdict;
	const char *by; /* rule id or context name, NULL when the verdict names none */
};

/* Receives every candidate in the order of judgement, and the folded views. */
struct mm_trace {
	void (*candidate)(void *self, const struct mm_candidate *candidate);
	void (*view)(void *self, bool is_squeezed, const char *text,
		     size_t length); /* may be NULL */
	/* With a model: what the verdict is made of, and code points [start, end) of the message
	 * that the model judges by. May be NULL. */
	void (*fusion)(void *self, const struct mm_fusion *fusion,
		       const struct mm_evidence *evidence, size_t start, size_t end);
	void *self;
};

/* "stands" "guard" "unless" "requires" "unchanged" "edge" */
const char *mm_verdict_name(enum mm_verdict verdict);

/* Makes a detector over `rules` and takes ownership of them, on failure too. MM_NO_MEMORY or
 * MM_BUG (cause says which vectorscan call failed). Free with mm_detector_free (NULL is fine). */
enum mm_status mm_detector_new(struct mm_rules *rules, struct mm_detector **out,
			       struct mm_error *err);
void mm_detector_free(struct mm_detector *detector);

/*
 * Reads the models DIR/ja.model and DIR/other.model, and judges by them and the rules together
 * from then on. Call it before the detector is shared. MM_NOT_FOUND and MM_BAD_INPUT name the file;
 * the detector then judges as before.
 */
enum mm_status mm_detector_use_models(struct mm_detector *detector, const char *dir,
				      struct mm_error *err);

/* Whether models are in use. */
bool mm_detector_has_models(const struct mm_detector *detector);

/* The rule set in use; borrowed. */
const struct mm_rules *mm_detector_rules(const struct mm_detector *detector);

/*
 * Judges one message: `length` bytes of valid UTF-8 at `utf8` (empty is fine: nothing found).
 * `past` may be NULL: then the conversation part stays zero, but angry_in_a_row and
 * messages_per_minute.
 * MM_BAD_INPUT for invalid UTF-8, MM_NO_MEMORY when the arena's limit is reached (about 40 bytes
 * per byte of message are used, 300 KiB more for a message made of nothing but hits).
 */
enum mm_status mm_detect(struct mm_detector *detector, const char *utf8, size_t length,
			 const struct mm_past *past, struct mm_analysis *out,
			 struct mm_arena *arena, struct mm_error *err);

/* The same, and tells `trace` (not NULL) about every candidate. Slower; for explanations. */
enum mm_status mm_detect_traced(struct mm_detector *detector, const char *utf8, size_t length,
				const struct mm_past *past, const struct mm_trace *trace,
				struct mm_analysis *out, struct mm_arena *arena,
				struct mm_error *err);

#endif
