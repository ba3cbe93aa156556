/* articles_list: the rules that articles keep, whatever file they come from. */
#include "config.h"

#include "text/articles_list.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

enum { TAG_MAX = 60 };

enum mm_status mm_article_wrong(struct mm_error *err, size_t line, const char *reason)
{
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "line %zu: %s", line, reason);
}

static size_t line_of(const char *text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

enum mm_status mm_article_copy(const char *text, size_t length, char **out, struct mm_arena *arena,
			       struct mm_error *err)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t bad, end = 0;

	if (!mm_utf8_is_valid(text, length, &bad))
		return mm_article_wrong(err, line_of(text, bad),
					"not UTF-8: save the file as UTF-8");
	const char *nul = memchr(text, '\0', length);
	if (nul)
		return mm_article_wrong(err, line_of(text, (size_t)(nul - text)),
					"a NUL byte: this is no text file");
	if (length >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		length -= 3;
	}
	char *copy = mm_arena_strndup(arena, text, length);
	if (!copy)
		return mm_error_cause(err, MM_NO_MEMORY, "articles: no memory");
	for (size_t i = 0; i < length; i++)
		if (copy[i] != '\r')
			copy[end++] = copy[i];
		else if (i + 1 == length || copy[i + 1] != '\n')
			copy[end++] = '\n';
	copy[end] = '\0';
	*out = copy;
	return MM_OK;
}

void mm_article_list_init(struct mm_article_list *list, struct mm_arena *arena)
{
	list->arena = arena;
	mm_buffer_init(&list->articles, 0, 0, arena);
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
	while (is_space(*text))
		text++;
	for (size_t length = strlen(text); length > 0 && is_space(text[length - 1]);)
		text[--length] = '\0';
	return text;
}

/* Bytes of the separator of tags at a place, else 0. */
static size_t tag_separator(const char *at)
{
	static const char *const separators[] = {",", ";", "、", "，", "；"};

	for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++)
		if (strncmp(at, separators[i], strlen(separators[i])) == 0)
			return strlen(separators[i]);
	return 0;
}

static enum mm_status read_tags(char *text, struct mm_article *article, struct mm_arena *arena,
				size_t line, struct mm_error *err)
{
	const char **tags = mm_arena_array(arena, MM_ARTICLE_TAGS_MAX, sizeof(*tags));

	if (!tags)
		return mm_error_cause(err, MM_NO_MEMORY, "articles: no memory");
	article->tags = tags;
	for (char *at = text, *tag = text; text; at++) {
		size_t size = *at ? tag_separator(at) : 1;
		if (size == 0)
			continue;
		bool is_last = *at == '\0';
		*at = '\0';
		tag = trim(tag);
		if (mm_utf8_count(tag, strlen(tag)) > TAG_MAX)
			return mm_article_wrong(err, line, "a tag is longer than 60 characters");
		if (*tag && article->tag_count == MM_ARTICLE_TAGS_MAX)
			return mm_article_wrong(err, line, "more than 32 tags");
		if (*tag)
			tags[article->tag_count++] = tag;
		if (is_last)
			break;
		at += size - 1;
		tag = at + 1;
	}
	return MM_OK;
}

/* What is wrong with an article's texts, or NULL. */
static const char *find_fault(const struct mm_article *article)
{
	if (!article->title || !*article->title)
		return "an article without a title";
	if (mm_utf8_count(article->title, strlen(article->title)) > MM_ARTICLE_TITLE_MAX)
		return "the title is longer than 200 characters";
	if (strchr(article->title, '\n'))
		return "the title has a line end in it";
	if (!article->body || !*article->body)
		return "an article without a text";
	if (mm_utf8_count(article->body, strlen(article->body)) > MM_ARTICLE_BODY_MAX)
		return "the text is longer than 20000 characters";
	if (article->language && strcmp(article->language, "ja") != 0 &&
	    strcmp(article->language, "en") != 0)
		return "the language must be ja or en";
	return NULL;
}

enum mm_status mm_article_list_add(struct mm_article_list *list,
				   const struct mm_article_fields *fields, struct mm_error *err)
{
	struct mm_article article = {.title = fields->title ? trim(fields->title) : NULL,
				     .body = fields->body ? trim(fields->body) : NULL,
				     .line = fields->line};
	char *language = fields->language ? trim(fields->language) : NULL;

	article.language = language && *language ? language : NULL;
	const char *fault = find_fault(&article);
	if (fault)
		return mm_article_wrong(err, fields->line, fault);
	enum mm_status status = read_tags(fields->tags, &article, list->arena, fields->line, err);
	if (status == MM_OK)
		mm_buffer_add(&list->articles, &article, sizeof(article));
	return status;
}

static const char *language_of(const struct mm_article *article)
{
	return article->language ? article->language : "";
}

static int compare_names(const void *a, const void *b)
{
	const struct mm_article *left = *(const struct mm_article *const *)a;
	const struct mm_article *right = *(const struct mm_article *const *)b;
	int order = strcmp(left->title, right->title);

	if (order == 0)
		order = strcmp(language_of(left), language_of(right));
	return order ? order : left->line > right->line ? 1 : -1;
}

static enum mm_status check_names(const struct mm_article_list *list,
				  const struct mm_article *articles, size_t count,
				  struct mm_error *err)
{
	const struct mm_article **sorted = mm_arena_array(list->arena, count, sizeof(*sorted));
	const struct mm_article *twice = NULL, *first = NULL;

	if (!sorted)
		return mm_error_cause(err, MM_NO_MEMORY, "articles: no memory");
	for (size_t i = 0; i < count; i++)
		sorted[i] = &articles[i];
	qsort(sorted, count, sizeof(struct mm_article *), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i]->title, sorted[i - 1]->title) != 0 ||
		    strcmp(language_of(sorted[i]), language_of(sorted[i - 1])) != 0)
			continue;
		if (!twice || sorted[i]->line < twice->line) {
			twice = sorted[i];
			first = sorted[i - 1];
		}
	}
	if (!twice)
		return MM_OK;
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
			    "line %zu: this title stands in line %zu already", twice->line,
			    first->line);
}

enum mm_status mm_article_list_close(struct mm_article_list *list, struct mm_article **out,
				     size_t *count_out, struct mm_error *err)
{
	size_t count = list->articles.length / sizeof(struct mm_article);
	struct mm_article *articles = (struct mm_article *)(void *)list->articles.data;

	if (list->articles.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "articles: no memory");
	if (count == 0)
		return mm_article_wrong(err, 1, "there is no article in this file");
	enum mm_status status = check_names(list, articles, count, err);
	if (status != MM_OK)
		return status;
	*out = articles;
	*count_out = count;
	return MM_OK;
}
