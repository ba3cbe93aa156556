/* kb: mamori kb, but for the reading of files, which is kb_import's. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "kb.h"
#include "service/library.h"
#include "store/article_store.h"
#include "text/utf8.h"

enum { DAYS = 90, DAYS_MAX = 3660, GAPS = 100, GAPS_MAX = 10000 };

/* C0, DEL, C1, and what changes the direction of text or cannot be seen at all. */
static bool is_unsafe(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x61C, 0x61C},   {0x200B, 0x200F},
		      {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

void kb_print_text(const char *text)
{
	const size_t length = strlen(text);
	for (size_t at = 0, step; at < length; at += step ? step : 1) {
		uint32_t point = 0;
		step = mm_utf8_decode(text + at, length - at, &point);
		if (step > 0 && (point == '\n' || point == '\t'))
			putchar(' ');
		else if (step == 0 || is_unsafe(point))
			fputs("\xEF\xBF\xBD", stdout);
		else
			fwrite(text + at, 1, step, stdout);
	}
}

static int64_t deadline(const struct mm_db *db)
{
	return mm_db_now(db) + KB_TIMEOUT_MS;
}

static int kb_list(const struct invocation *invocation, struct mm_db *db)
{
	struct mm_stored_articles stored;
	struct mm_error err = {.status = MM_OK};
	if (mm_article_store_load(db, deadline(db), &stored, invocation->arena, &err) != MM_OK)
		return command_fail("kb list", &err);
	for (size_t i = 0; i < stored.count; i++) {
		const struct mm_stored_article *article = &stored.articles[i];
		printf("%s\t%s\t", article->id, article->language);
		kb_print_text(article->title);
		putchar('\t');
		kb_print_text(article->tags);
		putchar('\n');
	}
	printf("%zu article%s\n", stored.count, stored.count == 1 ? "" : "s");
	return EXIT_DONE;
}

static int kb_remove(const struct invocation *invocation, struct mm_db *db)
{
	struct mm_error err = {.status = MM_OK};
	int removed;
	if (mm_article_store_remove(db, invocation->arguments[0], deadline(db), &removed, &err) !=
	    MM_OK)
		return command_fail("kb remove", &err);
	if (removed == 0) {
		fprintf(stderr, "mamori: kb remove: there is no article of this id or title; "
				"mamori kb list prints them\n");
		return EXIT_FAILED;
	}
	printf("%d removed\n", removed);
	return EXIT_DONE;
}

static enum mm_status find(const struct mm_knowledge *knowledge, const char *question,
			   struct mm_source *sources, size_t *count_out, struct mm_arena *arena,
			   struct mm_error *err)
{
	const size_t length = strlen(question);
	return mm_knowledge_find(knowledge, question, length, mm_language_of(question, length),
				 sources, MM_SOURCES_MAX, count_out, arena, err);
}

static int kb_search(const struct invocation *invocation, struct mm_db *db)
{
	const double threshold = invocation->settings->knowledge.threshold;
	struct mm_source sources[MM_SOURCES_MAX];
	struct mm_knowledge *knowledge = NULL;
	struct mm_error err = {.status = MM_OK};
	size_t count = 0, answers = 0;
	enum mm_status status = mm_library_read(db, deadline(db), &knowledge, &err);
	if (status == MM_OK)
		status = find(knowledge, invocation->arguments[0], sources, &count,
			      invocation->arena, &err);
	for (size_t i = 0; status == MM_OK && i < count; i++) {
		const bool is_answer = mm_source_is_answer(&sources[i], threshold);
		answers += is_answer;
		printf("%.3f\t%s\t%s\t", (double)sources[i].match, is_answer ? "answers" : "-",
		       sources[i].id);
		kb_print_text(sources[i].title);
		putchar('\n');
	}
	mm_knowledge_free(knowledge);
	if (status != MM_OK)
		return command_fail("kb search", &err);
	printf("%zu answer%s, from %.2f on\n", answers, answers == 1 ? "" : "s", threshold);
	return EXIT_DONE;
}

/* Prints the gaps that are still there; counts those that an article answers by now. */
static enum mm_status print_gaps(const struct invocation *invocation,
				 const struct mm_knowledge *knowledge, const struct mm_gap *gaps,
				 size_t count, size_t *closed_out, struct mm_error *err)
{
	enum mm_status status = MM_OK;
	*closed_out = 0;
	for (size_t i = 0; i < count && status == MM_OK; i++) {
		struct mm_source sources[MM_SOURCES_MAX];
		char time[MM_CLOCK_TEXT];
		size_t found = 0;
		status = find(knowledge, gaps[i].question, sources, &found, invocation->arena, err);
		if (found > 0 &&
		    mm_source_is_answer(&sources[0], invocation->settings->knowledge.threshold)) {
			++*closed_out;
			continue;
		}
		mm_clock_format_utc(gaps[i].last_utc_ms, time);
		printf("%lld\t%.10s\t%s\t", (long long)gaps[i].count, time, gaps[i].language);
		kb_print_text(gaps[i].question);
		putchar('\n');
	}
	return status;
}

/* A whole number from 1 to max, or `fallback`; 0 where it is wrong, which is printed. */
static int number_option(const struct invocation *invocation, const char *name, int max,
			 int fallback)
{
	const char *text = command_option(invocation, name);
	int64_t value = fallback;
	if (text && !mm_number_parse_i64(text, strlen(text), 1, max, &value)) {
		fprintf(stderr, "mamori: %s must be a whole number from 1 to %d\n", name, max);
		return 0;
	}
	return (int)value;
}

static int kb_gaps(const struct invocation *invocation, struct mm_db *db)
{
	static const char *const options[] = {"--days", "--max", NULL};
	struct mm_knowledge *knowledge = NULL;
	struct mm_error err = {.status = MM_OK};
	struct mm_gap *gaps = NULL;
	size_t count = 0, closed = 0;
	if (!command_check_options(invocation, options))
		return EXIT_USAGE;
	const int days = number_option(invocation, "--days", DAYS_MAX, DAYS);
	const int max = number_option(invocation, "--max", GAPS_MAX, GAPS);
	if (days == 0 || max == 0)
		return EXIT_USAGE;
	enum mm_status status = mm_library_read(db, deadline(db), &knowledge, &err);
	if (status == MM_OK)
		status = mm_article_store_gaps(db, days, max, deadline(db), &gaps, &count,
					       invocation->arena, &err);
	if (status == MM_OK)
		status = print_gaps(invocation, knowledge, gaps, count, &closed, &err);
	mm_knowledge_free(knowledge);
	if (status != MM_OK)
		return command_fail("kb gaps", &err);
	printf("%zu unanswered in %d days, %zu more have an article by now\n", count - closed, days,
	       closed);
	return EXIT_DONE;
}

static const struct verb {
	const char *name;
	int least, most; /* arguments after it */
	const char *usage;
	int (*run)(const struct invocation *invocation, struct mm_db *db);
} verbs[] = {
    {"import", 1, 2, "[--whole] FILE.md | FILE.csv", kb_import},
    {"list", 0, 0, "", kb_list},
    {"remove", 1, 1, "ID | TITLE", kb_remove},
    {"search", 1, 1, "QUESTION", kb_search},
    {"gaps", 0, 4, "[--days N] [--max N]", kb_gaps},
};

static int misuse(void)
{
	fprintf(stderr, "mamori: usage:\n");
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(stderr, "  mamori kb %s %s\n", verbs[i].name, verbs[i].usage);
	return EXIT_USAGE;
}

static int run(const struct invocation *invocation, const struct verb *verb)
{
	struct invocation rest = *invocation;
	struct mm_error err = {.status = MM_OK};
	struct mm_db *db = NULL;
	rest.count--;
	rest.arguments++;
	for (int i = 0; i < rest.count; i++)
		if (!mm_utf8_is_valid(rest.arguments[i], strlen(rest.arguments[i]), NULL)) {
			fprintf(stderr, "mamori: kb: an argument is not UTF-8\n");
			return EXIT_USAGE;
		}
	if (command_open_database(invocation, "mamori_admin", &db, &err) != MM_OK)
		return command_fail("kb", &err);
	const int code = verb->run(&rest, db);
	mm_db_free(db);
	return code;
}

int command_kb(const struct invocation *invocation)
{
	const char *name = invocation->count > 0 ? invocation->arguments[0] : "";
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const int count = invocation->count - 1;
		if (strcmp(verbs[i].name, name) == 0)
			return count >= verbs[i].least && count <= verbs[i].most
				   ? run(invocation, &verbs[i])
				   : misuse();
	}
	return misuse();
}
