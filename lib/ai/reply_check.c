/* reply_check: counts letters and looks for full stops. */
#include "config.h"

#include "ai/reply_check.h"

#include <stdint.h>
#include <string.h>

#include "text/utf8.h"

enum { LETTERS_MIN = 10 }; /* fewer letters prove nothing: a name, an order number */

enum script { SCRIPT_KANA, SCRIPT_HAN, SCRIPT_LATIN, SCRIPT_OTHER, SCRIPT__MAX };

static const struct {
	uint32_t first, last;
	enum script script;
} ranges[] = {
    {'A', 'Z', SCRIPT_LATIN},      {'a', 'z', SCRIPT_LATIN},       {0xC0, 0x24F, SCRIPT_LATIN},
    {0x3041, 0x30FF, SCRIPT_KANA}, {0x3400, 0x9FFF, SCRIPT_HAN},   {0xFF66, 0xFF9D, SCRIPT_KANA},
    {0x370, 0x1FFF, SCRIPT_OTHER}, {0xAC00, 0xD7AF, SCRIPT_OTHER},
};

static void count_letters(const char *text, size_t length, size_t counts[SCRIPT__MAX])
{
	uint32_t letter;
	memset(counts, 0, SCRIPT__MAX * sizeof counts[0]);
	for (size_t step; length > 0 && (step = mm_utf8_decode(text, length, &letter)) > 0;
	     text += step, length -= step)
		for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
			if (letter >= ranges[i].first && letter <= ranges[i].last)
				counts[ranges[i].script]++;
}

/* Japanese has kana; SCRIPT__MAX: it cannot be told. */
static enum script main_script(const char *text, size_t length, size_t least)
{
	size_t counts[SCRIPT__MAX], total = 0;
	count_letters(text, length, counts);
	for (int script = 0; script < SCRIPT__MAX; script++)
		total += counts[script];
	if (total < least)
		return SCRIPT__MAX;
	if (counts[SCRIPT_KANA] * 10 >= total)
		return SCRIPT_KANA;
	for (int script = 0; script < SCRIPT__MAX; script++)
		if (counts[script] * 2 > total)
			return (enum script)script;
	return SCRIPT__MAX;
}

bool mm_reply_matches_language(const char *question, size_t question_length, const char *reply,
			       size_t reply_length)
{
	const enum script asked = main_script(question, question_length, 1);
	const enum script answered = main_script(reply, reply_length, LETTERS_MIN);
	if (asked == SCRIPT__MAX || answered == SCRIPT__MAX)
		return true;
	/* A question in kanji alone may be Japanese or Chinese. */
	return asked == answered || (asked == SCRIPT_HAN && answered == SCRIPT_KANA);
}

static bool ends_sentence(uint32_t letter)
{
	static const uint32_t ends[] = {'.', '!', '?', '\n', 0x3002, 0xFF01, 0xFF1F};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (ends[i] == letter)
			return true;
	return false;
}

size_t mm_reply_whole_sentences(const char *text, size_t length)
{
	size_t whole = 0, at = 0, step;
	uint32_t letter;
	while (at < length && (step = mm_utf8_decode(text + at, length - at, &letter)) > 0) {
		at += step;
		if (ends_sentence(letter))
			whole = at;
	}
	return whole;
}
