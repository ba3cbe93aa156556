/* fold_squeeze: the SQUEEZED view, made from the PLAIN one in a single pass over runs of letters
 * and the gaps between them. It never sees the source text. */
#include "config.h"

#include "text/fold.h"

#include <string.h>

#include "text/fold_output.h"
#include "text/utf8.h"

enum { FIRST_KANA = 0x3041, LAST_KANA = 0x3096, SINGLE = 1, SEVERAL = 2 };

/* The vowel of every hiragana from ぁ to ゖ; - for っ and ん, which have none. */
static const char vowels[] = "aaiiuueeooaaiiuueeooaaiiuueeooaaii-uueeoo"
			     "aiueoaaaiiiuuueeeoooaiueoaauuooaiueoaaieo-uae";

enum run_kind { RUN_NONE, RUN_JAPANESE, RUN_LATIN, RUN_OTHER };

static const enum run_kind kinds[MM_FOLD_CLASS__MAX] = {
    [MM_FOLD_KANA] = RUN_JAPANESE, [MM_FOLD_LONG_VOWEL] = RUN_JAPANESE,
    [MM_FOLD_HAN] = RUN_JAPANESE,  [MM_FOLD_LATIN] = RUN_LATIN,
    [MM_FOLD_LETTER] = RUN_OTHER,
};

/* One character of the plain view. */
struct character {
	uint32_t code_point;
	size_t at, size; /* bytes in the plain text */
	enum mm_fold_class class;
};

/* Letters of one kind in a row. */
struct run {
	enum run_kind kind;
	unsigned weight; /* letters that are not stretching: 0, SINGLE or SEVERAL (or more) */
};

struct gap {
	size_t start, end; /* bytes */
	bool has_sentence_end;
	bool is_single_joiner;
	bool has_space;
	size_t masks;   /* signs that may hide letters, when it has no others */
	uint32_t width; /* characters of the source */
};

struct squeeze {
	const struct mm_folded *plain;
	struct mm_fold_output output;
	uint32_t last;            /* the last character written */
	unsigned repeats;         /* how often it has come again in a row */
	bool is_stretched;        /* the vowel is being stretched: drop what repeats it */
	bool has_pending;         /* a vowel came again once: */
	struct character pending; /* kept unless it comes a second time */
	bool is_glued;            /* a sign that stayed joins the Latin letters at work to others */
};

_Static_assert(sizeof(vowels) - 1 == LAST_KANA - FIRST_KANA + 1, "a vowel for every kana");

static bool is_kana(uint32_t code_point)
{
	return code_point >= FIRST_KANA && code_point <= LAST_KANA;
}

static char vowel_of(uint32_t code_point)
{
	if (!is_kana(code_point))
		return 0;
	/* The analyzer does not follow the index through is_kana(). */
	const char vowel = vowels[code_point - FIRST_KANA]; /* NOLINT(clang-analyzer-core.*) */

	return vowel == '-' ? 0 : vowel;
}

static bool is_vowel_kana(uint32_t code_point)
{
	return code_point >= 0x3041 && code_point <= 0x304A;
}

/* The large form of a small kana, and any other code point itself. */
static uint32_t large_kana(uint32_t code_point)
{
	bool is_odd = code_point % 2 == 1;

	if (!is_kana(code_point))
		return code_point;
	if ((code_point <= 0x3049 && is_odd) || code_point == 0x3063 ||
	    (code_point >= 0x3083 && code_point <= 0x3087 && is_odd) || code_point == 0x308E)
		return code_point + 1;
	if (code_point == 0x3095)
		return 0x304B;
	return code_point == 0x3096 ? 0x3051 : code_point;
}

/* Whether squeezing may do something to a kana beside copying it: small ones, vowels. */
static bool is_delicate(uint32_t code_point)
{
	return (code_point >= 0x3041 && code_point <= 0x304A) || code_point == 0x3063 ||
	       (code_point >= 0x3083 && code_point <= 0x3087) || code_point == 0x308E ||
	       code_point == 0x3095 || code_point == 0x3096;
}

static inline struct character read_character(const struct mm_folded *plain, size_t at)
{
	const unsigned char *byte = (const unsigned char *)plain->text + at;
	struct character character = {.at = at};

	if (byte[0] < 0x80) {
		character.code_point = byte[0];
		character.size = 1;
	} else if (byte[0] >= 0xE0 && byte[0] <= 0xEF) {
		character.code_point =
		    (byte[0] & 0x0FU) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU);
		character.size = 3;
	} else {
		character.size =
		    mm_utf8_decode(plain->text + at, plain->length - at, &character.code_point);
	}
	uint16_t cell = mm_fold_cell(character.code_point);
	/* Plain text is made of characters that stay. */
	character.class = cell < MM_FOLD_CLASS__MAX ? (enum mm_fold_class)cell : MM_FOLD_SYMBOL;
	return character;
}

/* Signs that may hide letters keep their number: b*****d. */
static bool is_collapsible(const struct character *character)
{
	return character->class != MM_FOLD_SYMBOL && character->code_point != '*' &&
	       character->code_point != '_';
}

/* Writes a character, or takes back the second of three equal ones. */
static void write_character(struct squeeze *squeeze, const struct character *character)
{
	const struct mm_folded *plain = squeeze->plain;
	uint32_t code_point = large_kana(character->code_point);
	char bytes[4];

	squeeze->repeats =
	    squeeze->last == code_point && is_collapsible(character) ? squeeze->repeats + 1 : 0;
	if (squeeze->repeats == 2)
		squeeze->output.length -= character->size;
	if (squeeze->repeats >= 2)
		return;
	squeeze->last = code_point;
	memcpy(bytes, plain->text + character->at, character->size);
	if (code_point != character->code_point)
		mm_utf8_encode(code_point, bytes);
	mm_fold_output_add(&squeeze->output, bytes, character->size, plain->start[character->at],
			   plain->end[character->at]);
}

static void flush_pending(struct squeeze *squeeze)
{
	if (squeeze->has_pending)
		write_character(squeeze, &squeeze->pending);
	squeeze->has_pending = false;
}

/* A ー, or a vowel that repeats the one before it. */
static void stretch(struct squeeze *squeeze, const struct character *character)
{
	bool is_small = large_kana(character->code_point) != character->code_point;

	if (character->class == MM_FOLD_LONG_VOWEL || is_small || squeeze->has_pending)
		squeeze->is_stretched = true;
	squeeze->has_pending = !squeeze->is_stretched;
	squeeze->pending = *character;
}

static void squeeze_character(struct squeeze *squeeze, const struct character *character)
{
	bool is_repeat = is_vowel_kana(character->code_point) &&
			 vowel_of(squeeze->last) == vowel_of(character->code_point);

	if (is_repeat || character->class == MM_FOLD_LONG_VOWEL) {
		stretch(squeeze, character);
		return;
	}
	flush_pending(squeeze);
	squeeze->is_stretched = false;
	write_character(squeeze, character);
}

static void squeeze_gap(struct squeeze *squeeze, const struct gap *gap)
{
	for (size_t at = gap->start; at < gap->end;) {
		struct character character = read_character(squeeze->plain, at);
		squeeze_character(squeeze, &character);
		at += character.size;
	}
}

static bool is_blank(uint32_t code_point)
{
	return code_point == ' ' || code_point == '\n';
}

/* Leaves of a gap its first blank. */
static void squeeze_blank(struct squeeze *squeeze, const struct gap *gap)
{
	struct character character = read_character(squeeze->plain, gap->start);

	while (!is_blank(character.code_point) && character.at + character.size < gap->end)
		character = read_character(squeeze->plain, character.at + character.size);
	squeeze_character(squeeze, &character);
}

/* Copies the letters of a run that need nothing done to them, as long as they come. Local state,
 * as in fold.c. */
static size_t copy_letters(struct squeeze *squeeze, enum run_kind kind, size_t at)
{
	const struct mm_folded *plain = squeeze->plain;
	struct mm_fold_output output = squeeze->output;
	uint32_t last = squeeze->last;
	size_t began = at;

	while (at < plain->length) {
		struct character letter = read_character(plain, at);
		if (kinds[letter.class] != kind || letter.class == MM_FOLD_LONG_VOWEL ||
		    letter.code_point == last || is_delicate(letter.code_point))
			break;
		last = letter.code_point;
		mm_fold_output_add(&output, plain->text + at, letter.size, plain->start[at],
				   plain->end[at]);
		at += letter.size;
	}
	if (at > began) {
		squeeze->output.length = output.length;
		squeeze->last = last;
		squeeze->repeats = 0;
		squeeze->is_stretched = false;
	}
	return at;
}

/* Squeezes the letters of one kind from at on and returns where they end. */
static size_t squeeze_run(struct squeeze *squeeze, enum run_kind kind, size_t at)
{
	while (at < squeeze->plain->length) {
		if (!squeeze->has_pending)
			at = copy_letters(squeeze, kind, at);
		if (at == squeeze->plain->length)
			break;
		struct character letter = read_character(squeeze->plain, at);
		if (kinds[letter.class] != kind)
			break;
		squeeze_character(squeeze, &letter);
		at += letter.size;
	}
	return at;
}

/* Signs that people put in the place of a Japanese letter: 死○, コ□ス, ク*野郎. */
static bool is_mask(uint32_t code_point)
{
	switch (code_point) {
	case '*':
	case U'×':
	case U'★':
	case U'☆':
	case U'✕':
	case U'✖':
	case U'❌':
	case U'⭕':
		return true;
	default:
		return code_point >= U'■' && code_point <= U'◯';
	}
}

/* Reads what is not letters, from at on. */
static struct gap read_gap(const struct mm_folded *plain, size_t at)
{
	struct gap gap = {.start = at};
	size_t characters = 0, masks = 0;
	bool has_joiner = false;

	while (at < plain->length) {
		struct character character = read_character(plain, at);
		if (kinds[character.class] != RUN_NONE)
			break;
		gap.has_sentence_end |= character.class == MM_FOLD_SENTENCE_END;
		has_joiner |= character.class == MM_FOLD_JOINER;
		gap.has_space |= is_blank(character.code_point);
		masks += is_mask(character.code_point);
		gap.width += plain->end[at] - plain->start[at];
		characters++;
		at += character.size;
	}
	gap.end = at;
	gap.is_single_joiner = has_joiner && characters == 1;
	gap.masks = masks == characters ? masks : 0;
	return gap;
}

/* Whether a letter only stretches the one before it. */
static bool is_stretching(const struct character *letter, uint32_t before)
{
	return letter->class == MM_FOLD_LONG_VOWEL || letter->code_point == before ||
	       (is_vowel_kana(letter->code_point) &&
		vowel_of(letter->code_point) == vowel_of(before));
}

/* Reads letters of one kind from at on, until it is clear whether there are several. */
static struct run weigh_run(const struct mm_folded *plain, size_t at)
{
	struct run run = {.kind = RUN_NONE};
	uint32_t before = 0;

	while (at < plain->length && run.weight < SEVERAL) {
		struct character letter = read_character(plain, at);
		enum run_kind kind = kinds[letter.class];
		if (kind == RUN_NONE || (run.kind != RUN_NONE && kind != run.kind))
			break;
		run.kind = kind;
		if (!is_stretching(&letter, before))
			run.weight++;
		before = letter.code_point;
		at += letter.size;
	}
	return run;
}

static size_t run_end(const struct mm_folded *plain, enum run_kind kind, size_t at)
{
	while (at < plain->length) {
		struct character letter = read_character(plain, at);
		if (kinds[letter.class] != kind)
			break;
		at += letter.size;
	}
	return at;
}

static bool is_empty(const struct gap *gap)
{
	return gap->start == gap->end;
}

/* Latin letters: whether a gap between two single ones is to go. A sign in one word with several
 * letters stays (st*p*d), and so does a single sign between two letters (c*w). */
static bool is_latin_gap_dropped(const struct squeeze *squeeze, const struct gap *before,
				 const struct gap *gap, const struct run *right)
{
	struct gap after;
	struct run next;

	/* Several masks are as many letters. */
	if (squeeze->is_glued || right->weight > SINGLE || gap->masks > 1)
		return false;
	after = read_gap(squeeze->plain, run_end(squeeze->plain, RUN_LATIN, gap->end));
	next = weigh_run(squeeze->plain, after.end);
	if (is_empty(&after) || next.kind != RUN_LATIN)
		return gap->has_space || before->width > 0;
	if (next.weight > SINGLE)
		return after.has_space && (gap->has_space || before->width > 0);
	return true;
}

/* Whether a blank between single letters ends a word: f u c k  y o u, f.u.c.k y.o.u, a f.o.o.l. */
static bool ends_word(const struct squeeze *squeeze, const struct gap *before,
		      const struct gap *gap)
{
	struct gap after;

	if (!gap->has_space)
		return false;
	if (before->width > 0 && (!before->has_space || gap->width > before->width))
		return true;
	after = read_gap(squeeze->plain, run_end(squeeze->plain, RUN_LATIN, gap->end));
	return !is_empty(&after) && !after.has_space;
}

/* True for a sign in the place of a letter. Among several in one word it only separates. */
static bool hides_letter(const struct squeeze *squeeze, const struct gap *before,
			 const struct gap *gap)
{
	if (gap->masks != 1 || before->width > 0)
		return false;
	return read_gap(squeeze->plain, run_end(squeeze->plain, RUN_JAPANESE, gap->end)).masks != 1;
}

static bool is_japanese_gap_dropped(const struct squeeze *squeeze, const struct run *left,
				    const struct gap *before, const struct gap *gap,
				    const struct run *right)
{
	if (hides_letter(squeeze, before, gap))
		return false;
	return left->weight <= SINGLE || right->weight <= SINGLE || gap->is_single_joiner;
}

static bool is_gap_dropped(const struct squeeze *squeeze, const struct run *left,
			   const struct gap *before, const struct gap *gap, const struct run *right)
{
	if (left->kind != right->kind || is_empty(gap))
		return false;
	if (gap->has_sentence_end && right->weight > SINGLE)
		return false;
	if (left->kind == RUN_JAPANESE)
		return is_japanese_gap_dropped(squeeze, left, before, gap, right);
	return left->kind == RUN_LATIN && left->weight <= SINGLE &&
	       is_latin_gap_dropped(squeeze, before, gap, right);
}

/* Writes what a gap leaves, and notes what the next one needs to know. */
static void end_gap(struct squeeze *squeeze, const struct run *left, struct gap *before,
		    const struct gap *gap, const struct run *right)
{
	bool is_dropped = is_gap_dropped(squeeze, left, before, gap, right);

	if (!is_dropped)
		squeeze_gap(squeeze, gap);
	else if (left->kind == RUN_LATIN && ends_word(squeeze, before, gap))
		squeeze_blank(squeeze, gap);
	squeeze->is_glued = !is_dropped && !is_empty(gap) && !gap->has_space &&
			    left->kind == RUN_LATIN && right->kind == RUN_LATIN;
	*before = *gap;
	if (!is_dropped)
		before->width = 0;
}

static void squeeze_all(struct squeeze *squeeze)
{
	struct run left = {.kind = RUN_NONE};
	struct gap before = {.width = 0}; /* width 0: it was not dropped */

	for (size_t at = 0; at < squeeze->plain->length;) {
		struct gap gap = read_gap(squeeze->plain, at);
		struct run right = weigh_run(squeeze->plain, gap.end);
		end_gap(squeeze, &left, &before, &gap, &right);
		at = right.kind == RUN_NONE ? gap.end : squeeze_run(squeeze, right.kind, gap.end);
		left = right;
	}
	flush_pending(squeeze);
}

enum mm_status mm_fold_squeeze(const struct mm_folded *plain, struct mm_folded *out,
			       struct mm_arena *arena, struct mm_error *err)
{
	struct squeeze squeeze = {.plain = plain};
	struct mm_folded made;

	if (!mm_fold_output_open(&squeeze.output, plain->length, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "squeezing %zu bytes", plain->length);
	squeeze_all(&squeeze);
	mm_fold_output_close(&squeeze.output, &made);
	made.source_code_points = plain->source_code_points;
	made.is_changed =
	    made.length != plain->length || memcmp(made.text, plain->text, made.length) != 0;
	*out = made;
	return MM_OK;
}
