/* json_check: says whether a text is strict JSON, and where not. It builds nothing: json-c does
 * that afterwards. A loop with a stack of its own, so that depth costs no C stack. */
#include "config.h"

#include "text/json_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/json.h"
#include "text/utf8.h"

enum { NUMBER_MAX = 64, FIRST_KEYS = 16, FEW_KEYS = 8, HEX_DIGITS = 4 };

/* A member's name, unescaped. */
struct key {
	const char *text;
	size_t length;
	size_t offset; /* in the document, for the message */
};

struct level {
	bool is_object;
	size_t first_key; /* where the keys of this object begin in the list */
};

struct check {
	const char *text;
	size_t length;
	size_t at;
	int depth, max_depth;
	struct level levels[MM_JSON_DEPTH_LIMIT];
	struct key *keys;
	size_t key_count, key_capacity;
	struct mm_arena *arena;
	struct mm_error *err;
};

static enum mm_status bad(struct check *check, size_t at, const char *reason)
{
	return mm_error_set(check->err, MM_BAD_INPUT, "invalid_json", NULL,
			    "invalid JSON at byte %zu: %s", at, reason);
}

static enum mm_status no_memory(struct check *check)
{
	return mm_error_cause(check->err, MM_NO_MEMORY, "checking %zu bytes of JSON",
			      check->length);
}

/* The byte at the place of reading; 0 at the end (and for a NUL, which nothing accepts). */
static char peek(const struct check *check)
{
	return check->at < check->length ? check->text[check->at] : '\0';
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(struct check *check)
{
	while (check->at < check->length && is_space(check->text[check->at]))
		check->at++;
}

static bool skip_digits(struct check *check)
{
	size_t start = check->at;

	while (peek(check) >= '0' && peek(check) <= '9')
		check->at++;
	return check->at > start;
}

/* A number that a double cannot hold is refused rather than read as infinity. */
static enum mm_status check_range(struct check *check, size_t start)
{
	char number[NUMBER_MAX + 1];
	size_t size = check->at - start;

	if (size > NUMBER_MAX)
		return bad(check, start, "number has too many digits");
	memcpy(number, check->text + start, size);
	number[size] = '\0';
	return isfinite(strtod(number, NULL)) ? MM_OK : bad(check, start, "number out of range");
}

static enum mm_status check_number(struct check *check)
{
	size_t start = check->at;

	if (peek(check) == '-')
		check->at++;
	if (peek(check) == '0') {
		check->at++;
		if (peek(check) >= '0' && peek(check) <= '9')
			return bad(check, start, "number with a leading zero");
	} else if (!skip_digits(check)) {
		return bad(check, start, "digit expected in a number");
	}
	if (peek(check) == '.') {
		check->at++;
		if (!skip_digits(check))
			return bad(check, check->at, "digit expected after a decimal point");
	}
	if (peek(check) == 'e' || peek(check) == 'E') {
		check->at++;
		if (peek(check) == '+' || peek(check) == '-')
			check->at++;
		if (!skip_digits(check))
			return bad(check, check->at, "digit expected in an exponent");
	}
	return check_range(check, start);
}

/* Reads the four digits of a \u escape; -1 when they are not. */
static int32_t read_hex(const struct check *check, size_t at)
{
	int32_t value = 0;

	if (check->length - at < HEX_DIGITS)
		return -1;
	for (size_t i = 0; i < HEX_DIGITS; i++) {
		char byte = check->text[at + i];
		int32_t digit;
		if (byte >= '0' && byte <= '9')
			digit = byte - '0';
		else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
			digit = (byte | 0x20) - 'a' + 10;
		else
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool is_surrogate(int32_t unit, int32_t first)
{
	return unit >= first && unit < first + 0x400;
}

/* Reads \uXXXX, or a pair of them, at the backslash, and moves behind it. */
static enum mm_status read_unicode(struct check *check, uint32_t *code_point_out)
{
	size_t start = check->at;
	int32_t high = read_hex(check, start + 2);
	int32_t low = -1;

	if (high < 0)
		return bad(check, start, "four hexadecimal digits expected after \\u");
	if (high == 0)
		return bad(check, start, "U+0000 is not allowed");
	check->at += 2 + HEX_DIGITS;
	*code_point_out = (uint32_t)high;
	if (is_surrogate(high, 0xDC00))
		return bad(check, start, "lone surrogate");
	if (!is_surrogate(high, 0xD800))
		return MM_OK;
	if (check->length - check->at >= 2 && memcmp(check->text + check->at, "\\u", 2) == 0)
		low = read_hex(check, check->at + 2);
	if (!is_surrogate(low, 0xDC00))
		return bad(check, start, "lone surrogate");
	check->at += 2 + HEX_DIGITS;
	*code_point_out = 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
	return MM_OK;
}

/* Reads an escape at its backslash, and moves behind it. */
static enum mm_status read_escape(struct check *check, uint32_t *code_point_out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";

	if (check->length - check->at < 2)
		return bad(check, check->at, "string without its end");
	char letter = check->text[check->at + 1];
	if (letter == 'u')
		return read_unicode(check, code_point_out);
	const char *found = letter == '\0' ? NULL : strchr(letters, letter);
	if (found == NULL)
		return bad(check, check->at, "unknown escape");
	*code_point_out = (unsigned char)values[found - letters];
	check->at += 2;
	return MM_OK;
}

/* Moves behind the bytes of a string that stand for themselves. */
static void skip_plain(struct check *check)
{
	while (check->at < check->length) {
		unsigned char byte = (unsigned char)check->text[check->at];
		if (byte < 0x20 || byte == '"' || byte == '\\')
			break;
		check->at++;
	}
}

/* Checks a string at its first quote and moves behind its last. */
static enum mm_status check_string(struct check *check, bool *has_escape_out)
{
	size_t start = check->at++;
	uint32_t code_point;

	*has_escape_out = false;
	for (;;) {
		skip_plain(check);
		if (check->at >= check->length)
			return bad(check, start, "string without its end");
		if (peek(check) == '"') {
			check->at++;
			return MM_OK;
		}
		if (peek(check) != '\\')
			return bad(check, check->at, "control character in a string");
		*has_escape_out = true;
		enum mm_status status = read_escape(check, &code_point);
		if (status != MM_OK)
			return status;
	}
}

/* Unescapes the checked string between two offsets; never longer than it was. */
static bool unescape(struct check *check, size_t from, size_t to, struct key *key)
{
	struct check inner = {.text = check->text, .length = to, .at = from};
	char *out = mm_arena_alloc(check->arena, to - from + 1);
	uint32_t code_point = 0;

	if (out == NULL)
		return false;
	key->text = out;
	key->length = 0;
	while (inner.at < to) {
		if (inner.text[inner.at] != '\\') {
			out[key->length++] = inner.text[inner.at++];
			continue;
		}
		if (read_escape(&inner, &code_point) != MM_OK)
			break;
		key->length += mm_utf8_encode(code_point, out + key->length);
	}
	return true;
}

static bool grow_keys(struct check *check)
{
	size_t capacity = check->key_capacity == 0 ? FIRST_KEYS : 2 * check->key_capacity;
	struct key *keys = mm_arena_alloc(check->arena, capacity * sizeof(*keys));

	if (keys == NULL)
		return false;
	if (check->key_count > 0)
		memcpy(keys, check->keys, check->key_count * sizeof(*keys));
	check->keys = keys;
	check->key_capacity = capacity;
	return true;
}

/* Checks a member's name and its colon, and remembers the name. */
static enum mm_status check_key(struct check *check)
{
	size_t start = check->at;
	bool has_escape;

	if (peek(check) != '"')
		return bad(check, start, "a member's name in quotes expected");
	enum mm_status status = check_string(check, &has_escape);
	if (status != MM_OK)
		return status;
	struct key key = {check->text + start + 1, check->at - start - 2, start};
	if (has_escape && !unescape(check, start + 1, check->at - 1, &key))
		return no_memory(check);
	if (check->key_count == check->key_capacity && !grow_keys(check))
		return no_memory(check);
	check->keys[check->key_count++] = key;
	skip_space(check);
	if (peek(check) != ':')
		return bad(check, check->at, "colon expected");
	check->at++;
	return MM_OK;
}

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->text, b->text, a->length);
}

static enum mm_status duplicate(struct check *check, const struct key *a, const struct key *b)
{
	return bad(check, a->offset > b->offset ? a->offset : b->offset,
		   "the object has a member of this name already");
}

/* The names of the object that ends must differ: few are compared each with each, many sorted. */
static enum mm_status check_distinct(struct check *check, size_t first)
{
	size_t count = check->key_count - first;

	check->key_count = first;
	if (count < 2)
		return MM_OK;
	struct key *keys = check->keys + first;
	if (count > FEW_KEYS) {
		qsort(keys, count, sizeof(*keys), compare_keys);
		for (size_t i = 1; i < count; i++)
			if (compare_keys(&keys[i - 1], &keys[i]) == 0)
				return duplicate(check, &keys[i - 1], &keys[i]);
		return MM_OK;
	}
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (compare_keys(&keys[k], &keys[i]) == 0)
				return duplicate(check, &keys[k], &keys[i]);
	return MM_OK;
}

static enum mm_status check_literal(struct check *check)
{
	static const char *const literals[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		size_t size = strlen(literals[i]);
		if (check->length - check->at >= size &&
		    memcmp(check->text + check->at, literals[i], size) == 0) {
			check->at += size;
			return MM_OK;
		}
	}
	return bad(check, check->at,
		   check->at < check->length ? "value expected" : "the text ends too early");
}

static enum mm_status check_scalar(struct check *check)
{
	char byte = peek(check);
	bool has_escape;

	if (byte == '"')
		return check_string(check, &has_escape);
	if (byte == '-' || (byte >= '0' && byte <= '9'))
		return check_number(check);
	return check_literal(check);
}

static enum mm_status close_level(struct check *check)
{
	struct level *level = &check->levels[--check->depth];

	check->at++;
	return level->is_object ? check_distinct(check, level->first_key) : MM_OK;
}

static char closing_bracket(const struct check *check)
{
	return check->levels[check->depth - 1].is_object ? '}' : ']';
}

/* After a value: closes what ends and stands at the next value; depth 0 when all is read. */
static enum mm_status next_value(struct check *check)
{
	while (check->depth > 0) {
		skip_space(check);
		if (peek(check) == closing_bracket(check)) {
			enum mm_status status = close_level(check);
			if (status != MM_OK)
				return status;
			continue;
		}
		if (peek(check) != ',')
			return bad(check, check->at, "comma or end of the container expected");
		check->at++;
		skip_space(check);
		return check->levels[check->depth - 1].is_object ? check_key(check) : MM_OK;
	}
	return MM_OK;
}

/* Opens an array or object and stands at its first value, or behind it when it is empty. */
static enum mm_status open_level(struct check *check, bool *has_value_out)
{
	bool is_object = peek(check) == '{';

	if (check->depth == check->max_depth)
		return bad(check, check->at, "nested too deeply");
	check->levels[check->depth++] = (struct level){is_object, check->key_count};
	check->at++;
	skip_space(check);
	*has_value_out = peek(check) != closing_bracket(check);
	if (!*has_value_out)
		return close_level(check);
	return is_object ? check_key(check) : MM_OK;
}

static enum mm_status check_document(struct check *check)
{
	do {
		bool is_value_open = false;
		skip_space(check);
		bool is_container = peek(check) == '{' || peek(check) == '[';
		enum mm_status status =
		    is_container ? open_level(check, &is_value_open) : check_scalar(check);
		if (status == MM_OK && !is_value_open)
			status = next_value(check);
		if (status != MM_OK)
			return status;
	} while (check->depth > 0);
	skip_space(check);
	return check->at == check->length ? MM_OK
					  : bad(check, check->at, "more text after the value");
}

enum mm_status mm_json_check(const char *text, size_t length, int max_depth, struct mm_arena *arena,
			     struct mm_error *err)
{
	struct check check = {
	    .text = text, .length = length, .max_depth = max_depth, .arena = arena, .err = err};
	size_t bad_offset;

	if (!mm_utf8_is_valid(text, length, &bad_offset))
		return bad(&check, bad_offset, "invalid UTF-8");
	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		return bad(&check, 0, "byte order mark");
	return check_document(&check);
}
