/* test_release: what may be shown of a reply that comes in parts, however it is cut. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/release.h"
#include "text/utf8.h"

#define PHONE "090-1234-5678"

static struct mm_arena *arena;
static struct mm_pii_mask *mask;
static struct mm_release release;
static const char *bad_end; /* the judge objects to what ends so; NULL: to nothing */

static bool is_good(void *context, const char *text, size_t length, size_t unknown)
{
	const size_t end = bad_end ? strlen(bad_end) : 0;
	(void)context;
	assert_true(mm_utf8_is_valid(text, length, NULL));
	if (unknown > 0)
		return false;
	return !bad_end || length < end || memcmp(text + length - end, bad_end, end) != 0;
}

static int set_up(void **state)
{
	const struct mm_release_judge judge = {.is_good = is_good};
	struct mm_pii_masked out;
	(void)state;
	bad_end = NULL;
	arena = mm_arena_new(0);
	mask = mm_pii_mask_new(arena);
	assert_int_equal(mm_pii_mask_text(mask, PHONE, strlen(PHONE), &out, NULL), MM_OK);
	assert_string_equal(out.text, "[PHONE_1]");
	mm_release_init(&release, mask, 0, &judge, arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

/* What these words let go, as a text. */
static const char *add(const char *words, size_t length)
{
	const char *part;
	size_t part_length;
	struct mm_error err = {.status = MM_OK};
	assert_int_equal(mm_release_add(&release, words, length, &part, &part_length, &err), MM_OK);
	assert_true(mm_utf8_is_valid(part, part_length, NULL));
	return mm_arena_strndup(arena, part, part_length);
}

static void assert_shows(const char *words, const char *want)
{
	assert_string_equal(add(words, strlen(words)), want);
}

static void harmless_words__go_at_once(void **state)
{
	(void)state;
	assert_shows("お問い", "お問い");
	assert_shows("", "");
	assert_shows("合わせ", "合わせ");
}

/* name is what it is; the words, with | where they are cut; what is shown, with | at the same cuts. */
static const struct row {
	const char *name, *words, *want;
} rows[] = {
    {"within the name", "は[PHO|NE_1]へ", "は|" PHONE "へ"},
    {"after the bracket", "は[|PHONE_1]へ", "は|" PHONE "へ"},
    {"before the end", "は[PHONE_1|]へ", "は|" PHONE "へ"},
    {"in the number", "は[PHONE_|1]", "は|" PHONE ""},
    {"another spelling", "【phone|_1】", "|" PHONE ""},
    {"no placeholder after all", "[PHO|TO]を", "|[PHOTO]を"},
    {"a bracket that is none", "[注|意]", "[注|意]"},
    {"a name in two kinds of cuts", "a[P|H|ONE_1|]b", "a|||" PHONE "b"},
    {"two of them", "[PHONE_1][PHO|NE_1]", PHONE "|" PHONE},
    {"brackets in brackets", "[[PHONE|_1]]", "[|" PHONE "]"},
    {"words after a number", "[PHONE_1番]|。", "[PHONE_1番]|。"},
    {"a full-width one", "［PHONE_1|］", "|" PHONE ""},
};

/* With two sources. */
static const struct row marks[] = {
    {"whole", "です[#1]。", "です。"},
    {"cut everywhere", "です| |[|#|1|]|。", "です||||||。"},
    {"several numbers", "a [#1|, |#2]|.", "a|||."},
    {"full-width", "です【＃|１】|。", "です||。"},
    {"spaces before no mark", "a | b", "a|  b"},
    {"no mark after all", "a [#1| b]", "a| [#1 b]"},
    {"a bracket that is none", "a [x| [#2]", "a [x|"},
    {"before a placeholder", "a[#1][PHO|NE_1]", "a|" PHONE},
    {"behind a placeholder", "[PHONE_1|][#1|]!", "|" PHONE "|!"},
};

static void assert_row(const struct row *row)
{
	const char *words = row->words, *want = row->want;
	for (;;) {
		const size_t length = strcspn(words, "|"), shown = strcspn(want, "|");
		const char *got = add(words, length);
		if (strlen(got) != shown || memcmp(got, want, shown) != 0)
			fail_msg("%s: \"%s\", not \"%.*s\"", row->name, got, (int)shown, want);
		if (words[length] == '\0')
			break;
		words += length + 1;
		want += shown + 1;
	}
}

static void placeholders__are_held_back_until_they_are_whole(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_row(&rows[i]);
		tear_down(state);
		set_up(state);
	}
}

static void marks_of_sources__are_taken_out_however_they_are_cut(void **state)
{
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		release.source_count = 2;
		assert_row(&marks[i]);
		tear_down(state);
		set_up(state);
	}
	assert_shows("です[#1]", "です[#1]");
}

static void characters__are_held_back_until_they_are_whole(void **state)
{
	static const char text[] = "荷😀é[PHONE_1]。";
	struct mm_buffer shown;
	(void)state;
	mm_buffer_init(&shown, 0, 0, arena);
	for (size_t i = 0; i < sizeof text - 1; i++)
		mm_buffer_add_text(&shown, add(text + i, 1));
	assert_string_equal(mm_buffer_text(&shown), "荷😀é" PHONE "。");
}

static void what_is_no_text__is_an_error(void **state)
{
	const char *part;
	size_t length;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	assert_int_equal(mm_release_add(&release, "\xFF\xFF\xFF\xFF", 4, &part, &length, &err),
			 MM_BAD_INPUT);
}

static void objection__holds_until_a_longer_text_is_good(void **state)
{
	(void)state;
	bad_end = "返金いたします";
	assert_shows("では、返金", "では、返金");
	assert_shows("いたします", "");
	assert_shows("場合", "いたします場合");
}

static void objection_that_stays__shows_nothing_more(void **state)
{
	(void)state;
	assert_shows("では、", "では、");
	assert_shows("[PHONE_2]へ", "");
	assert_shows("お電話します。", "");
}

static void forgotten__is_not_shown_later(void **state)
{
	(void)state;
	assert_false(mm_release_forget(&release));
	assert_shows("[PHO", "");
	assert_false(mm_release_forget(&release));
	assert_shows("[PHONE_7]", "");
	mm_release_forget(&release);
	assert_shows("はい[", "はい");
	assert_true(mm_release_forget(&release));
	assert_shows("いいえ", "いいえ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(harmless_words__go_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(placeholders__are_held_back_until_they_are_whole,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(marks_of_sources__are_taken_out_however_they_are_cut,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(characters__are_held_back_until_they_are_whole, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_text__is_an_error, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(objection__holds_until_a_longer_text_is_good, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(objection_that_stays__shows_nothing_more, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(forgotten__is_not_shown_later, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
