/*
 * Tests of lib/base/id.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

static int64_t fake_ms(void *self)
{
	return *(int64_t *)self;
}

static struct mm_id next(struct mm_id_source *source)
{
	struct mm_id id;

	assert_int_equal(mm_id_next(source, &id), MM_OK);
	return id;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mm_id));
}

static void next__is_version_7_at_the_clock(void **state)
{
	int64_t now = 0x0123456789AB;
	const struct mm_clock clock = {fake_ms, fake_ms, &now};
	struct mm_id_source *source = mm_id_source_new(&clock);
	struct mm_id id = next(source);

	(void)state;
	assert_int_equal(id.bytes[6] >> 4, 7);
	assert_int_equal(id.bytes[8] >> 6, 2);
	assert_memory_equal(id.bytes, "\x01\x23\x45\x67\x89\xAB", 6);
	assert_int_equal(mm_id_utc_ms(&id), now);
	mm_id_source_free(source);
}

static void next__clock_stands_or_goes_back__still_increases(void **state)
{
	int64_t now = 1795403045678;
	const struct mm_clock clock = {fake_ms, fake_ms, &now};
	struct mm_id_source *source = mm_id_source_new(&clock);
	struct mm_id last = next(source);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		if (i == 10000)
			now -= 3600000;
		struct mm_id id = next(source);
		if (compare(&last, &id) >= 0)
			fail_msg("id %d is not greater than the one before", i);
		last = id;
	}
	/* 20000 ids in one millisecond: the time inside ran ahead by ten at most. */
	assert_in_range(mm_id_utc_ms(&last), 1795403045678, 1795403045688);
	now = 1795403099999;
	struct mm_id id = next(source);
	assert_int_equal(mm_id_utc_ms(&id), now);
	mm_id_source_free(source);
}

enum { THREADS = 4, PER_THREAD = 5000 };

struct maker {
	struct mm_id_source *source;
	struct mm_id ids[PER_THREAD];
};

static void *make_ids(void *argument)
{
	struct maker *maker = argument;

	for (int i = 0; i < PER_THREAD; i++) {
		if (mm_id_next(maker->source, &maker->ids[i]) != MM_OK)
			return maker;
	}
	return NULL;
}

static void next__from_threads__is_unique(void **state)
{
	static struct maker makers[THREADS];
	static struct mm_id all[THREADS * PER_THREAD];
	struct mm_id_source *source = mm_id_source_new(&mm_clock_system);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		makers[i].source = source;
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, &makers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
		memcpy(all + (size_t)i * PER_THREAD, makers[i].ids, sizeof(makers[i].ids));
	}
	qsort(all, THREADS * PER_THREAD, sizeof(all[0]), compare);
	for (int i = 1; i < THREADS * PER_THREAD; i++)
		assert_false(mm_id_is_equal(&all[i - 1], &all[i]));
	mm_id_source_free(source);
}

static void fixed__same_seed__same_ids(void **state)
{
	struct mm_id_source *one = mm_id_source_new_fixed(7);
	struct mm_id_source *same = mm_id_source_new_fixed(7);
	struct mm_id_source *other = mm_id_source_new_fixed(8);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct mm_id a = next(one), b = next(same), c = next(other);
		assert_true(mm_id_is_equal(&a, &b));
		assert_false(mm_id_is_equal(&a, &c));
		assert_int_equal(mm_id_utc_ms(&a), 1767225600000 + i);
	}
	mm_id_source_free(one);
	mm_id_source_free(same);
	mm_id_source_free(other);
}

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
} texts[] = {
    {"01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"},
    {"01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5d-ac96-774b-bcce-b302099a8057"},
    {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
    {"ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    {"f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b-58cc-4372-a567-0e02b2c3d479"},
    {"", NULL},
    {"01890a5dac96774bbcceb302099a8057", NULL},
    {"{01890a5d-ac96-774b-bcce-b302099a8057}", NULL},
    {"01890a5d-ac96-774b-bcce-b302099a805", NULL},
    {"01890a5d-ac96-774b-bcce-b302099a80577", NULL},
    {"01890a5d-ac96-774b-bcce-b302099a805g", NULL},
    {"01890a5d-ac96-774b-bcce-b302099a805@", NULL},
    {"01890a5d-ac96-774b-bcce-b302099a805`", NULL},
    {"01890a5d-ac96-774b-bcce_b302099a8057", NULL},
    {"0-890a5d-ac96-774b-bcce-b302099a8057", NULL},
    {"01890a5dac-96-774b-bcce-b302099a8057", NULL},
    {" 1890a5d-ac96-774b-bcce-b302099a8057", NULL},
};

static void parse__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mm_id id;
		char text[MM_ID_TEXT] = "untouched";
		bool is_good;

		memset(&id, 0x5A, sizeof(id));
		is_good = mm_id_parse(texts[i].text, strlen(texts[i].text), &id);
		if (is_good)
			mm_id_format(&id, text);
		if (is_good != (texts[i].want != NULL) ||
		    (is_good && strcmp(text, texts[i].want) != 0) ||
		    (!is_good && id.bytes[0] != 0x5A))
			fail_msg("\"%s\": %d, %s", texts[i].text, is_good, text);
	}
}

static void utc__only_of_version_7(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
	    {"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 1645557742000}, /* RFC 9562, A.6 */
	    {"ffffffff-ffff-7fff-bfff-ffffffffffff", 281474976710655},
	    {"f47ac10b-58cc-4372-a567-0e02b2c3d479", -1},
	    {"017f22e2-79b0-7cc3-58c4-dc0c0c07398f", -1},
	    {"017f22e2-79b0-7cc3-d8c4-dc0c0c07398f", -1},
	    {"00000000-0000-0000-0000-000000000000", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_id id;

		assert_true(mm_id_parse(rows[i].text, strlen(rows[i].text), &id));
		if (mm_id_utc_ms(&id) != rows[i].want)
			fail_msg("%s: %jd", rows[i].text, (intmax_t)mm_id_utc_ms(&id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(next__is_version_7_at_the_clock),
	    cmocka_unit_test(next__clock_stands_or_goes_back__still_increases),
	    cmocka_unit_test(next__from_threads__is_unique),
	    cmocka_unit_test(fixed__same_seed__same_ids),
	    cmocka_unit_test(parse__table),
	    cmocka_unit_test(utc__only_of_version_7),
	};

	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
