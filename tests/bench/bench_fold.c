/* bench_fold: prints what folding costs, in ns for each 100 characters. Not a test: it never fails
 * for being slow. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "text/fold.h"
#include "text/utf8.h"

enum { ROUNDS = 1000, BATCHES = 30 };

struct sample {
	const char *name;
	const char *text;
};

static const struct sample samples[] = {
    {"japanese",
     "先日注文した商品がまだ届きません。注文番号を確認していただけますか。サポートの対応には"
     "とても満足していますが、配送の状況がわからず少し困っています。お手数ですがよろしく"
     "お願いいたします。カタログの送付先も"},
    {"ascii",
     "My order has not arrived yet. Could you please check where the parcel is and tell me"},
    {"half_width", "ｺﾉﾊﾞｶﾔﾛｳ ﾌｻﾞｹﾙﾅ ｾｷﾆﾝｼｬｦﾀﾞｾ ﾊﾔｸｼﾛ"},
    {"evasive", "ば・ぁーーか 死 ね ｆ ｕ ｃ ｋ お前は、ば　か　だ！！！！ ㌔㍍ ﷺ が゙゙゙゙゙"},
};

static double cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds for one folding of the text, in the views asked for, over one batch. */
static double measure_batch(const char *text, size_t length, bool is_squeezed,
			    struct mm_arena *arena)
{
	struct mm_folded plain, squeezed;
	double began = cpu_ns();

	for (int i = 0; i < ROUNDS; i++) {
		mm_arena_reset(arena);
		if (mm_fold(text, length, MM_FOLD_PLAIN, &plain, arena, NULL) != MM_OK)
			return -1;
		if (is_squeezed && mm_fold_squeeze(&plain, &squeezed, arena, NULL) != MM_OK)
			return -1;
	}
	return (cpu_ns() - began) / ROUNDS;
}

/* The quietest batch: what the machine does beside is not folding's cost. */
static double measure(const char *text, size_t length, bool is_squeezed, struct mm_arena *arena)
{
	double least = measure_batch(text, length, is_squeezed, arena);

	for (int i = 1; i < BATCHES; i++) {
		double batch = measure_batch(text, length, is_squeezed, arena);
		if (batch < least)
			least = batch;
	}
	return least;
}

int main(void)
{
	struct mm_arena *arena = mm_arena_new(0);

	if (arena == NULL)
		return 1;
	printf("ns per 100 characters\n%-12s %8s %8s %8s\n", "text", "plain", "squeeze", "both");
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t length = strlen(samples[i].text);
		double scale = 100.0 / (double)mm_utf8_count(samples[i].text, length);
		double plain = measure(samples[i].text, length, false, arena) * scale;
		double both = measure(samples[i].text, length, true, arena) * scale;
		printf("%-12s %8.0f %8.0f %8.0f\n", samples[i].name, plain, both - plain, both);
	}
	mm_arena_free(arena);
	return 0;
}
