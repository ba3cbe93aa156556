/*
 * articles: files of knowledge-base articles, Markdown or CSV (floor 1).
 *
 * Shape    struct mm_article is a plain value. Markdown: "# Title" begins an article; "tags:" and
 *          "language:" may follow in lines of their own; the rest, up to the next "# ", is the body.
 *          CSV (RFC 4180): the first row names the columns title and body, and maybe tags and
 *          language, in any order
 * Units    lines count from 1; a title has at most MM_ARTICLE_TITLE_MAX code points, a body
 *          MM_ARTICLE_BODY_MAX, an article MM_ARTICLE_TAGS_MAX tags
 * Own      everything is returned in the arena
 * Errors   MM_BAD_INPUT: "line N: what is wrong"; nothing of the file is returned then.
 *          MM_NO_MEMORY
 * Threads  pure functions
 * Source   RFC 4180
 */
#ifndef MM_TEXT_ARTICLES_H
#define MM_TEXT_ARTICLES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

enum { MM_ARTICLE_TITLE_MAX = 200, MM_ARTICLE_BODY_MAX = 20000, MM_ARTICLE_TAGS_MAX = 32 };

struct mm_article {
	const char *title, *body;
	const char *const *tags; /* tag_count of them; without spaces around */
	size_t tag_count;
	const char *language; /* "ja", "en", or NULL: not said */
	size_t line;          /* where it begins */
};

/*
 * Read a file's text. At least one article, no two of the same title and language. What is returned
 * is trimmed; line ends are single newlines.
 */
enum mm_status mm_articles_read_markdown(const char *text, size_t length, struct mm_article **out,
					 size_t *count_out, struct mm_arena *arena,
					 struct mm_error *err);
enum mm_status mm_articles_read_csv(const char *text, size_t length, struct mm_article **out,
				    size_t *count_out, struct mm_arena *arena,
				    struct mm_error *err);

#endif
