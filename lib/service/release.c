/* release: holds words back; sends nothing and judges nothing itself. */
#include "config.h"

#include "service/release.h"

#include <string.h>

#include "ai/citation.h"
#include "text/utf8.h"

enum { TEXT_INITIAL = 1024, TAIL_INITIAL = 64, TEXT_MAX = 1024 * 1024 };

void mm_release_init(struct mm_release *release, const struct mm_pii_mask *mask,
		     size_t source_count, const struct mm_release_judge *judge,
		     struct mm_arena *arena)
{
	*release = (struct mm_release){
	    .mask = mask, .judge = *judge, .source_count = source_count, .arena = arena};
	mm_buffer_init(&release->tail, TAIL_INITIAL, TEXT_MAX, arena);
	mm_buffer_init(&release->text, TEXT_INITIAL, TEXT_MAX, arena);
}

/* Bytes up to the end of the last whole character. What is no UTF-8 counts as whole: it is found
 * out when it is unmasked. */
static size_t whole_characters(const char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return length;
	const unsigned char lead = (unsigned char)text[start - 1];
	const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	return size > 1 && length - start + 1 < size ? start - 1 : length;
}

/* Bytes of the tail that read the same whatever follows. */
static size_t settled_bytes(const struct mm_release *release)
{
	const struct mm_buffer *tail = &release->tail;
	const size_t whole = whole_characters(tail->data, tail->length);
	const size_t unmasked = whole - mm_pii_mask_open_end(tail->data, whole);

	return release->source_count == 0 ? unmasked
					  : unmasked - mm_citation_open_end(tail->data, unmasked);
}

/* Takes the marks out of what is settled of the tail, unmasks it, and adds it to the text. */
static enum mm_status take_tail(struct mm_release *release, struct mm_error *err)
{
	struct mm_buffer *tail = &release->tail;
	const size_t settled = settled_bytes(release);
	const char *text = tail->data;
	size_t length = settled, unknown;
	unsigned cited;

	if (settled == 0)
		return MM_OK;
	if (release->source_count > 0) {
		text =
		    mm_citation_take(text, length, release->source_count, &cited, release->arena);
		length = text ? strlen(text) : 0;
	}
	const enum mm_status status =
	    text ? mm_pii_unmask(release->mask, text, length, &text, &length, &unknown, err)
		 : MM_NO_MEMORY;
	if (status != MM_OK)
		return status;
	mm_buffer_add(&release->text, text, length);
	release->unknown += unknown;
	memmove(tail->data, tail->data + settled, tail->length - settled);
	tail->length -= settled;
	return MM_OK;
}

enum mm_status mm_release_add(struct mm_release *release, const char *words, size_t length,
			      const char **part_out, size_t *part_length_out, struct mm_error *err)
{
	struct mm_buffer *text = &release->text;

	mm_buffer_add(&release->tail, words, length);
	const enum mm_status status =
	    release->tail.has_failed ? MM_NO_MEMORY : take_tail(release, err);
	if (status == MM_NO_MEMORY || text->has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a reply that is streamed");
	if (status != MM_OK)
		return status;
	*part_out = text->data + release->shown;
	*part_length_out = 0;
	if (text->length == release->shown ||
	    !release->judge.is_good(release->judge.context, text->data, text->length,
				    release->unknown))
		return MM_OK;
	*part_length_out = text->length - release->shown;
	release->shown = text->length;
	return MM_OK;
}

bool mm_release_forget(struct mm_release *release)
{
	const bool has_shown = release->shown > 0;

	mm_buffer_clear(&release->tail);
	mm_buffer_clear(&release->text);
	release->shown = release->unknown = 0;
	return has_shown;
}
