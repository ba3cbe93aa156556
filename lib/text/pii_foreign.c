/* pii_foreign: numbers as they are written outside Japan: phone numbers with a country code and
 * those of North America, IBANs, and numbers that an English word before them explains. */
#include "config.h"

#include "text/pii_text.h"

enum {
	FOREIGN_DIGITS_MAX = 16,
	PHONE_DIGITS_MIN = 9,
	PHONE_DIGITS_MAX = 15,
	PHONE_POINTS_MAX = 24, /* with separators */
	IBAN_MODULUS = 97,
	WORD_MAX = 12,        /* letters of a word that may stand between */
	CONNECTIONS_MAX = 4,  /* such words */
	SIGN_DISTANCE = 4,    /* signs between words */
	PATTERN_NEXT_MAX = 1, /* what is looked at behind a pattern */
};

/* 9 a digit, 2 a digit from 2 to 9, A a capital, * a capital or a digit, - a separator, ( and )
 * themselves, ~ an optional space. */
struct pattern {
	const char *form;
	enum mm_pii_kind kind;
};

static const struct pattern american_phones[] = {
    {"(299)~299-9999", MM_PII_PHONE},
    {"299-299-9999", MM_PII_PHONE},
    {"1-299-299-9999", MM_PII_PHONE},
    {"1-(299)~299-9999", MM_PII_PHONE},
};

/* Patterns that count only after one of the words. The words end in NULL. */
static const struct explained {
	const char32_t *words[6];
	struct pattern patterns[5];
} explained[] = {
    {{U"phone", U"mobile", U"cell", U"telephone", U"tel"}, {{"2992999999", MM_PII_PHONE}}},
    {{U"zip", U"zip code", U"zipcode", U"postal code"},
     {{"99999-9999", MM_PII_POSTAL_CODE}, {"99999", MM_PII_POSTAL_CODE}}},
    {{U"postcode", U"post code", U"postal code"},
     {{"AA9A 9AA", MM_PII_POSTAL_CODE},
      {"A9A 9AA", MM_PII_POSTAL_CODE},
      {"AA99 9AA", MM_PII_POSTAL_CODE},
      {"AA9 9AA", MM_PII_POSTAL_CODE},
      {"A99 9AA", MM_PII_POSTAL_CODE}}},
    {{U"ssn", U"social security", U"social"}, {{"999-99-9999", MM_PII_SOCIAL_SECURITY}}},
    {{U"sort code", U"sort"}, {{"99-99-99", MM_PII_BANK_ACCOUNT}, {"999999", MM_PII_BANK_ACCOUNT}}},
    {{U"routing", U"aba"}, {{"999999999", MM_PII_BANK_ACCOUNT}}},
    {{U"bank account", U"checking account", U"savings account", U"checking", U"savings"},
     {{"9999999", MM_PII_BANK_ACCOUNT},
      {"99999999", MM_PII_BANK_ACCOUNT},
      {"9999999999", MM_PII_BANK_ACCOUNT},
      {"999999999999", MM_PII_BANK_ACCOUNT}}},
};

/* What may stand between the word and its number. */
static const char32_t *const connections[] = {U"number", U"numbers", U"no",   U"num", U"is", U"was",
					      U"code",   U"my",      U"full", U"at",  NULL};
static const char32_t *const other_words[] = {
    U"order", U"tracking", U"invoice", U"case",      U"ticket",  U"sku",      U"serial",
    U"part",  U"id",       U"ref",     U"reference", U"model",   U"coupon",   U"promo",
    U"item",  U"product",  U"request", U"version",   U"booking", U"shipment", NULL};

/* IBANs: the country, and letters and digits in all. */
static const struct {
	char country[3];
	unsigned char length;
} ibans[] = {
    {"AD", 24}, {"AE", 23}, {"AT", 20}, {"BE", 16}, {"BG", 22}, {"BR", 29}, {"CH", 21}, {"CY", 28},
    {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"EE", 20}, {"ES", 24}, {"FI", 18}, {"FR", 27}, {"GB", 22},
    {"GR", 27}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IS", 26}, {"IT", 27}, {"LI", 21},
    {"LT", 20}, {"LU", 20}, {"LV", 21}, {"MC", 27}, {"MT", 31}, {"NL", 18}, {"NO", 15}, {"PL", 28},
    {"PT", 25}, {"RO", 24}, {"SA", 24}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"TR", 26}, {"UA", 29},
};

static bool is_capital(char32_t point)
{
	return point >= 'A' && point <= 'Z';
}

static bool is_word_point(char32_t point)
{
	return mm_pii_is_latin(point) || mm_pii_is_digit(point);
}

static bool is_separator(char32_t point)
{
	return mm_pii_is_hyphen(point) || point == ' ' || point == '.';
}

static bool takes(char form, char32_t point)
{
	switch (form) {
	case '9':
		return mm_pii_is_digit(point);
	case '2':
		return mm_pii_is_digit(point) && point >= '2';
	case 'A':
		return is_capital(point);
	case '-':
		return is_separator(point);
	default:
		return point == (char32_t)form;
	}
}

/* Where the pattern ends when it stands at a place by itself; else 0. */
static size_t pattern_end(const struct mm_pii_text *text, size_t at, const char *form)
{
	for (; *form != '\0'; form++) {
		if (*form == '~')
			at += mm_pii_point(text, at) == ' ';
		else if (takes(*form, mm_pii_point(text, at)))
			at++;
		else
			return 0;
	}
	char32_t next = mm_pii_point(text, at);
	bool goes_on =
	    is_word_point(next) || ((mm_pii_is_hyphen(next) || next == '.') &&
				    is_word_point(mm_pii_point(text, at + PATTERN_NEXT_MAX)));
	return goes_on ? 0 : at;
}

static bool ends_with(const struct mm_pii_text *text, size_t end, const char32_t *word)
{
	size_t length = 0;

	while (word[length] != 0)
		length++;
	return length <= end && mm_pii_word_at(text, end - length, word) == length &&
	       (end == length || !mm_pii_is_latin(text->points[end - length - 1]));
}

static bool ends_with_one_of(const struct mm_pii_text *text, size_t end,
			     const char32_t *const *words)
{
	for (; *words != NULL; words++)
		if (ends_with(text, end, *words))
			return true;
	return false;
}

/* Place before signs and spaces. */
static size_t skip_signs_back(const struct mm_pii_text *text, size_t end)
{
	size_t start = end;

	while (end > 0 && start - end < SIGN_DISTANCE) {
		char32_t point = text->points[end - 1];
		if (point != ' ' && point != ':' && point != '#' && point != '.' && point != '=' &&
		    point != '(' && point != '\n')
			break;
		end--;
	}
	return end;
}

/* Whether one of the words stands before a place, with "number is" and the like between. */
static bool is_explained_by(const struct mm_pii_text *text, size_t at, const char32_t *const *words)
{
	for (size_t i = 0; i <= CONNECTIONS_MAX; i++) {
		size_t end = skip_signs_back(text, at), start = end;
		if (ends_with_one_of(text, end, words))
			return true;
		if (!ends_with_one_of(text, end, connections))
			return false;
		while (start > 0 && end - start < WORD_MAX &&
		       mm_pii_is_latin(text->points[start - 1]))
			start--;
		at = start;
	}
	return false;
}

bool mm_pii_is_other_english(const struct mm_pii_text *text, size_t at)
{
	return is_explained_by(text, at, other_words);
}

static bool match_pattern(const struct mm_pii_text *text, size_t at, const struct pattern *pattern,
			  struct mm_pii_match *out)
{
	size_t end = pattern->form == NULL ? 0 : pattern_end(text, at, pattern->form);

	if (end != 0)
		*out = (struct mm_pii_match){at, end, pattern->kind};
	return end != 0;
}

static bool match_explained(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	struct mm_pii_match match;

	for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++) {
		const struct pattern *patterns = explained[i].patterns;
		for (size_t k = 0; k < sizeof(explained[i].patterns) / sizeof(*patterns); k++) {
			if (!match_pattern(text, at, &patterns[k], &match))
				continue;
			if (!is_explained_by(text, at, explained[i].words))
				break;
			*out = match;
			return true;
		}
	}
	return false;
}

/* A country code and a number; +81 is read with more care by pii_number. */
static bool match_country_code(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	size_t digits = 0, end = at + 1;

	if (text->points[at] != '+' || !mm_pii_is_digit(mm_pii_point(text, at + 1)) ||
	    mm_pii_point(text, at + 1) == '0' || mm_pii_word_at(text, at + 1, U"81") > 0)
		return false;
	for (size_t i = at + 1; i < at + PHONE_POINTS_MAX; i++) {
		char32_t point = mm_pii_point(text, i);
		if (mm_pii_is_digit(point)) {
			digits++;
			end = i + 1;
		} else if ((!is_separator(point) && point != '(' && point != ')') || i > end + 1) {
			break;
		}
	}
	if (digits < PHONE_DIGITS_MIN || digits > PHONE_DIGITS_MAX ||
	    is_word_point(mm_pii_point(text, end)) || mm_pii_is_unit_at(text, end))
		return false;
	*out = (struct mm_pii_match){at, end, MM_PII_PHONE};
	return true;
}

static bool match_american(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	for (size_t i = 0; i < sizeof(american_phones) / sizeof(american_phones[0]); i++)
		if (match_pattern(text, at, &american_phones[i], out))
			return !mm_pii_is_unit_at(text, out->end) &&
			       !mm_pii_is_other_number(text, at);
	return false;
}

static size_t iban_length(const struct mm_pii_text *text, size_t at)
{
	for (size_t i = 0; i < sizeof(ibans) / sizeof(ibans[0]); i++)
		if (text->points[at] == (char32_t)ibans[i].country[0] &&
		    mm_pii_point(text, at + 1) == (char32_t)ibans[i].country[1])
			return ibans[i].length;
	return 0;
}

/* The remainder by 97 with one more letter (A is 10) or digit behind. */
static unsigned add_to_remainder(unsigned remainder, char32_t point)
{
	unsigned value = is_capital(point) ? (unsigned)(point - 'A') + 10 : (unsigned)(point - '0');

	return (remainder * (value > 9 ? 100 : 10) + value) % IBAN_MODULUS;
}

/* Country, two check digits, the account; the country and the digits count as if they stood last,
 * and the whole leaves 1. */
static bool match_iban(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	size_t length = iban_length(text, at), count = 0, end = at;
	unsigned remainder = 0;

	if (length == 0 || !mm_pii_is_digit(mm_pii_point(text, at + 2)) ||
	    !mm_pii_is_digit(mm_pii_point(text, at + 3)))
		return false;
	for (size_t i = at; count < length; i++) {
		char32_t point = mm_pii_point(text, i);
		if ((point == ' ' || point == '-') && i == end)
			continue;
		if (!is_capital(point) && !mm_pii_is_digit(point))
			return false;
		if (++count > 4)
			remainder = add_to_remainder(remainder, point);
		end = i + 1;
	}
	for (size_t i = at; i < at + 4; i++)
		remainder = add_to_remainder(remainder, text->points[i]);
	if (remainder != 1 || is_word_point(mm_pii_point(text, end)))
		return false;
	*out = (struct mm_pii_match){at, end, MM_PII_BANK_ACCOUNT};
	return true;
}

bool mm_pii_match_foreign(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	char32_t point = text->points[at], before = at > 0 ? text->points[at - 1] : 0;
	char32_t further = at > 1 ? text->points[at - 2] : 0;

	if (point == '+')
		return match_country_code(text, at, out);
	bool is_inside = is_word_point(before) || before == '_' || before == '$' || before == '+' ||
			 (before == '#' || ((mm_pii_is_hyphen(before) || before == '.' ||
					     before == '/' || before == '=' || before == ',') &&
					    is_word_point(further)));
	if (is_inside || (!is_word_point(point) && point != '('))
		return false;
	return match_iban(text, at, out) || match_american(text, at, out) ||
	       match_explained(text, at, out);
}
