/*
 * reply_check: whether a model's text can go to a customer as it is (floor 3).
 *
 * Shape    pure functions over valid UTF-8
 * Units    bytes
 * Errors   none
 * Threads  any
 *
 * Only what tells languages apart by their letters is judged: Japanese, Chinese, and those in Latin
 * letters. French is not told from English.
 */
#ifndef MM_AI_REPLY_CHECK_H
#define MM_AI_REPLY_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* False when question and reply are clearly in different languages; true when it cannot be told. */
bool mm_reply_matches_language(const char *question, size_t question_length, const char *reply,
			       size_t reply_length);

/* The length of `text` up to the end of its last whole sentence or line; 0 when there is none. */
size_t mm_reply_whole_sentences(const char *text, size_t length);

#endif
