/*
 * evidence: what rules and model know of one message, as numbers (floor 2, private to this folder
 * and to the trainer).
 *
 * Own      everything lives in the arena passed in
 * Threads  as mm_detect
 */
#ifndef MM_DETECT_EVIDENCE_H
#define MM_DETECT_EVIDENCE_H

#include "detect/detector.h"
#include "detect/fusion.h"
#include "detect/model.h"

/* What the rules of medium and above add up to, and whether a complaint is there. */
struct mm_tally {
	enum mm_severity severity; /* the highest of the harassment rules that stand */
	enum mm_severity firm;     /* the highest that no model may lower */
	double weight;             /* of the rules of medium and above that stand */
	unsigned categories;       /* of the same */
	unsigned cancelled;        /* rules of medium and above of which nothing stands */
	bool is_complaint;         /* a sentiment rule that counts as one stands */
	double sentiments[MM_SENTIMENT__MAX]; /* weights of what stands, by class */
};

struct mm_reading;

struct mm_tally mm_tally_make(const struct mm_reading *reading);

/* Puts the rules' part into `out` and leaves the model's at zero. */
void mm_evidence_rules(const struct mm_tally *tally, unsigned signals, uint32_t characters,
		       struct mm_evidence *out);

/* Puts the model's part into `out`. */
void mm_evidence_model(const struct mm_model_score *score, struct mm_evidence *out);

/* For the trainer: what the rules say of a text, and its characters in the plain view. */
struct mm_rule_evidence {
	struct mm_evidence evidence;
	unsigned categories;
	const uint32_t *characters;
	uint32_t count;
};

enum mm_status mm_detector_evidence(struct mm_detector *detector, const char *utf8, size_t length,
				    struct mm_rule_evidence *out, struct mm_arena *arena,
				    struct mm_error *err);

#endif
