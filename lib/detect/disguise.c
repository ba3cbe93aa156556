/* disguise.c: compares the two views of a message. What a disguise hides is not its business. */
#include "config.h"

#include "detect/disguise.h"

#include "text/utf8.h"

uint32_t mm_plain_byte(const struct mm_folded *plain, uint32_t source)
{
	size_t low = 0, high = plain->length;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (plain->start[middle] < source)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

/* The sounds that a small ゃ, ゅ or ょ belongs to. */
static bool takes_small_y(uint32_t c)
{
	switch (c) {
	case U'き':
	case U'ぎ':
	case U'し':
	case U'じ':
	case U'ち':
	case U'ぢ':
	case U'に':
	case U'ひ':
	case U'び':
	case U'ぴ':
	case U'み':
	case U'り':
		return true;
	default:
		return false;
	}
}

static size_t character_start(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static uint32_t decode_at(const struct mm_folded *folded, size_t at)
{
	uint32_t c = 0;

	mm_utf8_decode(folded->text + at, folded->length - at, &c);
	return c;
}

/* True for a small kana at byte `at` of the plain view that stands where it belongs. */
static bool is_ordinary(const struct mm_folded *plain, size_t at)
{
	size_t start = character_start(plain->text, at);
	uint32_t c = decode_at(plain, start);

	if (c == U'っ')
		return true;
	if ((c != U'ゃ' && c != U'ゅ' && c != U'ょ') || start == 0)
		return false;
	return takes_small_y(decode_at(plain, character_start(plain->text, start - 1)));
}

bool mm_disguise_is_there(const struct mm_folded *plain, const struct mm_folded *squeezed,
			  size_t from, size_t to)
{
	size_t plain_from, plain_to;

	if (from == to)
		return false;
	plain_from = mm_plain_byte(plain, squeezed->start[from]);
	plain_to = mm_plain_byte(plain, squeezed->end[to - 1]);
	if (plain_to - plain_from != to - from)
		return true;
	for (size_t i = 0; i < to - from; i++)
		if (plain->text[plain_from + i] != squeezed->text[from + i] &&
		    !is_ordinary(plain, plain_from + i))
			return true;
	return false;
}

static bool is_sign(uint32_t c)
{
	if (c < 0x80)
		return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
	return c >= 0x2000 && c < 0x3041 && c != U'々';
}

uint32_t mm_disguise_signs(const struct mm_folded *view, size_t from, size_t to)
{
	uint32_t signs = 0;

	for (size_t at = from; at < to;) {
		uint32_t c = 0;
		size_t step = mm_utf8_decode(view->text + at, view->length - at, &c);

		signs += is_sign(c) || c == U'・' || c >= 0x1f000;
		at += step ? step : 1;
	}
	return signs;
}

static const struct {
	uint32_t from, to;
} odd[] = {
    {0x00ad, 0x00ad}, {0x0300, 0x036f}, {0x1d00, 0x1dbf},   {0x200b, 0x200f},   {0x2060, 0x2064},
    {0x2070, 0x209f}, {0x20d0, 0x20ff}, {0x2460, 0x24ff},   {0x3200, 0x32ff},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xff21, 0xff5a}, {0x1d400, 0x1d7ff}, {0x1f100, 0x1f1ff},
};

static bool is_odd(uint32_t c)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (c >= odd[i].from && c <= odd[i].to)
			return true;
	return false;
}

bool mm_disguise_is_odd(const struct mm_folded *plain, size_t from, size_t to, const char *utf8,
			const uint32_t *offsets)
{
	for (uint32_t i = plain->start[from]; i < plain->end[to - 1]; i++) {
		uint32_t c = 0;

		mm_utf8_decode(utf8 + offsets[i], offsets[i + 1] - offsets[i], &c);
		if (is_odd(c))
			return true;
	}
	return false;
}
