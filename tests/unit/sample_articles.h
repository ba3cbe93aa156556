/*
 * sample_articles: the support centre of tests/kb/articles.md as a knowledge.
 *
 * Errors   any failure ends the test program
 */
#ifndef MM_TEST_SAMPLE_ARTICLES_H
#define MM_TEST_SAMPLE_ARTICLES_H

#include <stdio.h>
#include <stdlib.h>

#include "ai/knowledge.h"
#include "base/file.h"
#include "text/articles.h"

enum { SAMPLE_FILE_MAX = 1 << 20 };

static inline void sample_articles_require(enum mm_status status, const struct mm_error *err)
{
	if (status == MM_OK)
		return;
	fprintf(stderr, "the sample articles: %s %s\n", err->message, err->cause);
	exit(1);
}

/* Ids are the titles. End with mm_knowledge_free. */
static inline struct mm_knowledge *sample_articles_load(void)
{
	struct mm_arena *arena = mm_arena_new(0);
	const char *source = getenv("MM_TEST_SOURCE");
	struct mm_error err = {.status = MM_OK};
	struct mm_article *read = NULL;
	struct mm_knowledge *knowledge = NULL;
	size_t length = 0, count = 0;
	char *text = NULL;

	sample_articles_require(
	    mm_file_read(mm_arena_printf(arena, "%s/tests/kb/articles.md", source ? source : "."),
			 SAMPLE_FILE_MAX, &text, &length, arena, &err),
	    &err);
	sample_articles_require(mm_articles_read_markdown(text, length, &read, &count, arena, &err),
				&err);
	struct mm_knowledge_article *articles = mm_arena_array(arena, count, sizeof(*articles));
	for (size_t i = 0; i < count; i++) {
		const char *tags = "";
		for (size_t k = 0; k < read[i].tag_count; k++)
			tags = mm_arena_printf(arena, "%s%s\n", tags, read[i].tags[k]);
		articles[i] = (struct mm_knowledge_article){
		    read[i].title, read[i].title, read[i].body, tags,
		    read[i].language && read[i].language[0] == 'e' ? MM_LANGUAGE_EN
								   : MM_LANGUAGE_JA};
	}
	sample_articles_require(mm_knowledge_new(arena, articles, count, 1, &knowledge, &err),
				&err);
	return knowledge;
}

#endif
