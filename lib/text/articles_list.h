/*
 * articles_list: articles while a file is read (floor 1, private to lib/text).
 *
 * Own      texts given to it are changed in place and must live in the arena
 * Errors   MM_BAD_INPUT with the article's line
 */
#ifndef MM_TEXT_ARTICLES_LIST_H
#define MM_TEXT_ARTICLES_LIST_H

#include "base/buffer.h"
#include "text/articles.h"

struct mm_article_list {
	struct mm_buffer articles; /* of struct mm_article */
	struct mm_arena *arena;
};

/* What a file says of one article; NULL for what it does not say. */
struct mm_article_fields {
	char *title, *body, *tags, *language;
	size_t line;
};

void mm_article_list_init(struct mm_article_list *list, struct mm_arena *arena);

/* Checks, trims and adds one. */
enum mm_status mm_article_list_add(struct mm_article_list *list,
				   const struct mm_article_fields *fields, struct mm_error *err);

/* Ends the list: not empty, nothing twice. */
enum mm_status mm_article_list_close(struct mm_article_list *list, struct mm_article **out,
				     size_t *count_out, struct mm_error *err);

/* A copy of a file's text that may be changed: valid UTF-8 without NUL, without a byte order mark,
 * line ends made \n. */
enum mm_status mm_article_copy(const char *text, size_t length, char **out, struct mm_arena *arena,
			       struct mm_error *err);

/* "line N: reason". */
enum mm_status mm_article_wrong(struct mm_error *err, size_t line, const char *reason);

#endif
