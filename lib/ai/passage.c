/* passage: cuts a body into pieces and ranks them with an index of its own. */
#include "config.h"

#include "ai/passage.h"

#include <string.h>

#include "base/buffer.h"
#include "text/search.h"
#include "text/utf8.h"

enum { PIECE_CODE_POINTS = 300 };

static struct mm_piece *last_of(const struct mm_buffer *pieces)
{
	return pieces->length == 0 ? NULL
				   : (struct mm_piece *)(void *)(pieces->data + pieces->length) - 1;
}

/* One line with its end: behind the last piece where there is room, else as one of its own. */
static void add_line(struct mm_buffer *pieces, const char *body, size_t start, size_t end,
		     size_t max_code_points)
{
	const size_t code_points = mm_utf8_count(body + start, end - start);
	struct mm_piece *last = last_of(pieces);
	if (last && last->code_points + code_points <= max_code_points) {
		last->end = end;
		last->code_points += code_points;
		return;
	}
	while (start < end) {
		const size_t size = mm_utf8_offset(body + start, end - start, max_code_points);
		const struct mm_piece piece = {start, start + size,
					       mm_utf8_count(body + start, size)};
		mm_buffer_add(pieces, &piece, sizeof piece);
		start += size;
	}
}

void mm_passage_cut(const char *body, size_t max_code_points, struct mm_buffer *pieces)
{
	for (size_t at = 0; body[at];) {
		const size_t line = strcspn(body + at, "\n");
		const size_t end = at + line + (body[at + line] == '\n');
		add_line(pieces, body, at, end, max_code_points);
		at = end;
	}
}

/* The piece that has most of the question in it; the first where none has any. */
static size_t find_best(const char *body, const struct mm_piece *pieces, size_t count,
			const char *question, size_t length, struct mm_arena *arena)
{
	struct mm_search_document *documents = mm_arena_array(arena, count, sizeof *documents);
	struct mm_search *search = NULL;
	struct mm_search_hit hit;
	size_t found = 0;
	if (!documents)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const char *text = mm_arena_strndup(arena, body + pieces[i].start,
						    pieces[i].end - pieces[i].start);
		documents[i] =
		    (struct mm_search_document){.title = "", .body = text ? text : "", .tags = ""};
	}
	if (mm_search_build(documents, count, &search, NULL) != MM_OK)
		return 0;
	if (mm_search_find(search, question, length, 0, &hit, 1, &found, arena, NULL) != MM_OK)
		found = 0;
	mm_search_free(search);
	return found ? hit.document : 0;
}

const char *mm_passage_choose(const char *body, const char *question, size_t length,
			      size_t max_code_points, struct mm_arena *arena)
{
	struct mm_buffer list;
	if (mm_utf8_count(body, strlen(body)) <= max_code_points)
		return body;
	mm_buffer_init(&list, 0, 0, arena);
	mm_passage_cut(body, PIECE_CODE_POINTS, &list);
	if (list.has_failed)
		return NULL;
	const struct mm_piece *pieces = (const struct mm_piece *)(const void *)list.data;
	const size_t count = list.length / sizeof *pieces;
	size_t first = find_best(body, pieces, count, question, length, arena), end = first + 1;
	size_t room = max_code_points - pieces[first].code_points;
	for (; end < count && pieces[end].code_points <= room; end++)
		room -= pieces[end].code_points;
	for (; first > 0 && pieces[first - 1].code_points <= room; first--)
		room -= pieces[first - 1].code_points;
	return mm_arena_strndup(arena, body + pieces[first].start,
				pieces[end - 1].end - pieces[first].start);
}
