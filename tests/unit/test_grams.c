/* Tests of lib/detect/grams: what of a message the grams are made of, and where it came from. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include "detect/grams.h"

enum { ROOM = 64 };

static const struct {
	const char *name;
	const char32_t *text, *read;
	uint32_t last_place; /* of the last character read */
} rows[] = {
    {"words are left alone", U"call me back", U"call me back", 11},
    {"digits in a row are one", U"あと30分で", U"あと0分で", 5},
    {"each row of digits", U"3時から12時", U"0時から0時", 6},
    {"an order number", U"ORD-12345です", U"0です", 10},
    {"a date", U"on 2026-11-26.", U"on 0.", 13},
    {"an amount", U"12,800円", U"0円", 6},
    {"an identifier", U"x 550e8400-e29b-41d4-a716-446655440000", U"x 0", 2},
    {"an address of a page", U"https://shop.example/item?id=48213 見て", U"0 見て", 36},
    {"few digits do not hide a word", U"you 1d10t", U"you 0d0t", 8},
    {"a joint at the end stays", U"1234-", U"0-", 4},
    {"a joint alone", U"-- /", U"-- /", 3},
    {"a new line is a blank", U"a\nb", U"a b", 2},
    {"nothing", U"", U"", 0},
};

static uint32_t length_of(const char32_t *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	return length;
}

static void text__each_kind__is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t out[ROOM], again[ROOM], places[ROOM];
		const uint32_t wanted = length_of(rows[i].read),
			       length =
				   mm_gram_text(rows[i].text, length_of(rows[i].text), out, places);

		if (length != wanted || memcmp(out, rows[i].read, wanted * sizeof(*out)) != 0)
			fail_msg("%s: %u characters", rows[i].name, length);
		if (length > 0 && places[length - 1] != rows[i].last_place)
			fail_msg("%s: the last came from %u", rows[i].name, places[length - 1]);
		if (mm_gram_text(out, length, again, NULL) != length ||
		    memcmp(again, out, length * sizeof(*out)) != 0)
			fail_msg("%s: reads otherwise the second time", rows[i].name);
	}
}

static void text__in_its_own_room__is_read(void **state)
{
	uint32_t text[] = {U'あ', U'1', U'2', U'い'};

	(void)state;
	assert_int_equal(mm_gram_text(text, 4, text, NULL), 3);
	assert_int_equal(text[1], '0');
	assert_int_equal(text[2], U'い');
}

/* What mm_grams_each was asked to visit. */
struct visits {
	unsigned of_length[4], longest;
};

static bool visit(void *self, uint64_t hash, unsigned length, uint32_t at)
{
	struct visits *visits = self;

	(void)hash;
	visits->of_length[length]++;
	return at > 0 || length < visits->longest;
}

static void each__refused__is_not_made_longer(void **state)
{
	const uint32_t text[] = {U'a', U'b'};
	struct visits all = {.longest = 9}, cut = {.longest = 1};

	(void)state;
	mm_grams_each(text, 2, 3, visit, &all);
	mm_grams_each(text, 2, 3, visit, &cut);
	/* ^ a b $: four, three and two; without those that begin at the mark */
	assert_memory_equal(all.of_length, ((unsigned[]){0, 4, 3, 2}), sizeof(all.of_length));
	assert_memory_equal(cut.of_length, ((unsigned[]){0, 4, 2, 1}), sizeof(cut.of_length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text__each_kind__is_read),
	    cmocka_unit_test(text__in_its_own_room__is_read),
	    cmocka_unit_test(each__refused__is_not_made_longer),
	};

	return cmocka_run_group_tests_name("grams", tests, NULL, NULL);
}
