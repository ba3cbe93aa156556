/* pii_number: phone, card, postal code, 個人番号 and bank account: what is made of digits. Tables say
 * which groups of digits and which beginnings are meant. */
#include "config.h"

#include "text/pii_text.h"

#include <string.h>

enum {
	DIGITS_MAX = 20,
	GROUPS_MAX = 5,
	SHAPE_GROUPS = 5,
	PHONE_SHORT = 10,
	PHONE_LONG = 11,
	MY_NUMBER_DIGITS = 12,
	ACCOUNT_DISTANCE = 6,
	SEPARATOR_MAX = 3,
	MY_NUMBER_DISTANCE = 24, /* points between マイナンバー and the number */
};

/* Digits in groups: 090-1234-5678 has three. */
struct number {
	char digits[DIGITS_MAX];
	size_t digit_count;
	size_t sizes[GROUPS_MAX];
	size_t ends[GROUPS_MAX];         /* place behind each group */
	char32_t separators[GROUPS_MAX]; /* what follows each group when another comes; else 0 */
	size_t group_count;
};

struct shape {
	unsigned char sizes[SHAPE_GROUPS]; /* digits of each group, 0 at the end */
};

static const struct shape phone_shapes[] = {
    {{10}},      {{11}},      {{2, 4, 4}}, {{3, 3, 4}}, {{4, 2, 4}}, {{5, 1, 4}},
    {{3, 4, 4}}, {{4, 3, 3}}, {{4, 3, 4}}, {{2, 8}},    {{3, 7}},    {{3, 8}},
    {{4, 6}},    {{4, 7}},    {{6, 4}},    {{7, 4}},    {{0}},
};
static const struct shape card_shapes[] = {
    {{13}},      {{14}},      {{15}},
    {{16}},      {{19}},      {{4, 4, 4, 4}},
    {{4, 6, 5}}, {{4, 6, 4}}, {{4, 4, 4, 4, 3}},
    {{0}},
};
static const struct shape postal_shapes[] = {{{3, 4}}, {{7}}, {{0}}};
static const struct shape my_number_shapes[] = {{{12}}, {{4, 4, 4}}, {{0}}};
static const struct shape account_shapes[] = {{{7}}, {{5, 7}}, {{5, 8}}, {{0}}};
static const struct shape account_tail_shapes[] = {{{6}}, {{7}}, {{8}}, {{0}}};
static const struct shape account_sign_shapes[] = {{{5}}, {{5, 7}}, {{5, 8}}, {{0}}};

/* Beginnings of card numbers and how long such numbers are. */
static const struct network {
	unsigned low, high; /* the first digits, so many as low has */
	unsigned char lengths[3];
} networks[] = {
    {4, 4, {13, 16, 19}}, {51, 55, {16}},     {2221, 2720, {16}}, {34, 34, {15}},
    {37, 37, {15}},       {3528, 3589, {16}}, {300, 305, {14}},   {36, 36, {14}},
    {38, 39, {14}},       {6011, 6011, {16}}, {62, 62, {16, 19}}, {64, 65, {16}},
};

static const char32_t *const other_numbers[] = {
    U"注文",       U"伝票",    U"追跡",     U"問い合わせ", U"問合せ", U"お問合わせ", U"受付",
    U"予約",       U"会員",    U"商品",     U"型",         U"製造",   U"管理",       U"請求書",
    U"配送",       U"送り状",  U"シリアル", U"オーダー",   U"整理",   U"契約",       U"order",
    U"tracking",   U"invoice", U"jan",      U"isbn",       U"serial", U"ticket",     U"チケット",
    U"品番",       U"荷物",    U"決済",     U"取引",       U"お客様", U"ユーザー",   U"申込",
    U"リクエスト", U"ケース",  U"case",     U"id",         U"受注",   U"発注",       U"顧客",
    U"クーポン",   U"ギフト",  NULL,
};
static const char32_t *const phone_words[] = {U"tel", U"fax", U"phone", U"mobile", NULL};
static const char32_t *const postal_words[] = {U"〒", U"郵便", NULL};
static const char32_t *const my_number_words[] = {
    U"マイナンバー", U"個人番号", U"my number", U"mynumber", U"individual number", NULL};
static const char32_t *const account_words[] = {U"口座", U"普通", U"当座", U"貯蓄",
						U"預金", U"支店", U"普",   NULL};
static const char32_t *const account_sign_words[] = {U"記号", U"ゆうちょ", U"ゆうちょ銀行", NULL};
static const char32_t *const units[] = {U"円",         U"個",       U"件", U"人", U"年",
					U"ドル",       U"ポイント", U"%",  U"回", U"点",
					U"パーセント", U"kg",       U"冊", NULL};

bool mm_pii_is_unit_at(const struct mm_pii_text *text, size_t at)
{
	for (const char32_t *const *unit = units; *unit != NULL; unit++)
		if (mm_pii_word_at(text, at, *unit) > 0)
			return true;
	return false;
}

bool mm_pii_is_other_number(const struct mm_pii_text *text, size_t at)
{
	return mm_pii_has_word_before(text, at, other_numbers) || mm_pii_is_other_english(text, at);
}

/* Skips what may stand between two groups: a parenthesis or one sign, with spaces around it. */
static size_t skip_separator(const struct mm_pii_text *text, size_t at, char32_t *sign_out)
{
	size_t start = at;

	*sign_out = ' ';
	while (at - start < SEPARATOR_MAX) {
		char32_t point = mm_pii_point(text, at);
		bool is_parenthesis = point == '(' || point == ')';
		bool is_sign = mm_pii_is_hyphen(point) || point == '.';
		if (!is_parenthesis && !is_sign && point != ' ')
			break;
		if (is_sign && *sign_out != ' ' && *sign_out != '(' && *sign_out != ')')
			break;
		if (point == ' ' && at > start && text->points[at - 1] == ' ')
			break;
		if (*sign_out == ' ')
			*sign_out = point;
		at++;
	}
	return mm_pii_is_digit(mm_pii_point(text, at)) ? at : start;
}

/* Reads groups of digits from a place on; false when there are more than any kind has. */
static bool read_number(const struct mm_pii_text *text, size_t at, struct number *number)
{
	memset(number, 0, sizeof(*number));
	while (number->group_count < GROUPS_MAX) {
		size_t start = at;
		while (mm_pii_is_digit(mm_pii_point(text, at))) {
			if (number->digit_count == DIGITS_MAX)
				return number->group_count > 0;
			number->digits[number->digit_count++] = (char)text->points[at++];
		}
		size_t group = number->group_count++;
		number->sizes[group] = at - start;
		number->ends[group] = at;
		char32_t sign;
		size_t next = skip_separator(text, at, &sign);
		if (next == at)
			break;
		number->separators[group] = sign;
		at = next;
	}
	return true;
}

/* Whether a number may begin at a place: not inside a word, a price or a longer number. */
static bool is_number_start(const struct mm_pii_text *text, size_t at)
{
	char32_t before = at > 0 ? text->points[at - 1] : 0;
	char32_t further = at > 1 ? text->points[at - 2] : 0;
	bool is_after_word = mm_pii_is_latin(further) || mm_pii_is_digit(further);

	if (mm_pii_is_latin(before))
		return mm_pii_has_word_before(text, at, phone_words);
	if (before == U'ー') /* the end of a katakana word, unless digits came before */
		return !mm_pii_is_digit(further);
	if (mm_pii_is_hyphen(before) || before == '/' || before == '.' || before == ',')
		return !is_after_word;
	return !mm_pii_is_digit(before) && before != '#' && before != '_' && before != '$' &&
	       before != 0xA5 && before != '\\' && before != '+';
}

/* Whether a number may end behind its group of that index. */
static bool is_number_end(const struct mm_pii_text *text, const struct number *number, size_t group)
{
	size_t end = number->ends[group];
	char32_t next = mm_pii_point(text, end);

	if (number->separators[group] != 0 &&
	    (number->separators[group] != ' ' || (group > 0 && number->separators[0] == ' ')))
		return false;
	if (mm_pii_is_latin(next) || mm_pii_is_digit(next) || next == '_')
		return false;
	return !mm_pii_is_unit_at(text, end);
}

/* How many groups of the number make one of the shapes and end there; 0 for none. */
static size_t find_shape(const struct mm_pii_text *text, const struct number *number,
			 const struct shape *shapes)
{
	for (; shapes->sizes[0] != 0; shapes++) {
		size_t count = 0;
		while (count < SHAPE_GROUPS && count < number->group_count &&
		       shapes->sizes[count] == number->sizes[count])
			count++;
		bool is_whole = count == SHAPE_GROUPS || shapes->sizes[count] == 0;
		if (count > 0 && is_whole && is_number_end(text, number, count - 1))
			return count;
	}
	return 0;
}

static size_t digits_in(const struct number *number, size_t groups)
{
	size_t count = 0;

	for (size_t i = 0; i < groups; i++)
		count += number->sizes[i];
	return count;
}

/* 0X0 and eight digits more, or an area code and ten digits in all. */
static bool is_phone(const char *digits, size_t count)
{
	bool is_wide = digits[1] >= '5' && digits[1] <= '9' && digits[2] == '0';

	if (digits[0] != '0' || digits[1] == '0')
		return false;
	return count == PHONE_LONG ? is_wide : count == PHONE_SHORT && !is_wide;
}

static size_t match_phone(const struct mm_pii_text *text, const struct number *number)
{
	size_t groups = find_shape(text, number, phone_shapes);

	return groups > 0 && is_phone(number->digits, digits_in(number, groups)) ? groups : 0;
}

/* Luhn: from the right, every second digit doubled, the sum of all digits ends in 0. */
static bool has_luhn(const char *digits, size_t count)
{
	int sum = 0;

	for (size_t i = 0; i < count; i++) {
		int digit = digits[count - 1 - i] - '0';
		int weighted = i % 2 == 1 ? 2 * digit : digit;
		sum += weighted > 9 ? weighted - 9 : weighted;
	}
	return sum % 10 == 0;
}

static bool is_of_network(const struct network *network, const char *digits, size_t count)
{
	unsigned first = 0;

	for (unsigned rest = network->low, i = 0; rest > 0; rest /= 10, i++)
		first = first * 10 + (unsigned)(digits[i] - '0');
	return first >= network->low && first <= network->high &&
	       memchr(network->lengths, (int)count, sizeof(network->lengths)) != NULL;
}

static size_t match_card(const struct mm_pii_text *text, const struct number *number)
{
	size_t groups = find_shape(text, number, card_shapes);
	size_t count = digits_in(number, groups);

	if (groups == 0 || !has_luhn(number->digits, count))
		return 0;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (is_of_network(&networks[i], number->digits, count))
			return groups;
	return 0;
}

/* The last digit of a 個人番号 follows from the eleven before it. */
static bool has_my_number_check(const char *digits)
{
	int sum = 0;

	for (int n = 1; n < MY_NUMBER_DIGITS; n++)
		sum += (digits[MY_NUMBER_DIGITS - 1 - n] - '0') * (n <= 6 ? n + 1 : n - 5);
	int check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
	return digits[MY_NUMBER_DIGITS - 1] - '0' == check;
}

static size_t match_my_number(const struct mm_pii_text *text, size_t at,
			      const struct number *number)
{
	size_t groups = find_shape(text, number, my_number_shapes);

	if (groups == 0 || !has_my_number_check(number->digits))
		return 0;
	size_t last = at < MY_NUMBER_DISTANCE ? 0 : at - MY_NUMBER_DISTANCE;
	for (size_t place = at; place-- > last;)
		for (const char32_t *const *word = my_number_words; *word != NULL; word++)
			if (mm_pii_word_at(text, place, *word) > 0)
				return groups;
	return 0;
}

/* A postal code needs a word or sign before it, or a prefecture behind it. */
static size_t match_postal_code(const struct mm_pii_text *text, size_t at,
				const struct number *number)
{
	size_t groups = find_shape(text, number, postal_shapes);

	if (groups == 0)
		return 0;
	if (mm_pii_has_word_before(text, at, postal_words))
		return groups;
	size_t next = number->ends[groups - 1];
	while (next - number->ends[groups - 1] < 3 &&
	       (mm_pii_point(text, next) == ' ' || mm_pii_point(text, next) == '\n'))
		next++;
	return groups > 1 && mm_pii_prefecture_at(text, next) > 0 ? groups : 0;
}

/* An account number needs a word before it, or the 記号 of a ゆうちょ account. */
static size_t match_account(const struct mm_pii_text *text, size_t at, const struct number *number,
			    const struct mm_pii_match *before)
{
	bool is_after_account = before != NULL && before->kind == MM_PII_BANK_ACCOUNT &&
				at - before->end <= ACCOUNT_DISTANCE;
	size_t groups = 0;

	if (mm_pii_has_word_before(text, at, account_sign_words))
		groups = find_shape(text, number, account_sign_shapes);
	if (groups == 0 && is_after_account)
		groups = find_shape(text, number, account_tail_shapes);
	if (groups == 0 && mm_pii_has_word_before(text, at, account_words))
		groups = find_shape(text, number, account_shapes);
	return groups;
}

/* +81 and the number without its first 0, which some leave in: +81 (0)90 1234 5678. */
static bool match_international(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	struct number number;
	char digits[DIGITS_MAX + 1] = "0";

	if (text->points[at] != '+' || !mm_pii_is_digit(mm_pii_point(text, at + 1)))
		return false;
	if (!read_number(text, at + 1, &number) || memcmp(number.digits, "81", 2) != 0)
		return false;
	size_t groups = number.group_count;
	while (groups > 0 && !is_number_end(text, &number, groups - 1))
		groups--;
	size_t count = digits_in(&number, groups);
	size_t skipped = count > 2 && number.digits[2] == '0' ? 3 : 2;
	if (groups == 0 || count <= skipped)
		return false;
	memcpy(digits + 1, number.digits + skipped, count - skipped);
	if (!is_phone(digits, count - skipped + 1))
		return false;
	*out = (struct mm_pii_match){at, number.ends[groups - 1], MM_PII_PHONE};
	return true;
}

/* Which kind a number is, and how many of its groups belong to it; 0 for none. */
static size_t classify(const struct mm_pii_text *text, size_t at, const struct number *number,
		       const struct mm_pii_match *before, enum mm_pii_kind *kind_out)
{
	size_t groups[MM_PII__MAX] = {0};
	static const enum mm_pii_kind order[] = {MM_PII_MY_NUMBER, MM_PII_POSTAL_CODE,
						 MM_PII_BANK_ACCOUNT, MM_PII_PHONE, MM_PII_CARD};

	groups[MM_PII_POSTAL_CODE] = match_postal_code(text, at, number);
	groups[MM_PII_BANK_ACCOUNT] = match_account(text, at, number, before);
	if (!mm_pii_is_other_number(text, at)) {
		groups[MM_PII_MY_NUMBER] = match_my_number(text, at, number);
		groups[MM_PII_PHONE] = match_phone(text, number);
		groups[MM_PII_CARD] = match_card(text, number);
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		*kind_out = order[i];
		if (groups[order[i]] > 0)
			return groups[order[i]];
	}
	return 0;
}

/* Where the match begins: with the 〒 or the ( before the number, when there is one. */
static size_t find_start(const struct mm_pii_text *text, size_t at, enum mm_pii_kind kind)
{
	size_t start = at;

	if (kind == MM_PII_PHONE && at > 0 && text->points[at - 1] == '(')
		return at - 1;
	while (kind == MM_PII_POSTAL_CODE && start > 0 && at - start < 2 &&
	       text->points[start - 1] == ' ')
		start--;
	return start > 0 && kind == MM_PII_POSTAL_CODE && text->points[start - 1] == U'〒'
		   ? start - 1
		   : at;
}

bool mm_pii_match_number(const struct mm_pii_text *text, size_t at,
			 const struct mm_pii_match *before, struct mm_pii_match *out)
{
	struct number number;
	enum mm_pii_kind kind;

	if (match_international(text, at, out))
		return true;
	if (!mm_pii_is_digit(text->points[at]) || !is_number_start(text, at) ||
	    !read_number(text, at, &number))
		return false;
	size_t groups = classify(text, at, &number, before, &kind);
	if (groups == 0)
		return false;
	size_t start = find_start(text, at, kind);
	if (before != NULL && start < before->end)
		start = at;
	/* (03)1234-5678 begins with its parenthesis only when it is closed in the number. */
	bool is_closed = number.separators[0] == ')';
	if (kind == MM_PII_PHONE && !is_closed)
		start = at;
	*out = (struct mm_pii_match){start, number.ends[groups - 1], kind};
	return true;
}
