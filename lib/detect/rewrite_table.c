/* rewrite_table.c: reads *.disguise files into tables. How they are used is for rewrite.c. */
#include "config.h"

#include "detect/rewrite_table.h"

#include <stdlib.h>

#include "detect/disguise.h"
#include "detect/grow.h"
#include "text/utf8.h"

/* A reading of so few characters is always a doubt. */
enum { SHORT_READING = 3 };

enum section { LETTERS, MASKS, MASKED, AFTER, KEEP, WORDS, SHORT, READINGS, ROMAJI, SECTION__MAX };

/* The file being read. */
struct reader {
	struct mm_rewrites *rewrites;
	const char *file;
	unsigned line;
	enum section section; /* SECTION__MAX before the first heading */
	struct mm_arena *work;
	struct mm_error *err;
};

/* A word of a line: its folded text and its characters. */
struct word {
	const char *text;
	uint32_t *code_points;
	uint32_t length; /* characters */
	enum mm_doubtfulness doubt;
	bool is_follower;
};

static const struct {
	const char *name;
	bool has_key; /* KEY = WORD WORD … */
	enum mm_fold_view view;
} sections[SECTION__MAX] = {
    [LETTERS] = {"[letters]", true, MM_FOLD_PLAIN},
    [MASKS] = {"[masks]", false, MM_FOLD_PLAIN},
    [MASKED] = {"[masked]", false, MM_FOLD_SQUEEZED},
    [AFTER] = {"[after]", false, MM_FOLD_PLAIN},
    [KEEP] = {"[keep]", false, MM_FOLD_SQUEEZED},
    [WORDS] = {"[words]", true, MM_FOLD_SQUEEZED},
    [SHORT] = {"[short]", true, MM_FOLD_SQUEEZED},
    [READINGS] = {"[readings]", true, MM_FOLD_PLAIN},
    [ROMAJI] = {"[romaji]", true, MM_FOLD_PLAIN},
};

static enum mm_status out_of_memory(struct mm_error *err)
{
	mm_error_cause(err, MM_NO_MEMORY, "no memory for the tables of disguises");
	return MM_NO_MEMORY;
}

static enum mm_status fail(const struct reader *r, const char *reason)
{
	return mm_error_set(r->err, MM_BAD_INPUT, NULL, NULL, "%s:%u: %s", r->file, r->line,
			    reason);
}

static enum mm_status fail_word(const struct reader *r, const char *text, size_t length,
				const char *reason)
{
	return mm_error_set(r->err, MM_BAD_INPUT, NULL, NULL, "%s:%u: %.*s %s", r->file, r->line,
			    (int)length, text, reason);
}

bool mm_spellings_add(struct mm_spellings *list, const struct mm_spelling *spelling)
{
	struct mm_spelling *items =
	    mm_grow(list->items, list->count, &list->capacity, sizeof(*list->items));

	if (!items)
		return false;
	list->items = items;
	list->items[list->count++] = *spelling;
	return true;
}

/* The squeezed view has no signs between single letters, so such a spelling is never found. */
static bool has_lost_signs(struct reader *r, const char *text, size_t length,
			   const struct mm_folded *squeezed)
{
	struct mm_folded plain;

	return mm_fold(text, length, MM_FOLD_PLAIN, &plain, r->work, r->err) == MM_OK &&
	       mm_disguise_signs(&plain, 0, plain.length) !=
		   mm_disguise_signs(squeezed, 0, squeezed->length);
}

/* Folds text into a word that lives as long as the tables. */
static enum mm_status fold_word(struct reader *r, const char *text, size_t length,
				enum mm_fold_view view, struct word *out)
{
	struct mm_arena *keep = r->rewrites->arena;
	struct mm_folded folded;
	enum mm_status status = mm_fold(text, length, view, &folded, r->work, r->err);

	if (status != MM_OK)
		return status;
	if (view == MM_FOLD_SQUEEZED && has_lost_signs(r, text, length, &folded))
		return fail_word(r, text, length,
				 "is never found: signs between single letters are dropped");
	if (folded.length == 0 || mm_utf8_count(folded.text, folded.length) > MM_SPELLING_MAX)
		return fail_word(r, text, length,
				 "folds to nothing, or to more than 64 characters");
	out->text = mm_arena_strdup(keep, folded.text);
	out->code_points = mm_arena_array(keep, folded.length, sizeof(*out->code_points));
	if (!out->text || !out->code_points)
		return out_of_memory(r->err);
	out->length = 0;
	for (size_t at = 0; at < folded.length; out->length++)
		at += mm_utf8_decode(folded.text + at, folded.length - at,
				     &out->code_points[out->length]);
	return MM_OK;
}

static enum mm_doubtfulness doubt_mark(const char *text, size_t length)
{
	if (length < 2)
		return MM_DOUBT_NONE;
	if (text[0] == '?')
		return MM_DOUBT_WORD;
	/* A single character has no end to read from. */
	return text[0] == '<' && mm_utf8_count(text, length) > 2 ? MM_DOUBT_REVERSED
								 : MM_DOUBT_NONE;
}

static enum mm_status read_word(struct reader *r, const char *text, size_t length, struct word *out)
{
	char *copy = mm_arena_strndup(r->work, text, length);

	if (!copy)
		return out_of_memory(r->err);
	*out = (struct word){.doubt = doubt_mark(text, length),
			     .is_follower = length > 1 && text[0] == '+'};
	for (char *c = copy; *c; c++)
		if (*c == '_' && r->section != MASKS)
			*c = ' ';
	if (out->doubt != MM_DOUBT_NONE || out->is_follower)
		copy++;
	return fold_word(r, copy, strlen(copy), sections[r->section].view, out);
}

static bool add_letter(struct mm_rewrites *rewrites, uint32_t from, uint32_t to)
{
	struct mm_letter *letters = mm_grow(rewrites->letters, rewrites->letter_count,
					    &rewrites->letter_capacity, sizeof(*letters));

	if (!letters)
		return false;
	rewrites->letters = letters;
	rewrites->letters[rewrites->letter_count++] = (struct mm_letter){from, to};
	return true;
}

static struct mm_spelling make_spelling(const struct word *from, const struct word *to)
{
	return (struct mm_spelling){
	    .from = from->code_points,
	    .length = from->length,
	    .to = to->text,
	    .to_length = (uint32_t)strlen(to->text),
	    .doubt = from->doubt,
	    .is_follower = from->is_follower,
	    .is_foreign = mm_is_latin(from->code_points[0]) && !mm_is_latin(to->code_points[0]),
	};
}

static bool add_reversed(struct mm_rewrites *rewrites, const struct word *word,
			 struct mm_spelling *spelling)
{
	uint32_t *from = mm_arena_array(rewrites->arena, word->length, sizeof(*from));

	if (!from)
		return false;
	for (uint32_t i = 0; i < word->length; i++)
		from[i] = word->code_points[word->length - 1 - i];
	spelling->from = from;
	return mm_spellings_add(&rewrites->words, spelling);
}

static bool is_all_kana(const struct word *word)
{
	for (uint32_t i = 0; i < word->length; i++)
		if (word->code_points[i] < 0x3041 || word->code_points[i] > 0x3096)
			return false;
	return true;
}

/* Kana are found in many words, so they are believed less than other signs. */
static bool add_spelling(struct mm_rewrites *rewrites, const struct word *key,
			 const struct word *word, bool is_short)
{
	struct mm_spelling spelling = make_spelling(word, key);

	if (word->doubt == MM_DOUBT_REVERSED)
		return add_reversed(rewrites, word, &spelling);
	if (strcmp(word->text, key->text) == 0)
		return true;
	spelling.is_reading = is_short || is_all_kana(word);
	if (is_all_kana(word) && word->length <= SHORT_READING && word->doubt == MM_DOUBT_NONE)
		spelling.doubt = MM_DOUBT_WORD;
	return mm_spellings_add(&rewrites->words, &spelling);
}

static char *drop_blanks(struct mm_arena *arena, const char *text)
{
	char *copy = mm_arena_strdup(arena, text), *to = copy;

	for (const char *from = copy; from && *from; from++)
		if (*from != ' ')
			*to++ = *from;
	if (to)
		*to = '\0';
	return copy;
}

/* A reading stays as it is until all syllables are known; the word is folded as words are. */
static enum mm_status add_reading(struct reader *r, const struct word *key, const struct word *word)
{
	char *kana = drop_blanks(r->work, word->text);
	struct word squeezed_key, squeezed = {.doubt = word->doubt};
	struct mm_spelling spelling;
	enum mm_status status =
	    fold_word(r, key->text, strlen(key->text), MM_FOLD_SQUEEZED, &squeezed_key);

	if (!kana)
		return out_of_memory(r->err);
	if (status == MM_OK)
		status = fold_word(r, kana, strlen(kana), MM_FOLD_SQUEEZED, &squeezed);
	if (status != MM_OK)
		return status;
	if (!add_spelling(r->rewrites, &squeezed_key, &squeezed, false))
		return out_of_memory(r->err);
	spelling = make_spelling(word, &squeezed_key);
	if (squeezed.length <= SHORT_READING && word->doubt == MM_DOUBT_NONE)
		spelling.doubt = MM_DOUBT_WORD;
	return mm_spellings_add(&r->rewrites->readings, &spelling) ? MM_OK : out_of_memory(r->err);
}

/* From the kana, which is the key, to its spelling. */
static enum mm_status add_syllable(struct reader *r, const struct word *key,
				   const struct word *word)
{
	struct mm_spelling syllable = make_spelling(key, word);
	struct word squeezed;
	enum mm_status status =
	    fold_word(r, key->text, strlen(key->text), MM_FOLD_SQUEEZED, &squeezed);

	if (status != MM_OK)
		return status;
	syllable.kana = squeezed.text;
	return mm_spellings_add(&r->rewrites->romaji, &syllable) ? MM_OK : out_of_memory(r->err);
}

static enum mm_status add_sign(struct reader *r, const struct word *key, const struct word *word)
{
	if (word->length != 1 || (key && key->length != 1))
		return fail(r, "[letters] and [masks] hold single characters");
	/* What folding reads already needs no entry. */
	if (key && word->code_points[0] == key->code_points[0])
		return MM_OK;
	return add_letter(r->rewrites, word->code_points[0], key ? key->code_points[0] : 0)
		   ? MM_OK
		   : out_of_memory(r->err);
}

static enum mm_status add_masked(struct reader *r, const struct word *key, const struct word *word)
{
	struct mm_spelling spelling = make_spelling(word, word);

	(void)key;
	if (word->length < 2)
		return fail(r, "a masked word has two characters or more");
	return mm_spellings_add(&r->rewrites->masked, &spelling) ? MM_OK : out_of_memory(r->err);
}

static enum mm_status add_after(struct reader *r, const struct word *key, const struct word *word)
{
	uint32_t bit = word->code_points[0] - MM_KANA_FIRST;

	(void)key;
	if (word->length != 1 || !mm_is_kana(word->code_points[0]))
		return fail(r, "[after] holds single kana");
	r->rewrites->after[bit / 64] |= (uint64_t)1 << (bit % 64);
	return MM_OK;
}

static enum mm_status add_kept(struct reader *r, const struct word *key, const struct word *word)
{
	struct mm_spelling spelling = make_spelling(word, word);

	(void)key;
	spelling.is_kept = true;
	return mm_spellings_add(&r->rewrites->words, &spelling) ? MM_OK : out_of_memory(r->err);
}

static enum mm_status add_other(struct reader *r, const struct word *key, const struct word *word)
{
	return add_spelling(r->rewrites, key, word, r->section == SHORT) ? MM_OK
									 : out_of_memory(r->err);
}

static enum mm_status add_word(struct reader *r, const struct word *key, const struct word *word)
{
	static enum mm_status (*const add[SECTION__MAX])(struct reader *, const struct word *,
							 const struct word *) = {
	    [LETTERS] = add_sign, [MASKS] = add_sign,       [MASKED] = add_masked,
	    [AFTER] = add_after,  [KEEP] = add_kept,        [WORDS] = add_other,
	    [SHORT] = add_other,  [READINGS] = add_reading, [ROMAJI] = add_syllable,
	};

	return add[r->section](r, key, word);
}

static enum mm_status read_words(struct reader *r, const char *text, size_t length,
				 const struct word *key)
{
	enum mm_status status = MM_OK;

	for (size_t at = 0; at < length && status == MM_OK;) {
		size_t end;
		struct word word;

		while (at < length && strchr(" \t\r", text[at]))
			at++;
		for (end = at; end < length && !strchr(" \t\r", text[end]);)
			end++;
		if (at == end)
			break;
		status = read_word(r, text + at, end - at, &word);
		if (status == MM_OK)
			status = add_word(r, key, &word);
		at = end;
	}
	return status;
}

static enum mm_status read_heading(struct reader *r, const char *text, size_t length)
{
	for (int i = 0; i < SECTION__MAX; i++)
		if (strlen(sections[i].name) == length &&
		    memcmp(sections[i].name, text, length) == 0) {
			r->section = (enum section)i;
			return MM_OK;
		}
	return fail(r, "a heading is [letters], [masks], [masked], [after], [keep], [words], "
		       "[short], [readings] or [romaji]");
}

static enum mm_status read_pair(struct reader *r, const char *text, size_t length)
{
	const char *equals = NULL;
	size_t key_length;
	struct word key;
	enum mm_status status;

	for (size_t i = 1; i + 3 < length && !equals; i++)
		if (memcmp(text + i, " = ", 3) == 0)
			equals = text + i;
	if (!equals)
		return fail(r, "a line is WORD = SPELLING SPELLING …");
	key_length = (size_t)(equals - text);
	while (key_length > 0 && text[key_length - 1] == ' ')
		key_length--;
	status = read_word(r, text, key_length, &key);
	if (status != MM_OK)
		return status;
	return read_words(r, equals + 3, length - (size_t)(equals - text) - 3, &key);
}

static enum mm_status read_line(struct reader *r, const char *text, size_t length)
{
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		length--;
	if (length == 0 || text[0] == '#')
		return MM_OK;
	if (text[0] == '[')
		return read_heading(r, text, length);
	if (r->section == SECTION__MAX)
		return fail(r, "a table begins with a [heading]");
	if (!sections[r->section].has_key)
		return read_words(r, text, length, NULL);
	return read_pair(r, text, length);
}

enum mm_status mm_rewrites_parse(struct mm_rewrites *rewrites, const char *file, const char *text,
				 size_t length, struct mm_error *err)
{
	struct reader reader = {.rewrites = rewrites,
				.file = file,
				.section = SECTION__MAX,
				.work = mm_arena_new(0),
				.err = err};
	enum mm_status status = reader.work ? MM_OK : out_of_memory(err);

	reader.line = 1;
	if (status == MM_OK && !mm_utf8_is_valid(text, length, NULL))
		status = fail(&reader, "not valid UTF-8");
	for (size_t from = 0; from < length && status == MM_OK; reader.line++) {
		const char *newline = memchr(text + from, '\n', length - from);
		size_t end = newline ? (size_t)(newline - text) : length;

		status = read_line(&reader, text + from, end - from);
		mm_arena_reset(reader.work);
		from = end + 1;
	}
	mm_arena_free(reader.work);
	return status;
}

enum mm_status mm_rewrites_new(struct mm_rewrites **out, struct mm_error *err)
{
	struct mm_rewrites *rewrites = calloc(1, sizeof(*rewrites));

	if (rewrites)
		rewrites->arena = mm_arena_new(0);
	if (!rewrites || !rewrites->arena) {
		mm_rewrites_free(rewrites);
		return out_of_memory(err);
	}
	*out = rewrites;
	return MM_OK;
}

void mm_rewrites_free(struct mm_rewrites *rewrites)
{
	if (!rewrites)
		return;
	mm_arena_free(rewrites->arena);
	free(rewrites->words.items);
	free(rewrites->masked.items);
	free(rewrites->readings.items);
	free(rewrites->romaji.items);
	free(rewrites->letters);
	free(rewrites);
}

size_t mm_rewrites_count(const struct mm_rewrites *rewrites)
{
	return rewrites->words.count + rewrites->masked.count;
}

static int by_beginning(const void *a, const void *b)
{
	const struct mm_spelling *x = a, *y = b;
	uint32_t x2 = mm_second_of(x), y2 = mm_second_of(y);

	if (x->from[0] != y->from[0])
		return x->from[0] < y->from[0] ? -1 : 1;
	if (x2 != y2)
		return x2 < y2 ? -1 : 1;
	return (x->length < y->length) - (x->length > y->length);
}

static int by_length(const void *a, const void *b)
{
	const struct mm_spelling *x = a, *y = b;

	return (x->length < y->length) - (x->length > y->length);
}

static int by_letter(const void *a, const void *b)
{
	const struct mm_letter *x = a, *y = b;

	/* A letter comes before a mask of the same sign. */
	if (x->from == y->from)
		return (x->to < y->to) - (x->to > y->to);
	return x->from < y->from ? -1 : 1;
}

static void sort_spellings(struct mm_spellings *list, int (*order)(const void *, const void *))
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), order);
}

static void mark_sign(struct mm_rewrites *rewrites, uint32_t c)
{
	rewrites->signs[mm_sign_bit(c) / 64] |= (uint64_t)1 << (mm_sign_bit(c) % 64);
}

static void mark_word(struct mm_rewrites *rewrites, const struct mm_spelling *word)
{
	unsigned char first = mm_key_of(word->from[0]);

	if (word->length == 1) {
		mark_sign(rewrites, word->from[0]);
		return;
	}
	unsigned char second = mm_key_of(word->from[1]);
	bool is_short = word->length == 2 || word->is_foreign;
	uint32_t bit = mm_start_bit(word->from[0], word->from[1], is_short ? 0 : word->from[2]);

	rewrites->starts[bit / 64] |= (uint64_t)1 << (bit % 64);
	rewrites->pairs[first << 2 | second >> 6] |= (uint64_t)1 << (second & 63);
}

/* Enters the first word of every pair. False: there are too many pairs. */
static bool fill_slots(struct mm_rewrites *rewrites)
{
	uint32_t filled = 0;

	for (uint32_t i = 0; i < rewrites->words.count; i++) {
		const struct mm_spelling *word = &rewrites->words.items[i];
		uint32_t slot = mm_slot_of(word->from[0], mm_second_of(word));

		if (i > 0 && word[-1].from[0] == word->from[0] &&
		    mm_second_of(&word[-1]) == mm_second_of(word))
			continue;
		if (++filled > MM_SLOTS / 2)
			return false;
		while (rewrites->slots[slot] != 0)
			slot = (slot + 1) % MM_SLOTS;
		rewrites->slots[slot] = i + 1;
	}
	return true;
}

enum mm_status mm_rewrites_finish(struct mm_rewrites *rewrites, struct mm_error *err)
{
	for (uint32_t i = 0; i < rewrites->readings.count; i++)
		if (!mm_reading_spell(rewrites, &rewrites->readings.items[i]))
			return out_of_memory(err);
	sort_spellings(&rewrites->words, by_beginning);
	sort_spellings(&rewrites->masked, by_length);
	if (rewrites->letter_count > 0)
		qsort(rewrites->letters, rewrites->letter_count, sizeof(*rewrites->letters),
		      by_letter);
	for (uint32_t i = 0; i < rewrites->words.count; i++)
		mark_word(rewrites, &rewrites->words.items[i]);
	for (uint32_t i = 0; i < rewrites->letter_count; i++)
		mark_sign(rewrites, rewrites->letters[i].from);
	if (!fill_slots(rewrites))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "the *.disguise files hold too many spellings");
	return MM_OK;
}
