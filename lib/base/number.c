/*
 * number: strict readers of decimal numbers.
 */
#include "config.h"

#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_DOUBLE = 63 };

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool mm_number_parse_i64(const char *text, size_t length, int64_t min, int64_t max,
			 int64_t *value_out)
{
	bool is_negative = length > 0 && text[0] == '-';
	size_t first = is_negative;
	int64_t value = 0;

	if (first == length || (text[first] == '0' && length > 1))
		return false;
	for (size_t i = first; i < length; i++) {
		if (!is_digit(text[i]))
			return false;
		int digit = text[i] - '0';
		/* With its sign from the first digit on, so that INT64_MIN can be reached. */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*value_out = value;
	return true;
}

static const char *skip_digits(const char *next, const char *end)
{
	while (next < end && is_digit(*next))
		next++;
	return next;
}

/* Whether the bytes are a number of RFC 8259: -? int frac? exp? */
static bool is_number(const char *next, const char *end)
{
	if (next < end && *next == '-')
		next++;
	const char *integer = next;
	next = skip_digits(next, end);
	if (next == integer || (*integer == '0' && next - integer > 1))
		return false;
	if (next < end && *next == '.') {
		const char *fraction = ++next;
		next = skip_digits(next, end);
		if (next == fraction)
			return false;
	}
	if (next < end && (*next == 'e' || *next == 'E')) {
		next++;
		if (next < end && (*next == '+' || *next == '-'))
			next++;
		const char *exponent = next;
		next = skip_digits(next, end);
		if (next == exponent)
			return false;
	}
	return next == end;
}

bool mm_number_parse_double(const char *text, size_t length, double min, double max,
			    double *value_out)
{
	char copy[LONGEST_DOUBLE + 1];

	if (length == 0 || length > LONGEST_DOUBLE || !is_number(text, text + length))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	double value = strtod(copy, NULL);
	if (!isfinite(value) || value < min || value > max)
		return false;
	*value_out = value;
	return true;
}
