/* utf8: decoding, checking and encoding UTF-8. Not normalisation: that is fold.c. */
#include "config.h"

#include "text/utf8.h"

#include <string.h>

enum { HIGH_BITS_LENGTH = 8 };

/* What a first byte announces: how many bytes, its own payload, and the range of the second byte
 * (table 3-7 of the Unicode Standard), which keeps out overlong forms and surrogates. */
struct lead {
	unsigned char first, last; /* range of first bytes */
	unsigned char size;        /* bytes of the sequence */
	unsigned char payload;     /* bits of the first byte that count */
	unsigned char low, high;   /* range of the second byte */
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 2, 0x1F, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0x0F, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x0F, 0x80, 0xBF}, {0xED, 0xED, 3, 0x0F, 0x80, 0x9F},
    {0xEE, 0xEF, 3, 0x0F, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x07, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x07, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x07, 0x80, 0x8F},
};

static const struct lead *find_lead(unsigned char byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (byte >= leads[i].first && byte <= leads[i].last)
			return &leads[i];
	return NULL;
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The common three-byte case (kana, kanji) without a search. */
static bool decode_middle(const unsigned char *byte, size_t length, uint32_t *code_point_out)
{
	if (length < 3 || byte[0] < 0xE1 || byte[0] > 0xEF || byte[0] == 0xED ||
	    !is_continuation(byte[1]) || !is_continuation(byte[2]))
		return false;
	*code_point_out = (byte[0] & 0x0FU) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU);
	return true;
}

size_t mm_utf8_decode(const char *text, size_t length, uint32_t *code_point_out)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (length == 0)
		return 0;
	if (byte[0] < 0x80) {
		*code_point_out = byte[0];
		return 1;
	}
	if (decode_middle(byte, length, code_point_out))
		return 3;

	const struct lead *lead = find_lead(byte[0]);
	if (lead == NULL || length < lead->size || byte[1] < lead->low || byte[1] > lead->high)
		return 0;
	uint32_t code_point = byte[0] & lead->payload;
	for (size_t i = 1; i < lead->size; i++) {
		if (!is_continuation(byte[i]))
			return 0;
		code_point = code_point << 6 | (byte[i] & 0x3FU);
	}
	*code_point_out = code_point;
	return lead->size;
}

/* How many bytes at the beginning are certainly ASCII: a multiple of eight. */
static size_t skip_ascii(const char *text, size_t length)
{
	size_t at = 0;

	while (length - at >= HIGH_BITS_LENGTH) {
		uint64_t bytes;
		memcpy(&bytes, text + at, sizeof(bytes));
		if ((bytes & UINT64_C(0x8080808080808080)) != 0)
			break;
		at += HIGH_BITS_LENGTH;
	}
	return at;
}

bool mm_utf8_is_valid(const char *text, size_t length, size_t *bad_offset_out)
{
	size_t at = length == 0 ? 0 : skip_ascii(text, length);

	while (at < length) {
		uint32_t code_point;
		size_t size = mm_utf8_decode(text + at, length - at, &code_point);
		if (size == 0) {
			if (bad_offset_out != NULL)
				*bad_offset_out = at;
			return false;
		}
		at += size;
	}
	return true;
}

size_t mm_utf8_count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += !is_continuation((unsigned char)text[i]);
	return count;
}

static char tail_byte(uint32_t code_point, unsigned shift)
{
	return (char)(0x80 | (code_point >> shift & 0x3F));
}

size_t mm_utf8_encode(uint32_t code_point, char out[4])
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xC0 | code_point >> 6);
		out[1] = tail_byte(code_point, 0);
		return 2;
	}
	if (code_point < 0x10000) {
		if (code_point >= 0xD800 && code_point <= 0xDFFF)
			return 0;
		out[0] = (char)(0xE0 | code_point >> 12);
		out[1] = tail_byte(code_point, 6);
		out[2] = tail_byte(code_point, 0);
		return 3;
	}
	if (code_point > 0x10FFFF)
		return 0;
	out[0] = (char)(0xF0 | code_point >> 18);
	out[1] = tail_byte(code_point, 12);
	out[2] = tail_byte(code_point, 6);
	out[3] = tail_byte(code_point, 0);
	return 4;
}

size_t mm_utf8_offset(const char *text, size_t length, size_t code_points)
{
	size_t seen = 0;

	for (size_t i = 0; i < length; i++) {
		if (is_continuation((unsigned char)text[i]))
			continue;
		if (seen == code_points)
			return i;
		seen++;
	}
	return length;
}
