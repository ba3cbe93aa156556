/* accept: reads the media ranges of an Accept header; chooses between two types. */
#include "config.h"

#include "http/accept.h"

#include <string.h>
#include <strings.h>

enum { QUALITY_ONE = 1000, DECIMALS = 3 };

/* A piece of the header, without the spaces around it. */
struct piece {
	const char *text;
	size_t length;
};

static struct piece trim(const char *text, size_t length)
{
	while (length > 0 && strchr(" \t", *text)) {
		text++;
		length--;
	}
	while (length > 0 && strchr(" \t", text[length - 1]))
		length--;
	return (struct piece){text, length};
}

static bool is_same(struct piece piece, const char *text)
{
	return piece.length == strlen(text) && strncasecmp(piece.text, text, piece.length) == 0;
}

/* In thousandths: "0.85" is 850. 0 for what is no quality, so that a mistake asks for nothing. */
static int read_quality(struct piece value)
{
	int quality = 0, unit = QUALITY_ONE;

	if (value.length == 0 || value.length > DECIMALS + 2 || strchr("01", value.text[0]) == NULL)
		return 0;
	for (size_t i = 0; i < value.length; i++) {
		const char byte = value.text[i];
		if (i == 1 && byte == '.')
			continue;
		if (i == 1 || byte < '0' || byte > '9')
			return 0;
		quality += (byte - '0') * unit;
		unit /= 10;
	}
	return quality <= QUALITY_ONE ? quality : 0;
}

/* The quality among the parameters that follow a media range; 1 without one. */
static int quality_of(const char *parameters, const char *end)
{
	while (parameters < end) {
		const char *stop = memchr(parameters + 1, ';', (size_t)(end - parameters) - 1);
		const struct piece one =
		    trim(parameters + 1, (size_t)((stop ? stop : end) - parameters) - 1);
		if (one.length >= 2 && strncasecmp(one.text, "q=", 2) == 0)
			return read_quality(trim(one.text + 2, one.length - 2));
		parameters = stop ? stop : end;
	}
	return QUALITY_ONE;
}

/* JSON may be meant by a range: the most exact one counts, which stands last here. */
static const char *const json_ranges[] = {"*/*", "application/*", "application/json"};

struct wish {
	int events;  /* quality; 0: not wanted */
	int json;    /* the same */
	int json_by; /* which of json_ranges said so, from 1 */
};

static void take_range(struct wish *wish, const char *begin, const char *end)
{
	const char *parameters = memchr(begin, ';', (size_t)(end - begin));
	const struct piece type = trim(begin, (size_t)((parameters ? parameters : end) - begin));
	const int quality = parameters ? quality_of(parameters, end) : QUALITY_ONE;

	if (is_same(type, "text/event-stream") && quality > wish->events)
		wish->events = quality;
	for (int i = 0; i < (int)(sizeof(json_ranges) / sizeof(json_ranges[0])); i++)
		if (is_same(type, json_ranges[i]) && i + 1 > wish->json_by) {
			wish->json_by = i + 1;
			wish->json = quality;
		}
}

bool mm_accept_wants_events(const char *accept)
{
	struct wish wish = {0};

	while (accept && *accept) {
		const size_t length = strcspn(accept, ",");
		take_range(&wish, accept, accept + length);
		accept += length + (accept[length] == ',');
	}
	return wish.events > 0 && wish.events >= wish.json;
}
