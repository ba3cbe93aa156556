/* query: looks names up in a query string; knows no types. */
#include "config.h"

#include "http/query.h"

#include <stdbool.h>
#include <string.h>

static bool is_named(const char *pair, size_t length, const char *name)
{
	const size_t name_length = strlen(name);

	return length > name_length && memcmp(pair, name, name_length) == 0 &&
	       pair[name_length] == '=';
}

enum mm_status mm_query_text(const char *query, const char *name, const char **text_out,
			     size_t *length_out, struct mm_error *err)
{
	const char *text = NULL;
	size_t text_length = 0;

	for (const char *pair = query; *pair;) {
		const size_t length = strcspn(pair, "&");
		if (is_named(pair, length, name)) {
			if (text)
				return mm_error_set(err, MM_BAD_INPUT, "invalid_field", name,
						    "%s stands in the query twice", name);
			text = pair + strlen(name) + 1;
			text_length = length - strlen(name) - 1;
		}
		pair += length + (pair[length] == '&');
	}
	*text_out = text;
	*length_out = text_length;
	return MM_OK;
}
