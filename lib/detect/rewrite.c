/* rewrite.c: finds disguised words in a squeezed view and writes what they stand for. It knows no
 * rule; what a doubt needs is for resolve.c. */
#include "config.h"

#include "detect/rewrite_text.h"

enum {
	MASKS_MAX = 256,  /* of one text that are looked at */
	LONG_SPELLING = 4 /* letters that are no code by chance */
};

static struct mm_text make_text(const struct mm_rewrites *rewrites,
				const struct mm_folded *squeezed, const struct mm_keyed *keyed,
				uint32_t *code_points)
{
	return (struct mm_text){.rewrites = rewrites,
				.squeezed = squeezed,
				.offsets = keyed->offsets,
				.code_points = code_points,
				.as_sent = keyed->code_points,
				.count = keyed->count,
				.foreign_end = UINT32_MAX - 1};
}

static bool is_word_sign(uint32_t c)
{
	return mm_is_latin(c) || mm_is_digit(c);
}

/* Letters that may have a masked one beside them. */
static bool is_letter(uint32_t c)
{
	return mm_is_latin(c) || (c >= 0x3041 && c <= 0x3096) || (c >= 0x4e00 && c <= 0x9fff);
}

static uint32_t at_or_zero(const uint32_t *code_points, uint32_t count, uint32_t at)
{
	return at < count ? code_points[at] : 0;
}

/* The sign's entry, or NULL. */
static const struct mm_letter *find_letter(const struct mm_rewrites *rewrites, uint32_t c)
{
	uint32_t low = 0, high = rewrites->letter_count;

	if (!mm_sign_is_there(rewrites, c))
		return NULL;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (rewrites->letters[middle].from < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rewrites->letter_count && rewrites->letters[low].from == c
		   ? &rewrites->letters[low]
		   : NULL;
}

static bool is_mask(const struct mm_rewrites *rewrites, uint32_t c)
{
	for (const struct mm_letter *letter = find_letter(rewrites, c);
	     letter && letter < rewrites->letters + rewrites->letter_count && letter->from == c;
	     letter++)
		if (letter->to == 0)
			return true;
	return false;
}

/* What a sign reads as inside a word; the sign itself when it is not in the table. */
static uint32_t read_letter(const struct mm_rewrites *rewrites, uint32_t c)
{
	const struct mm_letter *letter = find_letter(rewrites, c);

	return letter && letter->to ? letter->to : c;
}

/* True when the spelling does not cut a word of Latin letters or a number. */
static bool stands_alone(const uint32_t *code_points, uint32_t count, uint32_t at, uint32_t length)
{
	uint32_t first = code_points[at], last = code_points[at + length - 1];
	uint32_t before = at > 0 ? code_points[at - 1] : 0;
	uint32_t after = at_or_zero(code_points, count, at + length);

	if (mm_is_latin(first) && mm_is_latin(before))
		return false;
	if (mm_is_digit(first) && (is_word_sign(before) || before == '.' || before == ','))
		return false;
	if (mm_is_latin(last) && mm_is_latin(after))
		return false;
	return !mm_is_digit(last) || !is_word_sign(after);
}

/* True for kana right after a Japanese letter, with nothing in the message between them. */
static bool is_inside_word(const struct mm_text *text, uint32_t at)
{
	const struct mm_folded *squeezed = text->squeezed;

	if (at == 0 || !mm_is_kana(text->code_points[at]) ||
	    !is_letter(text->code_points[at - 1]) || mm_is_latin(text->code_points[at - 1]))
		return false;
	return squeezed->end[text->offsets[at] - 1] >= squeezed->start[text->offsets[at]];
}

/* True when a doubtful word may end before character `at`. One that is read from the end needs to be
 * told to be so, or to be the whole message, wherever it ends. */
static bool ends_here(const struct mm_text *text, uint32_t at, enum mm_doubtfulness doubt)
{
	return doubt != MM_DOUBT_WORD ||
	       !mm_continues_word(text->rewrites, at_or_zero(text->code_points, text->count, at));
}

/* True when the spelling, whose characters are the `length` at `at`, may be believed to be a word. */
static bool is_word_here(const struct mm_text *text, uint32_t at, uint32_t length,
			 const struct mm_spelling *word)
{
	if (!stands_alone(text->code_points, text->count, at, length))
		return false;
	if (word->is_follower && text->foreign_end != at && text->foreign_end + 1 != at)
		return false;
	if (word->doubt == MM_DOUBT_NONE && !word->is_reading)
		return true;
	return !is_inside_word(text, at) && ends_here(text, at + length, word->doubt);
}

/* How many characters at `at` are the spelling; 0: it is not there. Japanese in Latin letters has
 * blanks wherever its writer likes. */
static uint32_t spelled_length(const struct mm_text *text, uint32_t at,
			       const struct mm_spelling *word)
{
	uint32_t i = at;

	for (uint32_t j = 0; j < word->length; i++) {
		uint32_t c = at_or_zero(text->code_points, text->count, i);

		if (c == word->from[j])
			j++;
		else if (c != ' ' || !word->is_foreign || text->code_points[i - 1] == ' ')
			return 0;
	}
	return i - at;
}

/* A spelling and where it ends. */
struct found {
	const struct mm_spelling *word; /* NULL: none */
	uint32_t length;
};

/* The first word that begins with this pair, or the number of words. */
static uint32_t first_spelling(const struct mm_rewrites *rewrites, uint32_t first, uint32_t second)
{
	for (uint32_t slot = mm_slot_of(first, second); rewrites->slots[slot] != 0;
	     slot = (slot + 1) % MM_SLOTS) {
		uint32_t number = rewrites->slots[slot] - 1;
		const struct mm_spelling *word = &rewrites->words.items[number];

		if (word->from[0] == first && mm_second_of(word) == second)
			return number;
	}
	return rewrites->words.count;
}

/* The longest spelling that begins at `at` with this pair. */
static struct found find_pair(const struct mm_text *text, uint32_t at, uint32_t second)
{
	const struct mm_spellings *words = &text->rewrites->words;
	uint32_t first = text->code_points[at];

	for (uint32_t i = first_spelling(text->rewrites, first, second); i < words->count; i++) {
		const struct mm_spelling *word = &words->items[i];
		uint32_t length;

		if (word->from[0] != first || mm_second_of(word) != second)
			break;
		length = spelled_length(text, at, word);
		if (length > 0 && is_word_here(text, at, length, word))
			return (struct found){word, length};
	}
	return (struct found){NULL, 0};
}

static struct found find_spelling(const struct mm_text *text, uint32_t at)
{
	uint32_t first = text->code_points[at];
	uint32_t second = at_or_zero(text->code_points, text->count, at + 1);
	struct found found = {NULL, 0};

	if (mm_pair_is_there(text->rewrites, mm_key_of(first), mm_key_of(second)))
		found = find_pair(text, at, second);
	if (!found.word && mm_sign_is_there(text->rewrites, first))
		found = find_pair(text, at, 0);
	return found;
}

/* True when a sign that is no kana stands where it may hide or replace a letter, or is a word. */
static bool is_sign_due(const struct mm_text *text, uint32_t at)
{
	uint32_t c = text->code_points[at];
	uint32_t before = at > 0 ? text->code_points[at - 1] : 0;
	uint32_t after = at_or_zero(text->code_points, text->count, at + 1);

	if (mm_is_latin(before) || mm_is_latin(after))
		return find_letter(text->rewrites, c) || find_pair(text, at, 0).word;
	if (mm_is_digit(c))
		return false;
	if (find_pair(text, at, 0).word)
		return true;
	return (is_letter(before) || is_letter(after)) && is_mask(text->rewrites, c);
}

/* True when something is to be rewritten at `at`, whose first two characters may begin a word, or
 * which may be a sign. */
static bool is_due_at(const struct mm_text *text, uint32_t at)
{
	const uint32_t *c = text->code_points + at;
	const struct mm_rewrites *rewrites = text->rewrites;
	uint32_t left = text->count - at;

	if (left > 1 &&
	    (mm_start_is_there(rewrites, mm_start_bit(c[0], c[1], 0)) ||
	     (left > 2 && mm_start_is_there(rewrites, mm_start_bit(c[0], c[1], c[2])))) &&
	    find_pair(text, at, c[1]).word)
		return true;
	return !mm_is_kana(c[0]) && mm_sign_is_there(rewrites, c[0]) && is_sign_due(text, at);
}

bool mm_rewrite_is_due(const struct mm_rewrites *rewrites, const struct mm_folded *squeezed,
		       const struct mm_keyed *keyed)
{
	/* Only read, until it is known that something is to be written. */
	struct mm_text text =
	    make_text(rewrites, squeezed, keyed, (uint32_t *)(uintptr_t)keyed->code_points);
	const uint32_t *code_points = keyed->code_points, count = keyed->count;
	const unsigned char *keys = keyed->keys;

	for (uint32_t i = 0; i < count; i++) {
		unsigned char next = i + 1 < count ? keys[i + 1] : 0;

		if ((mm_pair_is_there(rewrites, keys[i], next) ||
		     mm_sign_is_there(rewrites, code_points[i])) &&
		    is_due_at(&text, i))
			return true;
	}
	return false;
}

static bool is_token_sign(const struct mm_rewrites *rewrites, uint32_t c)
{
	return is_word_sign(c) || read_letter(rewrites, c) != c;
}

/* Latin letters, small capitals and phonetic ones too. */
static bool is_latin_form(uint32_t c)
{
	return mm_is_latin(c) || (c >= 0x250 && c <= 0x2af) || (c >= 0x1d00 && c <= 0x1dbf) ||
	       (c >= 0xa720 && c <= 0xa7ff);
}

/* Reads the signs in one word of Latin letters as the letters that they stand for. A word that
 * begins as a number, or has more digits than letters, is one: 30min, a55. */
static void read_token(const struct mm_text *text, uint32_t begin, uint32_t end)
{
	uint32_t *c = text->code_points;
	uint32_t letters = 0, digits = 0;

	while (end > begin && c[end - 1] == '!')
		end--;
	for (uint32_t i = begin; i < end; i++) {
		letters += is_latin_form(c[i]);
		digits += mm_is_digit(c[i]);
	}
	if (letters == 0 || digits > letters ||
	    (end - begin > 1 && mm_is_digit(c[begin]) && mm_is_digit(c[begin + 1])))
		return;
	for (uint32_t i = begin; i < end; i++)
		c[i] = read_letter(text->rewrites, c[i]);
}

/* The end of what a :// at `at` begins; `at` when there is none. Addresses are no words. */
static uint32_t skip_address(const struct mm_text *text, uint32_t at)
{
	if (at_or_zero(text->code_points, text->count, at) != ':' ||
	    at_or_zero(text->code_points, text->count, at + 1) != '/' ||
	    at_or_zero(text->code_points, text->count, at + 2) != '/')
		return at;
	while (at < text->count && text->code_points[at] > ' ' && text->code_points[at] < 0x80)
		at++;
	return at;
}

static void read_tokens(const struct mm_text *text)
{
	uint32_t begin = 0;

	while ((begin = skip_address(text, begin)) < text->count) {
		uint32_t end = begin;

		while (end < text->count && is_token_sign(text->rewrites, text->code_points[end]))
			end++;
		if (end > begin)
			read_token(text, begin, end);
		begin = end > begin ? end : begin + 1;
	}
}

/* How many letters of `word` are seen at `at`, the others being masked; 0: it is not there. */
static uint32_t match_masked(const struct mm_text *text, const struct mm_spelling *word,
			     uint32_t at)
{
	uint32_t seen = 0;

	if (at + word->length > text->count)
		return 0;
	for (uint32_t i = 0; i < word->length; i++) {
		uint32_t c = text->code_points[at + i];

		if (c == word->from[i])
			seen++;
		else if (!is_mask(text->rewrites, c))
			return 0;
	}
	/* A kana or kanji says more than a letter, but of two at least one must be seen. */
	if (seen == word->length || (!mm_is_latin(word->from[0]) && 2 * seen < word->length))
		return 0;
	return seen;
}

/* A run of masks hides letters of one word. */
static bool cuts_masks(const struct mm_text *text, uint32_t at, uint32_t length)
{
	uint32_t end = at + length;

	return (is_mask(text->rewrites, text->code_points[at]) && at > 0 &&
		is_mask(text->rewrites, text->code_points[at - 1])) ||
	       (is_mask(text->rewrites, text->code_points[end - 1]) && end < text->count &&
		is_mask(text->rewrites, text->code_points[end]));
}

/* What a masked word would be read as; a doubt when it shows little of itself. */
static struct mm_change read_masked(const struct mm_spelling *word, uint32_t at, uint32_t seen)
{
	bool is_doubt = seen < 2 || 2 * seen < word->length;

	return (struct mm_change){.at = at,
				  .length = word->length,
				  .to = word->to,
				  .to_length = word->to_length,
				  .doubt = is_doubt ? MM_DOUBT_WORD : MM_DOUBT_NONE};
}

/* The best masked word that begins at `at`: the longest, then the one with most letters seen. */
static bool find_masked(const struct mm_text *text, uint32_t at, struct mm_change *out)
{
	const struct mm_spellings *masked = &text->rewrites->masked;
	bool is_after_latin = at > 0 && mm_is_latin(text->code_points[at - 1]);
	uint32_t best = 0;

	if (is_after_latin && is_letter(text->code_points[at]))
		return false;
	for (uint32_t i = 0; i < masked->count; i++) {
		const struct mm_spelling *word = &masked->items[i];
		uint32_t seen = match_masked(text, word, at);
		struct mm_change change = read_masked(word, at, seen);

		if (best > 0 && word->length < out->length)
			break;
		if (seen <= best || cuts_masks(text, at, word->length) ||
		    (mm_is_latin(word->from[0]) && is_after_latin) ||
		    !ends_here(text, at + word->length, change.doubt))
			continue;
		best = seen;
		*out = change;
	}
	return best > 0;
}

/* The beginnings near a mask are the only ones that a masked word may have. */
static bool is_mask_near(const struct mm_text *text, uint32_t at)
{
	for (uint32_t i = at; i < text->count && i < at + MM_SPELLING_MAX / 4; i++)
		if (is_mask(text->rewrites, text->code_points[i]))
			return true;
	return false;
}

static bool is_japanese(uint32_t c)
{
	return is_letter(c) && !mm_is_latin(c);
}

/* The longest syllable in Latin letters at `at`. */
static const struct mm_spelling *find_syllable(const struct mm_text *text, uint32_t at,
					       uint32_t end)
{
	const struct mm_spellings *romaji = &text->rewrites->romaji;
	const struct mm_spelling *best = NULL;

	for (uint32_t i = 0; i < romaji->count; i++) {
		const struct mm_spelling *one = &romaji->items[i];
		bool is_there =
		    one->to_length <= end - at && (!best || one->to_length > best->to_length);

		for (uint32_t j = 0; j < one->to_length && is_there; j++)
			is_there = text->code_points[at + j] == (unsigned char)one->to[j];
		if (is_there)
			best = one;
	}
	return best;
}

/* Whether the Latin letters [at, end) are syllables and part of a Japanese word. */
static bool is_mixed_word(const struct mm_text *text, uint32_t at, uint32_t end)
{
	bool is_joined = (at > 0 && is_japanese(text->code_points[at - 1])) ||
			 (end < text->count && is_japanese(text->code_points[end]));

	if (!is_joined || end - at < 2 ||
	    (end < text->count && is_word_sign(text->code_points[end])))
		return false;
	while (at < end) {
		const struct mm_spelling *one = find_syllable(text, at, end);

		if (!one)
			return false;
		at += one->to_length;
	}
	return true;
}

/* Writes Latin letters in a Japanese word as kana, one syllable a change. Gives how many. */
static uint32_t read_syllables(const struct mm_text *text, uint32_t at, struct mm_change *changes)
{
	uint32_t end = at, count = 0;

	if (at > 0 && is_word_sign(text->code_points[at - 1]))
		return 0;
	while (end < text->count && mm_is_latin(text->code_points[end]))
		end++;
	if (!is_mixed_word(text, at, end))
		return 0;
	for (; at < end; count++) {
		const struct mm_spelling *one = find_syllable(text, at, end);

		changes[count] = (struct mm_change){.at = at,
						    .length = one->to_length,
						    .to = one->kana,
						    .to_length = (uint32_t)strlen(one->kana)};
		at += one->to_length;
	}
	return count;
}

/* The change that a word at `at` makes. */
static struct mm_change read_word(struct mm_text *text, struct found found, uint32_t at)
{
	const struct mm_spelling *word = found.word;
	bool is_long = found.length >= LONG_SPELLING;
	struct mm_change change = {.at = at,
				   .length = found.length,
				   .to = word->to,
				   .to_length = word->to_length,
				   .doubt = word->doubt,
				   .is_reading = word->is_reading};

	/* Who writes sh1ne does not mean the English word; 4ho may be a room. */
	for (uint32_t i = at; i < at + found.length && is_long && change.doubt == MM_DOUBT_WORD;
	     i++)
		if (text->code_points[i] != text->as_sent[i])
			change.doubt = MM_DOUBT_NONE;
	if (!word->is_foreign)
		return change;
	/* The blank between two words in Latin letters is none in their own script. */
	if (text->foreign_end + 1 == at && text->code_points[at - 1] == ' ') {
		change.at--;
		change.length++;
	}
	text->foreign_end = at + found.length;
	return change;
}

/* True for a single mask between Japanese letters: no word is known for what it hides, so it may
 * only separate them. 〇 is a numeral too. */
static bool only_separates(const struct mm_text *text, uint32_t at)
{
	return at > 0 && text->code_points[at] != U'〇' && is_japanese(text->code_points[at - 1]) &&
	       is_japanese(at_or_zero(text->code_points, text->count, at + 1)) &&
	       !is_japanese(text->code_points[at]) &&
	       is_mask(text->rewrites, text->code_points[at]);
}

/* Adds what is to be changed at `at`; gives the character to go on with. */
static uint32_t add_changes(struct mm_text *text, uint32_t at, bool has_masks,
			    struct mm_change *changes, uint32_t *count)
{
	struct found found = find_spelling(text, at);
	uint32_t added = 1;

	if (found.word && found.word->is_kept)
		return at + found.length;
	if (found.word)
		changes[*count] = read_word(text, found, at);
	else if (has_masks && is_mask_near(text, at) && find_masked(text, at, &changes[*count]))
		added = 1;
	else if (has_masks && only_separates(text, at))
		changes[*count] = (struct mm_change){.at = at, .length = 1, .to = ""};
	else
		added = mm_is_latin(text->code_points[at])
			    ? read_syllables(text, at, changes + *count)
			    : 0;
	if (added == 0)
		return at + 1;
	*count += added;
	return changes[*count - 1].at + changes[*count - 1].length;
}

static uint32_t find_changes(struct mm_text *text, struct mm_change *changes)
{
	uint32_t count = 0, masks = 0, at = 0;

	for (uint32_t i = 0; i < text->count; i++)
		masks += is_mask(text->rewrites, text->code_points[i]);
	while ((at = skip_address(text, at)) < text->count)
		at = add_changes(text, at, masks > 0 && masks <= MASKS_MAX, changes, &count);
	return count;
}

enum mm_status mm_rewrite(const struct mm_rewrites *rewrites, const struct mm_folded *squeezed,
			  const struct mm_keyed *keyed, struct mm_rewritten *out,
			  struct mm_arena *arena, struct mm_error *err)
{
	uint32_t *code_points = mm_arena_alloc(arena, keyed->count * sizeof(*code_points));
	struct mm_change *changes = mm_arena_alloc(arena, keyed->count * sizeof(*changes));
	struct mm_text text = make_text(rewrites, squeezed, keyed, code_points);
	uint32_t count;

	if (!changes || !code_points)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory to read a disguise");
	memcpy(code_points, keyed->code_points, keyed->count * sizeof(*code_points));
	read_tokens(&text);
	count = find_changes(&text, changes);
	return mm_rewrite_write(&text, changes, count, out, arena, err);
}
