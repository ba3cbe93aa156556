/*
 * rewrite_text: a squeezed view at work (floor 2, private to rewrite*.c): rewrite.c finds what is to
 * be changed, rewrite_write.c writes it.
 *
 * Units    characters of the squeezed view, unless bytes are named
 * Own      arrays live in the arena of the message; texts in the tables
 */
#ifndef MM_DETECT_REWRITE_TEXT_H
#define MM_DETECT_REWRITE_TEXT_H

#include "detect/rewrite_table.h"

/* A place that is written differently. */
struct mm_change {
	uint32_t at, length; /* characters */
	const char *to;
	uint32_t to_length; /* bytes */
	enum mm_doubtfulness doubt;
	bool is_reading;
};

/* A text at work. */
struct mm_text {
	const struct mm_rewrites *rewrites;
	const struct mm_folded *squeezed;
	const uint32_t *offsets; /* bytes of `squeezed` */
	uint32_t *code_points;
	const uint32_t *as_sent; /* before signs were read as letters */
	uint32_t count;
	uint32_t foreign_end; /* the end of the last foreign word; UINT32_MAX: there was none */
};

/* Writes the text with its `count` changes, which are in order and do not overlap. MM_NO_MEMORY. */
enum mm_status mm_rewrite_write(const struct mm_text *text, const struct mm_change *changes,
				uint32_t count, struct mm_rewritten *out, struct mm_arena *arena,
				struct mm_error *err);

#endif
