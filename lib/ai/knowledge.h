/*
 * knowledge: the articles that answers may come from (floor 3).
 *
 * Shape    struct mm_knowledge is opaque and immutable: articles and their index in memory
 * Units    memory is bytes; match is a share from 0 to 1
 * Own      a knowledge owns the arena that its articles live in; sources that it gives are borrowed
 *          from it
 * Errors   MM_NO_MEMORY; MM_BAD_INPUT: text that is not valid UTF-8
 * Threads  may be searched by any number of threads
 */
#ifndef MM_AI_KNOWLEDGE_H
#define MM_AI_KNOWLEDGE_H

#include <stdint.h>

#include "ai/replies.h"
#include "ai/source.h"

struct mm_knowledge;

/* An article as it is stored. Texts are NUL-terminated UTF-8; tags are one text. */
struct mm_knowledge_article {
	const char *id, *title, *body, *tags;
	enum mm_language language;
};

/*
 * Makes a knowledge of articles that live in `arena`, which belongs to the knowledge from then on,
 * also after a failure. `version` is whatever tells one state of the articles from another.
 */
enum mm_status mm_knowledge_new(struct mm_arena *arena, const struct mm_knowledge_article *articles,
				size_t count, int64_t version, struct mm_knowledge **out,
				struct mm_error *err);

/* NULL is allowed. */
void mm_knowledge_free(struct mm_knowledge *knowledge);

size_t mm_knowledge_count(const struct mm_knowledge *knowledge);
int64_t mm_knowledge_version(const struct mm_knowledge *knowledge);

/* Bytes of index and texts. */
size_t mm_knowledge_bytes(const struct mm_knowledge *knowledge);

/*
 * The articles that come closest to the question, the best first, up to `max`, with their match;
 * those that answer it are the ones that mm_source_is_answer() says.
 */
enum mm_status mm_knowledge_find(const struct mm_knowledge *knowledge, const char *text,
				 size_t length, enum mm_language language, struct mm_source *out,
				 size_t max, size_t *count_out, struct mm_arena *arena,
				 struct mm_error *err);

#endif
