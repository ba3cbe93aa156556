/* labelled.c: cuts a line at its tabs and reads each column by its name. */
#include "config.h"

#include "detect/labelled.h"

#include <string.h>

#include "text/utf8.h"

enum { TEST_SHARE = 5, FIELDS_MAX = 16 };

struct field {
	const char *text;
	size_t length;
};

static const char *const column_names[MM_COLUMN__MAX] = {"severity", "categories", "sentiment",
							 "signals",  "tags",       "text"};
static const char *const tag_names[MM_TAG__MAX] = {"hard", "evasion", "veiled"};

const char *mm_tag_name(enum mm_tag tag)
{
	return (int)tag >= 0 && tag < MM_TAG__MAX ? tag_names[tag] : "";
}

static bool is_field(struct field field, const char *text)
{
	return strlen(text) == field.length && memcmp(field.text, text, field.length) == 0;
}

/* The number of fields, of which FIELDS_MAX at most are kept. */
static int cut(const char *line, size_t length, struct field fields[FIELDS_MAX])
{
	int count = 0;

	for (size_t from = 0; from <= length;) {
		const char *tab = memchr(line + from, '\t', length - from);
		const size_t to = tab ? (size_t)(tab - line) : length;

		if (count < FIELDS_MAX)
			fields[count] = (struct field){line + from, to - from};
		count++;
		from = to + 1;
	}
	return count;
}

static bool set_list_label(struct field field, struct mm_labelled *row)
{
	if (is_field(field, "toxic") || is_field(field, "ok")) {
		row->is_toxic_known = true;
		row->is_harassment = is_field(field, "toxic");
		return true;
	}
	row->has_sentiment = mm_sentiment_parse(field.text, field.length, &row->sentiment);
	return row->has_sentiment;
}

enum mm_status mm_columns_read(const char *line, size_t length, struct mm_columns *out,
			       bool *is_header_out, struct mm_error *err)
{
	struct field fields[FIELDS_MAX];
	const int count = cut(line, length, fields);
	struct mm_columns columns = {.count = count};
	struct mm_labelled row = {.length = 0};

	if (count > FIELDS_MAX)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "more than %d columns",
				    FIELDS_MAX);
	columns.is_list = count == 2 && set_list_label(fields[0], &row);
	for (int i = 0; i < MM_COLUMN__MAX; i++) {
		columns.of[i] = -1;
		for (int j = 0; j < count; j++)
			if (is_field(fields[j], column_names[i]))
				columns.of[i] = j;
	}
	if (!columns.is_list &&
	    (columns.of[MM_COLUMN_SEVERITY] < 0 || columns.of[MM_COLUMN_TEXT] < 0))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "neither a header with severity and text, nor a label, a tab "
				    "and a text");
	*is_header_out = !columns.is_list;
	*out = columns;
	return MM_OK;
}

/* Calls `set` for every item of a list with commas; false when one is refused. */
static bool read_items(struct field list, bool (*set)(struct field item, struct mm_labelled *row),
		       struct mm_labelled *row)
{
	while (list.length > 0) {
		const char *comma = memchr(list.text, ',', list.length);
		const size_t length = comma ? (size_t)(comma - list.text) : list.length;

		if (length > 0 && !set((struct field){list.text, length}, row))
			return false;
		list.text += comma ? length + 1 : length;
		list.length -= comma ? length + 1 : length;
	}
	return true;
}

static bool set_category(struct field item, struct mm_labelled *row)
{
	enum mm_category category;
	const bool is_known = mm_category_parse(item.text, item.length, &category);

	if (is_known)
		row->categories |= 1u << category;
	return is_known;
}

static bool set_signal(struct field item, struct mm_labelled *row)
{
	enum mm_signal signal;
	const bool is_known = mm_signal_parse(item.text, item.length, &signal);

	if (is_known)
		row->signals |= 1u << signal;
	return is_known;
}

static bool set_tag(struct field item, struct mm_labelled *row)
{
	for (unsigned i = 0; i < MM_TAG__MAX; i++)
		if (is_field(item, tag_names[i]))
			row->tags |= 1u << i;
	return true;
}

static bool read_severity(struct field field, struct mm_labelled *row)
{
	row->has_severity = mm_severity_parse(field.text, field.length, &row->severity);
	row->is_harassment = row->has_severity && row->severity >= MM_SEVERITY_MEDIUM;
	return row->has_severity;
}

static bool read_categories(struct field field, struct mm_labelled *row)
{
	row->has_categories = true;
	return read_items(field, set_category, row);
}

static bool read_sentiment(struct field field, struct mm_labelled *row)
{
	row->has_sentiment = mm_sentiment_parse(field.text, field.length, &row->sentiment);
	return row->has_sentiment;
}

static bool read_signals(struct field field, struct mm_labelled *row)
{
	row->has_signals = true;
	return read_items(field, set_signal, row);
}

static bool read_tags(struct field field, struct mm_labelled *row)
{
	return read_items(field, set_tag, row);
}

/* How a column is read; the text is read by itself. */
static bool (*const readers[MM_COLUMN__MAX])(struct field field, struct mm_labelled *row) = {
    [MM_COLUMN_SEVERITY] = read_severity,
    [MM_COLUMN_CATEGORIES] = read_categories,
    [MM_COLUMN_SENTIMENT] = read_sentiment,
    [MM_COLUMN_SIGNALS] = read_signals,
    [MM_COLUMN_TAGS] = read_tags};

static enum mm_status read_text(struct field field, struct mm_labelled *row, struct mm_arena *arena,
				struct mm_error *err)
{
	char *text = mm_arena_strndup(arena, field.text, field.length), *to = text;

	if (!text)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a row");
	row->hash = 2166136261u; /* 32-bit FNV-1a */
	for (size_t i = 0; i < field.length; i++)
		row->hash = (row->hash ^ (unsigned char)field.text[i]) * 16777619u;
	row->hash = (row->hash ^ row->hash >> 16) * 0x85ebca6bu;
	row->hash ^= row->hash >> 13;
	for (size_t i = 0; i < field.length; i++) {
		const bool is_break = text[i] == '\\' && text[i + 1] == 'n';

		*to++ = is_break ? '\n' : text[i];
		i += is_break;
	}
	*to = '\0';
	row->text = text;
	row->length = (size_t)(to - text);
	if (!mm_utf8_is_valid(row->text, row->length, NULL) || strlen(text) != row->length)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "the text is not UTF-8");
	return MM_OK;
}

enum mm_status mm_labelled_read(const struct mm_columns *columns, const char *line, size_t length,
				struct mm_labelled *out, struct mm_arena *arena,
				struct mm_error *err)
{
	struct field fields[FIELDS_MAX] = {{.length = 0}};
	struct mm_labelled row = {.length = 0};
	const int count = cut(line, length, fields);
	enum mm_status status;

	if (count != columns->count)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%d columns instead of %d",
				    count, columns->count);
	if (columns->is_list && !set_list_label(fields[0], &row))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "the label is unknown");
	for (int i = 0; i < MM_COLUMN_TEXT && !columns->is_list; i++)
		if (columns->of[i] >= 0 && !readers[i](fields[columns->of[i]], &row))
			return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s is unknown",
					    column_names[i]);
	status =
	    read_text(fields[columns->is_list ? 1 : columns->of[MM_COLUMN_TEXT]], &row, arena, err);
	if (status == MM_OK)
		*out = row;
	return status;
}

bool mm_labelled_is_test(const struct mm_labelled *row)
{
	return row->hash % TEST_SHARE == 0;
}
