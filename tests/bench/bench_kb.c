/* bench_kb: what searching the knowledge base costs: 10,000 articles made of the sentences of
 * tests/kb/articles.md and words of their own, asked the questions of tests/kb/questions.tsv.
 * usage: bench_kb [ARTICLES]      (MM_TEST_SOURCE names the source tree) */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/lines.h"
#include "ai/knowledge.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "text/articles.h"

enum { ARTICLES = 10000, SENTENCES = 4, WORDS = 12, SAMPLES_MAX = 100000, ROUNDS = 5 };

static unsigned next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 32);
}

/* Two kanji that no sentence has, mostly. */
static void add_word(struct mm_buffer *text)
{
	char word[32];

	snprintf(word, sizeof word, "\xE5%c%c\xE7%c%c、", 0x80 + next_random() % 64,
		 0x80 + next_random() % 64, 0x80 + next_random() % 64, 0x80 + next_random() % 64);
	mm_buffer_add_text(text, word);
}

static const char *make_text(const struct mm_article *samples, size_t count, size_t sentences,
			     size_t words, struct mm_arena *arena)
{
	struct mm_buffer text;

	mm_buffer_init(&text, 1024, 0, arena);
	for (size_t i = 0; i < sentences; i++)
		mm_buffer_add_text(&text, samples[next_random() % count].body);
	for (size_t i = 0; i < words; i++)
		add_word(&text);
	return mm_buffer_text(&text);
}

static struct mm_knowledge *make_knowledge(size_t count)
{
	struct mm_arena *arena = mm_arena_new(0), *scratch = mm_arena_new(0);
	const char *source = getenv("MM_TEST_SOURCE");
	struct mm_article *samples = NULL;
	struct mm_knowledge *knowledge = NULL;
	size_t sample_count = 0, length = 0;
	char *text = NULL;

	if (mm_file_read(mm_arena_printf(scratch, "%s/tests/kb/articles.md", source ? source : "."),
			 1 << 20, &text, &length, scratch, NULL) != MM_OK ||
	    mm_articles_read_markdown(text, length, &samples, &sample_count, scratch, NULL) !=
		MM_OK) {
		fprintf(stderr, "bench_kb: set MM_TEST_SOURCE to the source tree\n");
		exit(1);
	}
	struct mm_knowledge_article *articles = mm_arena_array(arena, count, sizeof *articles);
	for (size_t i = 0; i < count; i++) {
		const struct mm_article *sample = &samples[next_random() % sample_count];
		articles[i] = (struct mm_knowledge_article){
		    mm_arena_printf(arena, "%zu", i),
		    mm_arena_printf(arena, "%s %s", sample->title,
				    make_text(samples, sample_count, 0, 2, scratch)),
		    make_text(samples, sample_count, SENTENCES, WORDS, arena), "",
		    sample->language[0] == 'e' ? MM_LANGUAGE_EN : MM_LANGUAGE_JA};
	}
	const int64_t began = mm_clock_mono_ms(&mm_clock_system);
	if (mm_knowledge_new(arena, articles, count, 1, &knowledge, NULL) != MM_OK)
		exit(1);
	printf("%zu articles indexed in %lld ms, %.1f MiB in all\n", count,
	       (long long)(mm_clock_mono_ms(&mm_clock_system) - began),
	       (double)mm_knowledge_bytes(knowledge) / (1 << 20));
	mm_arena_free(scratch);
	return knowledge;
}

static int compare_doubles(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static size_t ask_all(const struct mm_knowledge *knowledge, double *times, size_t count)
{
	struct test_lines *lines = test_lines_open("kb/questions.tsv", 2);
	struct mm_arena *arena = mm_arena_new(0);

	while (test_lines_next(lines) && count < SAMPLES_MAX) {
		const char *question = lines->column[1];
		const size_t length = strlen(question);
		struct mm_source sources[MM_SOURCES_MAX];
		size_t found;
		mm_arena_reset(arena);
		const double began = now_ms();
		if (mm_knowledge_find(knowledge, question, length, mm_language_of(question, length),
				      sources, MM_SOURCES_MAX, &found, arena, NULL) != MM_OK)
			exit(1);
		times[count++] = now_ms() - began;
	}
	mm_arena_free(arena);
	return count;
}

int main(int argc, char **argv)
{
	const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : ARTICLES;
	double *times = calloc(SAMPLES_MAX, sizeof *times);
	struct mm_knowledge *knowledge = make_knowledge(count);
	size_t asked = 0;

	if (!times)
		return 1;
	for (int round = 0; round < ROUNDS; round++)
		asked = ask_all(knowledge, times, asked);
	qsort(times, asked, sizeof *times, compare_doubles);
	printf("%zu questions: median %.3f ms, p99 %.3f ms, worst %.3f ms\n", asked,
	       times[asked / 2], times[asked * 99 / 100], times[asked - 1]);
	mm_knowledge_free(knowledge);
	free(times);
	return 0;
}
