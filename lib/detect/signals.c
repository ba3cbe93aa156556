/* signals.c: signals and intents of what stands. Personal data is found by text/pii.h. */
#include "config.h"

#include "detect/judge.h"

#include "text/pii.h"

/* What a character makes possible. */
enum clue {
	CLUE_NUMBER = 1, /* or an @ */
	CLUE_KANJI_NUMBER = 2,
	CLUE_PREFECTURE = 4 /* or the 住 of 住所 */
};

static unsigned clue_of(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || c == '@' ? CLUE_NUMBER : 0;
	switch (c) {
	case U'〇':
	case U'一':
	case U'二':
	case U'三':
	case U'四':
	case U'五':
	case U'六':
	case U'七':
	case U'八':
	case U'九':
	case U'十':
		return CLUE_KANJI_NUMBER;
	case U'都':
	case U'道':
	case U'府':
	case U'県':
	case U'住':
		return CLUE_PREFECTURE;
	default:
		return 0;
	}
}

/* Personal data has a number or an @ in it, and what is numbered in kanji is an address. Most
 * messages have neither, and need no closer look. */
static bool may_hold_personal_data(const struct mm_keyed *text)
{
	unsigned clues = 0;

	for (uint32_t i = 0; i < text->count; i++)
		clues |= clue_of(text->code_points[i]);
	return (clues & CLUE_NUMBER) || (clues & CLUE_KANJI_NUMBER && clues & CLUE_PREFECTURE);
}

enum mm_status mm_signals_judge(struct mm_reading *reading, unsigned *signals_out,
				unsigned *intents_out, struct mm_error *err)
{
	const struct mm_scanner *scanner = reading->scanner;
	unsigned signals = 0, intents = 0;
	struct mm_pii_span *spans;
	size_t span_count = 0;
	enum mm_status status = MM_OK;

	if (may_hold_personal_data(&scanner->views[MM_FOLD_PLAIN].keyed))
		status = mm_pii_find(reading->utf8, reading->length, &spans, &span_count,
				     reading->arena, err);
	if (status != MM_OK)
		return status;
	if (span_count > 0)
		signals |= 1u << MM_SIGNAL_PII_PRESENT;
	for (uint32_t i = 0; i < scanner->fired_count; i++) {
		const struct mm_rule *rule = &reading->rules->rules[scanner->fired[i]];

		if (scanner->rules[scanner->fired[i]].standing == 0)
			continue;
		if (rule->signal != MM_SIGNAL__MAX)
			signals |= 1u << rule->signal;
		if (rule->intent != MM_INTENT__MAX)
			intents |= 1u << rule->intent;
	}
	*signals_out = signals;
	*intents_out = intents;
	return MM_OK;
}
