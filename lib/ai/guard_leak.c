/* guard_leak: hashes of all windows of the prompt in a set, and the reply's looked up in it. */
#include "config.h"

#include "ai/guard_leak.h"

#include <string.h>

#include "text/utf8.h"

enum { HASH_FACTOR = 0x01000193 };

/* The letters and digits of a text, and where each byte of the folded text went. */
struct letters {
	uint32_t *points;
	uint32_t *start, *end; /* source code points */
	size_t count;
};

static bool is_letter(uint32_t point)
{
	if (point < 0x80)
		return (point >= 'a' && point <= 'z') || (point >= '0' && point <= '9');
	/* Punctuation of Japanese and of other scripts does not count. */
	return point > 0xBF && !(point >= 0x2000 && point <= 0x206F) &&
	       !(point >= 0x2190 && point <= 0x27BF) && !(point >= 0x3000 && point <= 0x3030) &&
	       point != 0x30FB;
}

static bool read_letters(const struct mm_folded *text, struct letters *out, struct mm_arena *arena)
{
	out->points = mm_arena_alloc(arena, text->length * sizeof(*out->points));
	out->start = mm_arena_alloc(arena, text->length * sizeof(*out->start));
	out->end = mm_arena_alloc(arena, text->length * sizeof(*out->end));
	if (!out->points || !out->start || !out->end)
		return false;
	for (size_t at = 0, size; at < text->length; at += size) {
		uint32_t point = 0;
		size = mm_utf8_decode(text->text + at, text->length - at, &point);
		if (size == 0)
			break;
		if (!is_letter(point))
			continue;
		out->points[out->count] = point;
		out->start[out->count] = text->start[at];
		out->end[out->count++] = text->end[at];
	}
	return true;
}

/* The place of `part` in `whole`, or SIZE_MAX. */
static size_t find_letters(const struct letters *whole, const struct letters *part)
{
	const size_t size = part->count * sizeof(*part->points);

	for (size_t at = 0; part->count > 0 && at + part->count <= whole->count; at++)
		if (whole->points[at] == part->points[0] &&
		    memcmp(whole->points + at, part->points, size) == 0)
			return at;
	return SIZE_MAX;
}

/* Places of windows in the prompt plus one, by the window's hash; a place that is lost to another
 * with the same hash would need the same words. */
struct windows {
	uint32_t *slots;
	size_t mask;
};

/* Calls for each window of the text with its hash; stops when the visitor says so. */
static void roll(const struct letters *text, bool (*visit)(void *self, size_t at, uint32_t hash),
		 void *self)
{
	uint32_t hash = 0, leaving = 1;

	for (size_t i = 0; i + 1 < MM_GUARD_PASSAGE; i++)
		leaving *= HASH_FACTOR;
	for (size_t i = 0; i < text->count; i++) {
		if (i >= MM_GUARD_PASSAGE)
			hash -= text->points[i - MM_GUARD_PASSAGE] * leaving;
		hash = hash * HASH_FACTOR + text->points[i];
		if (i + 1 >= MM_GUARD_PASSAGE && visit(self, i + 1 - MM_GUARD_PASSAGE, hash))
			return;
	}
}

struct search {
	const struct letters *prompt, *reply;
	struct windows windows;
	size_t found; /* in the reply, or SIZE_MAX */
};

/* High bits: the low ones of such a hash depend on the last letters only. */
static size_t slot_of(const struct search *search, uint32_t hash)
{
	return (hash * 2654435761u >> 7) & search->windows.mask;
}

static bool keep_window(void *self, size_t at, uint32_t hash)
{
	struct search *search = self;

	search->windows.slots[slot_of(search, hash)] = (uint32_t)at + 1;
	return false;
}

static bool look_window_up(void *self, size_t at, uint32_t hash)
{
	struct search *search = self;
	const uint32_t place = search->windows.slots[slot_of(search, hash)];

	if (place == 0 || memcmp(search->prompt->points + place - 1, search->reply->points + at,
				 MM_GUARD_PASSAGE * sizeof(uint32_t)) != 0)
		return false;
	search->found = at;
	return true;
}

static enum mm_status find_passage(const struct letters *prompt, const struct letters *reply,
				   struct mm_guard_leak *out, struct mm_arena *arena,
				   struct mm_error *err)
{
	struct search search = {.prompt = prompt, .reply = reply, .found = SIZE_MAX};
	size_t slots = 64;

	/* Few windows share a slot; those that do are lost, and the windows beside them are not. */
	while (slots < prompt->count * 8)
		slots *= 2;
	search.windows =
	    (struct windows){mm_arena_array(arena, slots, sizeof(uint32_t)), slots - 1};
	if (!search.windows.slots)
		return mm_error_cause(err, MM_NO_MEMORY, "guard: no memory");
	roll(prompt, keep_window, &search);
	roll(reply, look_window_up, &search);
	if (search.found == SIZE_MAX)
		return MM_OK;
	out->has_passage = true;
	out->start = reply->start[search.found];
	out->end = reply->end[search.found + MM_GUARD_PASSAGE - 1];
	return MM_OK;
}

static enum mm_status fold_letters(const char *text, size_t length, struct letters *out,
				   struct mm_arena *arena, struct mm_error *err)
{
	struct mm_folded folded;
	enum mm_status status = mm_fold(text, length, MM_FOLD_PLAIN, &folded, arena, err);

	if (status != MM_OK)
		return status;
	if (!read_letters(&folded, out, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "guard: no memory");
	return MM_OK;
}

enum mm_status mm_guard_leak_find(const struct mm_folded *reply, const struct mm_guard_text *prompt,
				  const char *canary, struct mm_guard_leak *out,
				  struct mm_arena *arena, struct mm_error *err)
{
	struct letters said = {0}, hidden = {0}, mark = {0};
	enum mm_status status = MM_OK;

	if (!read_letters(reply, &said, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "guard: no memory");
	if (canary)
		status = fold_letters(canary, strlen(canary), &mark, arena, err);
	if (status == MM_OK)
		status = fold_letters(prompt->text, prompt->length, &hidden, arena, err);
	if (status != MM_OK)
		return status;
	out->has_canary = find_letters(&said, &mark) != SIZE_MAX;
	return find_passage(&hidden, &said, out, arena, err);
}
