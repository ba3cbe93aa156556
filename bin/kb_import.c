/* kb_import: a file becomes one JSON array, which the database stores or rejects as a whole. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "ai/replies.h"
#include "base/file.h"
#include "kb.h"
#include "store/article_store.h"
#include "text/articles.h"
#include "text/json_writer.h"

enum { FILE_MAX_BYTES = 64 * 1024 * 1024, ARTICLES_MAX = 10000 };

typedef enum mm_status (*reader)(const char *text, size_t length, struct mm_article **out,
				 size_t *count_out, struct mm_arena *arena, struct mm_error *err);

/* NULL: neither format. */
static reader find_reader(const char *path)
{
	static const struct {
		const char *ending;
		reader read;
	} readers[] = {{".md", mm_articles_read_markdown}, {".csv", mm_articles_read_csv}};
	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
		const size_t length = strlen(readers[i].ending);
		if (strlen(path) > length &&
		    strcmp(path + strlen(path) - length, readers[i].ending) == 0)
			return readers[i].read;
	}
	return NULL;
}

/* What the file does not say, the text does. */
static const char *language_of(const struct mm_article *article)
{
	if (article->language)
		return article->language;
	return mm_language_of(article->body, strlen(article->body)) == MM_LANGUAGE_JA ? "ja" : "en";
}

static void write_article(struct mm_json_writer *writer, const struct mm_article *article)
{
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "title", article->title);
	mm_json_pair_text(writer, "body", article->body);
	mm_json_key(writer, "tags");
	mm_json_array_begin(writer);
	for (size_t i = 0; i < article->tag_count; i++)
		mm_json_write_text(writer, article->tags[i]);
	mm_json_array_end(writer);
	mm_json_pair_text(writer, "language", language_of(article));
	mm_json_object_end(writer);
}

static enum mm_status read_file(const char *path, reader read, struct mm_buffer *json,
				struct mm_arena *arena, struct mm_error *err)
{
	struct mm_article *articles;
	struct mm_json_writer writer;
	struct mm_error reason = {.status = MM_OK};
	size_t length, count;
	char *text;
	enum mm_status status = mm_file_read(path, FILE_MAX_BYTES, &text, &length, arena, err);
	if (status != MM_OK)
		return status;
	status = read(text, length, &articles, &count, arena, &reason);
	if (status == MM_OK && count > ARTICLES_MAX)
		status = mm_error_set(&reason, MM_TOO_LARGE, NULL, NULL,
				      "line %zu: more than %d articles",
				      articles[ARTICLES_MAX].line, ARTICLES_MAX);
	if (status != MM_OK) {
		const char *what = reason.cause[0] ? reason.cause : reason.message;
		/* As compilers write it: file:line: reason. */
		const char *line = strncmp(what, "line ", 5) == 0 ? what + 5 : what;
		return mm_error_cause(err, status, "%s:%s", path, line);
	}
	mm_json_writer_init(&writer, json);
	mm_json_array_begin(&writer);
	for (size_t i = 0; i < count; i++)
		write_article(&writer, &articles[i]);
	mm_json_array_end(&writer);
	return json->has_failed ? mm_error_cause(err, MM_NO_MEMORY, "no memory") : MM_OK;
}

int kb_import(const struct invocation *invocation, struct mm_db *db)
{
	const bool is_whole = strcmp(invocation->arguments[0], "--whole") == 0;
	const char *path = invocation->arguments[invocation->count - 1];
	const reader read = find_reader(path);
	struct mm_import_result result;
	struct mm_error err = {.status = MM_OK};
	struct mm_buffer json;
	if (invocation->count != 1 + is_whole || !read) {
		fprintf(stderr,
			"mamori: kb import: needs [--whole] and a file that ends in .md or .csv\n");
		return EXIT_USAGE;
	}
	mm_buffer_init(&json, 65536, 0, invocation->arena);
	enum mm_status status = read_file(path, read, &json, invocation->arena, &err);
	if (status == MM_OK)
		status = mm_article_store_import(db, mm_buffer_text(&json), is_whole,
						 mm_db_now(db) + KB_TIMEOUT_MS, &result, &err);
	if (status != MM_OK)
		return command_fail("kb import", &err);
	printf("%d added, %d changed, %d unchanged, %d removed\n", result.added, result.changed,
	       result.unchanged, result.removed);
	return EXIT_DONE;
}
