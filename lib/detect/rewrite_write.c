/* rewrite_write.c: writes a squeezed view with its changes, and where in the message all of it came
 * from. */
#include "config.h"

#include "detect/rewrite_text.h"

#include "text/utf8.h"

/* The view being written. */
struct writer {
	const struct mm_text *text;
	char *bytes;
	uint32_t *start, *end;
	uint32_t length;
	struct mm_rewriting *rewritings;
	uint32_t rewriting_count;
};

static void write_bytes(struct writer *w, const char *bytes, uint32_t length, uint32_t first,
			uint32_t last)
{
	const struct mm_text *text = w->text;

	for (uint32_t i = 0; i < length; i++) {
		w->bytes[w->length] = bytes[i];
		w->start[w->length] = text->squeezed->start[text->offsets[first]];
		w->end[w->length++] = text->squeezed->end[text->offsets[last + 1] - 1];
	}
}

static void note_rewriting(struct writer *w, uint32_t from, enum mm_doubtfulness doubt,
			   bool is_reading)
{
	w->rewritings[w->rewriting_count++] =
	    (struct mm_rewriting){from, w->length, doubt, is_reading};
}

/* Writes characters as they are, or as the letters that they stand for. */
static void write_characters(struct writer *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint32_t c = w->text->code_points[i], at = w->length;
		char bytes[4];
		size_t size = mm_utf8_encode(c, bytes);

		write_bytes(w, bytes, (uint32_t)size, i, i);
		if (c != w->text->as_sent[i])
			note_rewriting(w, at, MM_DOUBT_NONE, false);
	}
}

static bool open_writer(struct writer *w, const struct mm_change *changes, uint32_t count,
			struct mm_arena *arena)
{
	size_t room = 4u * (size_t)w->text->count + 1;

	for (uint32_t i = 0; i < count; i++)
		room += changes[i].to_length;
	w->bytes = mm_arena_alloc(arena, room);
	w->start = mm_arena_alloc(arena, room * sizeof(*w->start));
	w->end = mm_arena_alloc(arena, room * sizeof(*w->end));
	w->rewritings = mm_arena_alloc(arena, w->text->count * sizeof(*w->rewritings));
	return w->bytes && w->start && w->end && w->rewritings;
}

static void write_changes(struct writer *w, const struct mm_change *changes, uint32_t count)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct mm_change *change = &changes[i];
		uint32_t from;

		write_characters(w, at, change->at);
		from = w->length;
		at = change->at + change->length;
		write_bytes(w, change->to, change->to_length, change->at, at - 1);
		note_rewriting(w, from, change->doubt, change->is_reading);
	}
	write_characters(w, at, w->text->count);
	w->bytes[w->length] = '\0';
}

enum mm_status mm_rewrite_write(const struct mm_text *text, const struct mm_change *changes,
				uint32_t count, struct mm_rewritten *out, struct mm_arena *arena,
				struct mm_error *err)
{
	struct writer writer = {.text = text};

	if (!open_writer(&writer, changes, count, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "no memory to read a disguise");
	write_changes(&writer, changes, count);
	*out = (struct mm_rewritten){
	    .view = {.text = writer.bytes,
		     .length = writer.length,
		     .start = writer.start,
		     .end = writer.end,
		     .source_code_points = text->squeezed->source_code_points,
		     .is_changed = true},
	    .rewritings = writer.rewritings,
	    .rewriting_count = writer.rewriting_count,
	};
	return MM_OK;
}
