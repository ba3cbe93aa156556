/* pii_street: postal addresses in English: a house number, the name of a street, what kind of
 * street it is. It knows no towns: what follows the street is masked only when it is a flat. */
#include "config.h"

#include "text/pii_text.h"

enum {
	NUMBER_MAX = 5, /* digits of a house number */
	NAME_WORDS = 4, /* words of the street's name */
	WORD_MAX = 16,
	BOX_DIGITS_MAX = 6,
};

static const char32_t *const kinds[] = {
    U"street",  U"avenue", U"road",  U"boulevard", U"lane",  U"drive",   U"court",
    U"terrace", U"square", U"place", U"parkway",   U"close", U"highway", U"crescent",
    U"way",     U"st",     U"ave",   U"rd",        U"blvd",  U"ln",      U"dr",
    U"ct",      U"pl",     U"sq",    U"pkwy",      U"hwy",   NULL};
/* Kinds of street that are no other word, so that the name may be written small. */
static const char32_t *const plain_kinds[] = {U"street", U"avenue", U"boulevard",
					      U"ave",    U"blvd",   NULL};
/* Words of a measure or a sentence: 24 hours drive, 3 people on the road. */
static const char32_t *const no_names[] = {
    U"hours",  U"hour",  U"minutes", U"minute", U"days", U"day", U"weeks", U"week", U"months",
    U"years",  U"miles", U"people",  U"items",  U"the",  U"a",   U"of",    U"on",   U"in",
    U"at",     U"my",    U"your",    U"to",     U"and",  U"for", U"from",  U"this", U"that",
    U"orders", U"times", U"stores",  U"shops",  U"is",   U"was", NULL};
static const char32_t *const flats[] = {U"apartment", U"apt",  U"suite", U"unit",
					U"flat",      U"room", U"ste",   NULL};
static const char32_t *const boxes[] = {U"p.o. box ", U"po box ", U"p.o.box ", U"p. o. box ", NULL};

static bool is_word_point(char32_t point)
{
	return mm_pii_is_latin(point) || mm_pii_is_digit(point) || point == '\'';
}

static size_t word_length(const struct mm_pii_text *text, size_t at)
{
	size_t length = 0;

	while (length <= WORD_MAX && is_word_point(mm_pii_point(text, at + length)))
		length++;
	return length;
}

/* Whether the word of that length at a place is one of the words. */
static bool is_one_of(const struct mm_pii_text *text, size_t at, size_t length,
		      const char32_t *const *words)
{
	for (; *words != NULL; words++)
		if (mm_pii_word_at(text, at, *words) == length)
			return true;
	return false;
}

/* Place behind the house number, such as 221 or 221B; 0 when it is none. */
static size_t skip_house(const struct mm_pii_text *text, size_t at)
{
	size_t end = at;

	while (end - at <= NUMBER_MAX && mm_pii_is_digit(mm_pii_point(text, end)))
		end++;
	if (end == at || end - at > NUMBER_MAX || text->points[at] == '0')
		return 0;
	end += mm_pii_is_latin(mm_pii_point(text, end)) &&
	       !mm_pii_is_latin(mm_pii_point(text, end + 1));
	return mm_pii_point(text, end) == ' ' ? end + 1 : 0;
}

/* Place behind a flat, a full stop or a point of the compass that belongs to the street. */
static size_t skip_rest(const struct mm_pii_text *text, size_t at)
{
	static const char32_t *const compass[] = {U"nw", U"ne", U"sw", U"se",
						  U"n",  U"s",  U"e",  NULL};
	size_t end = at + (mm_pii_point(text, at) == '.'), next = end;

	if (mm_pii_point(text, next) == ' ') {
		size_t length = word_length(text, next + 1);
		if (length > 0 && is_one_of(text, next + 1, length, compass))
			return next + 1 + length;
	}
	next += mm_pii_point(text, next) == ',';
	next += mm_pii_point(text, next) == ' ';
	size_t length = word_length(text, next);
	if (length == 0 || !is_one_of(text, next, length, flats))
		return end;
	next += length;
	next += mm_pii_point(text, next) == '.';
	next += mm_pii_point(text, next) == ' ';
	next += mm_pii_point(text, next) == '#';
	length = word_length(text, next);
	return length > 0 && length <= NUMBER_MAX ? next + length : end;
}

static bool is_capital(char32_t point)
{
	return (point >= 'A' && point <= 'Z') || mm_pii_is_digit(point);
}

/* Place behind the name and kind of a street; 0 when it is none. */
static size_t skip_street(const struct mm_pii_text *text, size_t at)
{
	bool is_small = false;

	for (size_t words = 0; words <= NAME_WORDS; words++) {
		size_t length = word_length(text, at);
		if (length == 0 || length > WORD_MAX || is_one_of(text, at, length, no_names))
			return 0;
		is_small |= !is_capital(text->points[at]);
		if (words > 0 && is_one_of(text, at, length, is_small ? plain_kinds : kinds))
			return at + length;
		if (mm_pii_point(text, at + length) != ' ')
			return 0;
		at += length + 1;
	}
	return 0;
}

static size_t skip_box(const struct mm_pii_text *text, size_t at)
{
	size_t word = 0;

	for (const char32_t *const *box = boxes; *box != NULL && word == 0; box++)
		word = mm_pii_word_at(text, at, *box);
	size_t start = at + word, end = start;
	while (end - start <= BOX_DIGITS_MAX && mm_pii_is_digit(mm_pii_point(text, end)))
		end++;
	return word == 0 || end == start ? 0 : end;
}

bool mm_pii_match_street(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	char32_t before = at > 0 ? text->points[at - 1] : 0;
	size_t end = 0;

	if (is_word_point(before) || before == '.' || before == '$' || before == '#' ||
	    before == '-' || before == ',')
		return false;
	if (mm_pii_is_digit(text->points[at])) {
		size_t name = skip_house(text, at);
		size_t street = name == 0 ? 0 : skip_street(text, name);
		end = street == 0 ? 0 : skip_rest(text, street);
	} else if (text->points[at] == 'P' || text->points[at] == 'p') {
		end = skip_box(text, at);
	}
	if (end == 0)
		return false;
	*out = (struct mm_pii_match){at, end, MM_PII_ADDRESS};
	return true;
}
