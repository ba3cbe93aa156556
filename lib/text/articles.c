/* articles: the two formats. What an article must be is articles_list.c. */
#include "config.h"

#include "text/articles.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "text/articles_list.h"

/* ---- Markdown */

static bool is_blank(const char *line)
{
	return line[strspn(line, " \t")] == '\0';
}

/* The value when the line is "key: value", else NULL. */
static char *value_of(char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncasecmp(line, key, length) != 0)
		return NULL;
	line += length + strspn(line + length, " \t");
	return *line == ':' ? line + 1 : NULL;
}

/* An article being read; its body is joined again from lines that lie one behind the other. */
struct draft {
	struct mm_article_fields fields;
	bool is_open, is_in_head;
	bool is_in_code; /* between ``` and ```: a # is no title there */
};

static enum mm_status finish(struct draft *draft, struct mm_article_list *list,
			     struct mm_error *err)
{
	return draft->is_open ? mm_article_list_add(list, &draft->fields, err) : MM_OK;
}

/* Takes a line of the head; false when the body has begun. */
static bool take_head(struct draft *draft, char *line)
{
	char *tags = value_of(line, "tags"), *language = value_of(line, "language");

	if (!draft->is_in_head)
		return false;
	if (tags)
		draft->fields.tags = tags;
	if (language)
		draft->fields.language = language;
	return tags || language;
}

static enum mm_status take_line(struct draft *draft, char *line, size_t number,
				struct mm_article_list *list, struct mm_error *err)
{
	if (!draft->is_in_code && strncmp(line, "# ", 2) == 0) {
		enum mm_status status = finish(draft, list, err);
		*draft = (struct draft){.fields = {.title = line + 2, .line = number},
					.is_open = true,
					.is_in_head = true};
		return status;
	}
	if (!draft->is_open)
		return is_blank(line)
			   ? MM_OK
			   : mm_article_wrong(err, number, "text before the first \"# Title\"");
	if (take_head(draft, line))
		return MM_OK;
	if (strncmp(line, "```", 3) == 0)
		draft->is_in_code = !draft->is_in_code;
	if (!draft->fields.body && !is_blank(line)) {
		draft->fields.body = line;
		draft->is_in_head = false;
	}
	return MM_OK;
}

enum mm_status mm_articles_read_markdown(const char *text, size_t length, struct mm_article **out,
					 size_t *count_out, struct mm_arena *arena,
					 struct mm_error *err)
{
	struct mm_article_list list;
	struct draft draft = {0};
	char *line, *next;
	enum mm_status status = mm_article_copy(text, length, &line, arena, err);

	mm_article_list_init(&list, arena);
	for (size_t number = 1; status == MM_OK && *line; number++, line = next) {
		next = line + strcspn(line, "\n");
		bool is_end = *next == '\0';
		*next = '\0';
		status = take_line(&draft, line, number, &list, err);
		/* The lines of a body stay one text. */
		if (draft.fields.body && !is_end &&
		    (draft.is_in_code || strncmp(next + 1, "# ", 2) != 0))
			*next = '\n';
		next += !is_end;
	}
	if (status == MM_OK)
		status = finish(&draft, &list, err);
	return status == MM_OK ? mm_article_list_close(&list, out, count_out, err) : status;
}

/* ---- CSV */

enum column { COLUMN_TITLE, COLUMN_BODY, COLUMN_TAGS, COLUMN_LANGUAGE, COLUMN__MAX };

static const char *const column_names[COLUMN__MAX] = {"title", "body", "tags", "language"};

enum { CELLS_MAX = 16 };

struct csv {
	char *at;
	size_t line;
	size_t row_line; /* where the row that was read last begins */
	char *cells[CELLS_MAX];
	size_t count;
};

/* Reads "…" with doubled quotes, in place; false when it does not end. */
static bool read_quoted(struct csv *csv, char **cell)
{
	char *to = ++csv->at;

	*cell = to;
	for (; *csv->at; csv->at++) {
		if (*csv->at == '"' && csv->at[1] == '"')
			csv->at++;
		else if (*csv->at == '"')
			break;
		csv->line += *csv->at == '\n';
		*to++ = *csv->at;
	}
	if (*csv->at != '"')
		return false;
	csv->at++;
	*to = '\0';
	return true;
}

/* What is wrong with the row, or NULL: then its cells are there. */
static const char *read_row(struct csv *csv)
{
	csv->count = 0;
	csv->row_line = csv->line;
	for (;;) {
		char *cell = csv->at;
		if (*csv->at == '"' && !read_quoted(csv, &cell))
			return "a quotation mark without its end";
		if (cell == csv->at)
			csv->at += strcspn(csv->at, ",\n");
		const char end = *csv->at;
		if (end != ',' && end != '\n' && end != '\0')
			return "text behind a closing quotation mark";
		if (csv->count == CELLS_MAX)
			return "more than 16 columns";
		csv->cells[csv->count++] = cell;
		*csv->at = '\0';
		csv->line += end == '\n';
		csv->at += end != '\0';
		if (end != ',')
			return NULL;
	}
}

static const char *read_header(struct csv *csv, enum column columns[CELLS_MAX])
{
	unsigned seen = 0;
	const char *fault = read_row(csv);

	for (size_t i = 0; i < csv->count && !fault; i++) {
		unsigned column = 0;
		while (column < COLUMN__MAX && strcasecmp(csv->cells[i], column_names[column]) != 0)
			column++;
		if (column == COLUMN__MAX)
			return "the first row must name the columns: title, body, tags, language";
		if (seen & 1u << column)
			return "a column is named twice";
		seen |= 1u << column;
		columns[i] = (enum column)column;
	}
	if (!fault && (seen & 3u) != 3u)
		return "the first row must name at least the columns title and body";
	return fault;
}

static enum mm_status add_row(const struct csv *csv, const enum column columns[CELLS_MAX],
			      struct mm_article_list *list, struct mm_error *err)
{
	struct mm_article_fields fields = {.line = csv->row_line};
	char **const places[COLUMN__MAX] = {&fields.title, &fields.body, &fields.tags,
					    &fields.language};

	for (size_t i = 0; i < csv->count; i++)
		*places[columns[i]] = csv->cells[i];
	return mm_article_list_add(list, &fields, err);
}

static enum mm_status read_rows(struct csv *csv, struct mm_article_list *list, struct mm_error *err)
{
	enum column columns[CELLS_MAX] = {COLUMN_TITLE};
	const char *fault = read_header(csv, columns);
	const size_t width = csv->count;
	enum mm_status status = MM_OK;

	while (!fault && status == MM_OK && *csv->at) {
		fault = read_row(csv);
		if (!fault && csv->count == 1 && csv->cells[0][0] == '\0')
			continue;
		if (!fault && csv->count != width)
			fault = "this row has another number of columns than the first";
		if (!fault)
			status = add_row(csv, columns, list, err);
	}
	return fault ? mm_article_wrong(err, csv->row_line, fault) : status;
}

enum mm_status mm_articles_read_csv(const char *text, size_t length, struct mm_article **out,
				    size_t *count_out, struct mm_arena *arena, struct mm_error *err)
{
	struct csv csv = {.line = 1};
	struct mm_article_list list;
	enum mm_status status = mm_article_copy(text, length, &csv.at, arena, err);

	mm_article_list_init(&list, arena);
	if (status == MM_OK)
		status = read_rows(&csv, &list, err);
	return status == MM_OK ? mm_article_list_close(&list, out, count_out, err) : status;
}
