/* pii: walks over a message and asks the matchers. Numbers are pii_number.c and pii_foreign.c,
 * addresses pii_address.c and pii_street.c; mail addresses are here. It masks nothing. */
#include "config.h"

#include "text/pii.h"

#include <string.h>

#include "base/buffer.h"
#include "text/pii_text.h"
#include "text/utf8.h"

enum { WORD_DISTANCE = 10, MAIL_LOCAL_MAX = 64, MAIL_DOMAIN_MAX = 253, TOP_LEVEL_MIN = 2 };

const char *mm_pii_kind_name(enum mm_pii_kind kind)
{
	static const char *const names[MM_PII__MAX] = {
	    [MM_PII_PHONE] = "phone",         [MM_PII_EMAIL] = "email",
	    [MM_PII_CARD] = "card",           [MM_PII_POSTAL_CODE] = "postal_code",
	    [MM_PII_MY_NUMBER] = "my_number", [MM_PII_BANK_ACCOUNT] = "bank_account",
	    [MM_PII_ADDRESS] = "address",     [MM_PII_SOCIAL_SECURITY] = "social_security",
	};

	return (unsigned)kind < MM_PII__MAX ? names[kind] : "unknown";
}

static bool is_in(char32_t point, const char32_t *set)
{
	if (point == 0)
		return false;
	for (; *set != 0; set++)
		if (*set == point)
			return true;
	return false;
}

bool mm_pii_is_hyphen(char32_t point)
{
	return is_in(point, U"-‐‑‒–—―−ーｰ");
}

static char32_t lower(char32_t point)
{
	return point >= 'A' && point <= 'Z' ? point + ('a' - 'A') : point;
}

size_t mm_pii_word_at(const struct mm_pii_text *text, size_t at, const char32_t *word)
{
	size_t length = 0;

	for (; word[length] != 0; length++)
		if (lower(mm_pii_point(text, at + length)) != word[length])
			return 0;
	return length;
}

static bool ends_with_word(const struct mm_pii_text *text, size_t end, const char32_t *word)
{
	size_t length = 0;

	while (word[length] != 0)
		length++;
	return length <= end && mm_pii_word_at(text, end - length, word) == length;
}

bool mm_pii_has_word_before(const struct mm_pii_text *text, size_t at, const char32_t *const *words)
{
	for (size_t back = 0; back <= WORD_DISTANCE && back <= at; back++) {
		size_t end = at - back;
		for (const char32_t *const *word = words; *word != NULL; word++)
			if (ends_with_word(text, end, *word))
				return true;
		if (end == 0 ||
		    !is_in(text->points[end - 1], U" \n\t:;.#=()（）「」『』[]【】・-"
						  U"のはがを番号預金宛先コードナンバーNnOoIiDd№"))
			return false;
	}
	return false;
}

static bool is_local_point(char32_t point)
{
	return mm_pii_is_latin(point) || mm_pii_is_digit(point) || is_in(point, U"._%+-");
}

static bool is_domain_point(char32_t point)
{
	return mm_pii_is_latin(point) || mm_pii_is_digit(point) || point == '-' || point == '.';
}

/* Where a domain that begins at a place ends; 0 when it is none. */
static size_t domain_end(const struct mm_pii_text *text, size_t at)
{
	size_t end = at, label = at, last_dot = 0;

	while (end - at < MAIL_DOMAIN_MAX && is_domain_point(mm_pii_point(text, end))) {
		if (text->points[end] == '.') {
			if (end == label)
				break;
			/* A dot counts when a label follows: the other one ends the sentence. */
			if (!mm_pii_is_latin(mm_pii_point(text, end + 1)) &&
			    !mm_pii_is_digit(mm_pii_point(text, end + 1)))
				break;
			last_dot = end;
			label = end + 1;
		}
		end++;
	}
	if (last_dot == 0 || end - last_dot - 1 < TOP_LEVEL_MIN)
		return 0;
	for (size_t i = last_dot + 1; i < end; i++)
		if (!mm_pii_is_latin(text->points[i]))
			return 0;
	return end;
}

/* A mail address, recognised at its @; it does not reach back over the match before. */
static bool match_email(const struct mm_pii_text *text, size_t at, size_t floor_place,
			struct mm_pii_match *out)
{
	size_t start = at;

	if (text->points[at] != '@')
		return false;
	while (start > floor_place && at - start < MAIL_LOCAL_MAX &&
	       is_local_point(text->points[start - 1]))
		start--;
	while (start < at && is_in(text->points[start], U".-"))
		start++;
	size_t end = domain_end(text, at + 1);
	if (start == at || end == 0)
		return false;
	*out = (struct mm_pii_match){start, end, MM_PII_EMAIL};
	return true;
}

/* A number may turn out to be the beginning of a mail address: 09012345678@example.jp. */
static bool is_mail_local(const struct mm_pii_text *text, const struct mm_pii_match *match)
{
	size_t end = match->end;

	if (match->kind == MM_PII_ADDRESS)
		return false;
	while (end - match->end < MAIL_LOCAL_MAX && is_local_point(mm_pii_point(text, end)))
		end++;
	return mm_pii_point(text, end) == '@' && domain_end(text, end + 1) != 0;
}

static bool match_at(const struct mm_pii_text *text, size_t at, const struct mm_pii_match *before,
		     struct mm_pii_match *out)
{
	if (match_email(text, at, before == NULL ? 0 : before->end, out))
		return true;
	if (mm_pii_match_number(text, at, before, out))
		return !is_mail_local(text, out);
	if (mm_pii_match_foreign(text, at, out))
		return !is_mail_local(text, out);
	return mm_pii_match_address(text, at, out) || mm_pii_match_street(text, at, out);
}

/* Makes points of the message; full-width ASCII and the ideographic space become half width. */
static bool read_points(const char *message, size_t length, struct mm_pii_text *text,
			struct mm_arena *arena)
{
	size_t count = mm_utf8_count(message, length);
	char32_t *points = mm_arena_alloc(arena, (count + 1) * sizeof(*points));
	uint32_t *offsets = mm_arena_alloc(arena, (count + 1) * sizeof(*offsets));
	size_t at = 0;

	if (points == NULL || offsets == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t point = 0;
		offsets[i] = (uint32_t)at;
		at += mm_utf8_decode(message + at, length - at, &point);
		if (point >= 0xFF01 && point <= 0xFF5E)
			point -= 0xFEE0;
		points[i] = point == 0x3000 ? ' ' : point;
	}
	points[count] = 0;
	offsets[count] = (uint32_t)length;
	*text = (struct mm_pii_text){points, offsets, count};
	return true;
}

static void find_all(const struct mm_pii_text *text, struct mm_buffer *spans)
{
	struct mm_pii_match match, before;
	const struct mm_pii_match *last = NULL;

	for (size_t at = 0; at < text->count;) {
		if (!match_at(text, at, last, &match)) {
			at++;
			continue;
		}
		struct mm_pii_span span = {text->offsets[match.start], text->offsets[match.end],
					   match.kind};
		mm_buffer_add(spans, &span, sizeof(span));
		before = match;
		last = &before;
		at = match.end;
	}
}

enum mm_status mm_pii_find(const char *message, size_t length, struct mm_pii_span **out,
			   size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_pii_text text;
	struct mm_buffer spans;
	size_t bad_offset;

	if (!mm_utf8_is_valid(message, length, &bad_offset))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "text is not valid UTF-8 at byte %zu", bad_offset);
	if (length >= UINT32_MAX)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "text is too long");
	if (!read_points(message, length, &text, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "looking for personal data");
	mm_buffer_init(&spans, 0, 0, arena);
	find_all(&text, &spans);
	if (spans.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "looking for personal data");
	*count_out = spans.length / sizeof(struct mm_pii_span);
	*out = *count_out == 0 ? NULL : (struct mm_pii_span *)(void *)spans.data;
	return MM_OK;
}
