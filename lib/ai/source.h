/*
 * source: an article that an answer may rely on (floor 3).
 *
 * Shape    a plain value
 * Own      texts are borrowed from the knowledge that they came from
 */
#ifndef MM_AI_SOURCE_H
#define MM_AI_SOURCE_H

#include <stdbool.h>

struct mm_source {
	const char *id, *title, *body;
	float match; /* how much of the question is in it, 0 to 1 */
};

enum { MM_SOURCES_MAX = 3 };

/* Whether the article has enough of the question in it to be its answer: knowledge.threshold, whose
 * default is chosen on tests/kb, which prints how the two kinds of question lie. */
static inline bool mm_source_is_answer(const struct mm_source *source, double threshold)
{
	return (double)source->match >= threshold;
}

#endif
