/*
 * Tests of lib/text/fold: both views, offsets, patterns, and that time stays linear.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "text/fold.h"
#include "text/utf8.h"

struct row {
	const char *source, *want;
};

static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static void check_rows(const struct row *rows, size_t count, enum mm_fold_view view)
{
	struct mm_folded folded;

	for (size_t i = 0; i < count; i++) {
		mm_arena_reset(arena);
		enum mm_status status =
		    mm_fold(rows[i].source, strlen(rows[i].source), view, &folded, arena, NULL);
		if (status != MM_OK || strcmp(folded.text, rows[i].want) != 0 ||
		    folded.length != strlen(rows[i].want) ||
		    folded.source_code_points !=
			mm_utf8_count(rows[i].source, strlen(rows[i].source)))
			fail_msg("row %zu \"%s\": \"%s\", not \"%s\"", i, rows[i].source,
				 status == MM_OK ? folded.text : "error", rows[i].want);
	}
}

static const struct row plain_rows[] = {
    {"", ""},
    {"おはよう", "おはよう"},
    {"カタカナ", "かたかな"},
    {"ヴァイオリン", "ゔぁいおりん"},
    {"ﾊﾞｶ", "ばか"},
    {"ﾊﾟﾝﾀﾞ", "ぱんだ"},
    {"か\u3099き\u3099", "がぎ"},
    {"は\u309Aは\u3099", "ぱば"},
    {"か゛さ゛", "がざ"},
    {"は゜", "ぱ"},
    {"う゛", "ゔ"},
    {"つ\u3099て\u3099と\u3099ち\u3099", "づでどぢ"},
    {"っ\u3099", "っ"},
    {"あ゛あ゛", "ああ"},
    {"が\u3099", "が"},
    {"ゝ\u3099々ヽヾ", "ゞ々ゝゞ"},
    {"ヷヸヹヺ", "わゐゑを"},
    {"ㇰㇱㇷ", "くしふ"},
    {"ＡＢＣａｂｃ１２３！？", "abcabc123!?"},
    {"Ⓕⓤⓒⓚ", "fuck"},
    {"𝐟𝓾𝕔𝖐", "fuck"},
    {"🅵🆄🅲🅺", "fuck"},
    {"ᴋɪʟʟ", "kill"},
    {"ｋｉｌｌ", "kill"},
    {"㋕㋜", "かす"},
    {"㌔", "きろ"},
    {"㍿", "株式会社"},
    {"Straße", "strasse"},
    {"Ünïcödé", "unicode"},
    {"İstanbul", "istanbul"},
    {"fu\u0301\u0302\u0336ck", "fuck"},
    {"ば\u200Bか\u200D", "ばか"},
    {"b\u00ADa\u2060k\uFEFFa", "baka"},
    {"死\uFE0Fね\U000E0100", "死ね"},
    {"\u202Eばか\u202C", "ばか"},
    {"a\x01"
     "b\x7F",
     "ab"},
    {"a  b　c\t\td", "a b c d"},
    {"a \n b\r\nc", "a\nb\nc"},
    {"a\u2028b", "a\nb"},
    {"a\u200B \u200B b", "a b"},
    {"ばーか", "ばーか"},
    {"ば―か", "ばーか"},
    {"ば〜〜か", "ばーーか"},
    {"ば～か", "ばーか"},
    {"ば－か", "ばーか"},
    {"ﾊﾞｰｶ", "ばーか"},
    {"ば~か", "ばーか"},
    {"ば-か", "ば-か"},
    {"東京～大阪", "東京~大阪"},
    {"10〜20", "10〜20"},
    {"１－２", "1-2"},
    {"😀👨‍👩‍👧", "😀👨👩👧"},
    {"\uFDFA", "\uFDFA"},
    {"…", "..."},
    {"⼈", "人"},
    {"й", "и"},
    {"한국", "한국"},
    {"\u0301ばか", "ばか"},
    {"。｡、､", "。。、、"},
    {"「」｢｣", "「」「」"},
};

static void plain__table(void **state)
{
	(void)state;
	check_rows(plain_rows, sizeof(plain_rows) / sizeof(plain_rows[0]), MM_FOLD_PLAIN);
}

static const struct row squeezed_rows[] = {
    {"", ""},
    {"ばか", "ばか"},
    {"ばーか", "ばか"},
    {"ばぁーーか", "ばか"},
    {"ばぁか", "ばか"},
    {"ばあか", "ばあか"},
    {"ばああか", "ばか"},
    {"ばあーか", "ばか"},
    {"ばーあか", "ばか"},
    {"バカァァァ", "ばか"},
    {"いいえ", "いいえ"},
    {"かわいい", "かわいい"},
    {"ああああ", "あ"},
    {"ちょっと", "ちよつと"},
    {"ゎヶヵ", "わけか"},
    {"しねええええ", "しね"},
    {"wwwww", "w"},
    {"ww", "ww"},
    {"fuuuuck", "fuck"},
    {"!!!!", "!"},
    {"！！", "!!"},
    {"ば・か", "ばか"},
    {"死 ね", "死ね"},
    {"死\nね", "死ね"},
    {"死、、、ね", "死ね"},
    {"し。ね。", "しね。"},
    {"f u c k", "fuck"},
    {"f.u.c.k you", "fuck you"},
    {"f-u_c*k", "fuck"},
    {"お前は死 ね", "お前は死ね"},
    {"このバ・カ野郎", "このばか野郎"},
    {"この バカ 野郎", "この ばか 野郎"},
    {"kill you", "kill you"},
    {"I am", "i am"},
    {"届きません。しね", "届きません。しね"},
    {"遅れれば、かなり困る", "遅れれば、かなり困る"},
    {"なければ...かなり", "なければ.かなり"},
    {"ば😀か", "ばか"},
    {"ば a か", "ば a か"},
    {"ば・あ・あ・か", "ばか"},
    {"ば  ・  か", "ばか"},
    {"ばー・かー", "ばか"},
    {"・・・", "・"},
    {"aaab", "ab"},
};

static void squeezed__table(void **state)
{
	(void)state;
	check_rows(squeezed_rows, sizeof(squeezed_rows) / sizeof(squeezed_rows[0]),
		   MM_FOLD_SQUEEZED);
}

/* A folded text is looked for, and the slice of the source that its offsets name is compared. */
static const struct {
	const char *source;
	enum mm_fold_view view;
	const char *find, *want;
} slices[] = {
    {"ばか", MM_FOLD_PLAIN, "ばか", "ばか"},
    {"😀ばか😀", MM_FOLD_PLAIN, "ばか", "ばか"},
    {"👨‍👩‍👧バカ", MM_FOLD_PLAIN, "ばか", "バカ"},
    {"👨‍👩‍👧バカ", MM_FOLD_PLAIN, "👩", "👩"},
    {"xﾊﾞｶy", MM_FOLD_PLAIN, "ばか", "ﾊﾞｶ"},
    {"xﾊﾞｶﾞy", MM_FOLD_PLAIN, "ばが", "ﾊﾞｶﾞ"},
    {"xﾊﾞｶy", MM_FOLD_PLAIN, "か", "ｶ"},
    {"xﾊﾞｶy", MM_FOLD_PLAIN, "ば", "ﾊﾞ"},
    {"か\u3099く", MM_FOLD_PLAIN, "が", "か\u3099"},
    {"か\u200B\u3099く", MM_FOLD_PLAIN, "が", "か\u200B\u3099"},
    {"か\u200Bく", MM_FOLD_PLAIN, "か", "か"},
    {"か\u200Bく", MM_FOLD_PLAIN, "く", "く"},
    {"ば\u200Bか", MM_FOLD_PLAIN, "ばか", "ば\u200Bか"},
    {"\u200Bばか\u200B", MM_FOLD_PLAIN, "ばか", "ばか"},
    {"ば\u0336か\u0336だ", MM_FOLD_PLAIN, "ばか", "ば\u0336か\u0336"},
    {"e\u0301\u0302f", MM_FOLD_PLAIN, "e", "e\u0301\u0302"},
    {"❤\uFE0Fばか", MM_FOLD_PLAIN, "❤", "❤\uFE0F"},
    {"❤\uFE0Fばか", MM_FOLD_PLAIN, "ばか", "ばか"},
    {"5㌔だ", MM_FOLD_PLAIN, "きろ", "㌔"},
    {"5㌔だ", MM_FOLD_PLAIN, "ろ", "㌔"},
    {"5㌔だ", MM_FOLD_PLAIN, "だ", "だ"},
    {"㍿×", MM_FOLD_PLAIN, "会社", "㍿"},
    {"a 　 b", MM_FOLD_PLAIN, " ", " 　 "},
    {"a\r\nb", MM_FOLD_PLAIN, "\n", "\r\n"},
    {"a \u200B b", MM_FOLD_PLAIN, "b", "b"},
    {"ß死ね", MM_FOLD_PLAIN, "死ね", "死ね"},
    {"…死ね", MM_FOLD_PLAIN, "死ね", "死ね"},
    {"𝐟𝐮𝐜𝐤!", MM_FOLD_PLAIN, "fuck", "𝐟𝐮𝐜𝐤"},
    {"ば～か", MM_FOLD_PLAIN, "ばーか", "ば～か"},
    {"x\U000E0100死ね", MM_FOLD_PLAIN, "死ね", "死ね"},
    {"🇯🇵死ね", MM_FOLD_PLAIN, "死ね", "死ね"},
    {"👍🏽死ね", MM_FOLD_PLAIN, "死ね", "死ね"},
    {"お前はば・か だ", MM_FOLD_SQUEEZED, "ばか", "ば・か"},
    {"x死　ね！", MM_FOLD_SQUEEZED, "死ね", "死　ね"},
    {"ばぁーーか！", MM_FOLD_SQUEEZED, "ばか", "ばぁーーか"},
    {"😀ﾊﾞｰ\u200Bｶ", MM_FOLD_SQUEEZED, "ばか", "ﾊﾞｰ\u200Bｶ"},
    {"f  u\u0301 c k off", MM_FOLD_SQUEEZED, "fuck", "f  u\u0301 c k"},
    {"ばかかかか", MM_FOLD_SQUEEZED, "ばか", "ばか"},
    {"し㌔ね", MM_FOLD_SQUEEZED, "ね", "ね"},
    {"ちょっと", MM_FOLD_SQUEEZED, "ちよ", "ちょ"},
    {"🔪し🔪ね🔪", MM_FOLD_SQUEEZED, "しね", "し🔪ね"},
};

static void offsets__slice_of_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		const char *source = slices[i].source;
		size_t length = strlen(source);
		struct mm_folded folded;
		mm_arena_reset(arena);
		assert_int_equal(mm_fold(source, length, slices[i].view, &folded, arena, NULL),
				 MM_OK);
		const char *found = strstr(folded.text, slices[i].find);
		if (found == NULL)
			fail_msg("row %zu \"%s\": no \"%s\" in \"%s\"", i, source, slices[i].find,
				 folded.text);
		size_t at = (size_t)(found - folded.text);
		size_t from = mm_utf8_offset(source, length, folded.start[at]);
		size_t to =
		    mm_utf8_offset(source, length, folded.end[at + strlen(slices[i].find) - 1]);
		char *slice = mm_arena_strndup(arena, source + from, to - from);
		if (strcmp(slice, slices[i].want) != 0)
			fail_msg("row %zu \"%s\": \"%s\", not \"%s\"", i, source, slice,
				 slices[i].want);
	}
}

static const struct {
	const char *source, *find;
	bool want;
} changes[] = {
    {"ばか", "ばか", false},          {"ちょっとばか", "ばか", false}, {"ばーか", "ばか", true},
    {"ちょっとば・か", "ばか", true}, {"死 ねちょっと", "死ね", true}, {"ばかーー", "ばか", false},
    {"バカ、あの", "ばか", false},    {"㌔ばか", "ばか", false},       {"fuuuck", "fuck", true},
};

static void span_is_changed__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct mm_folded plain, squeezed;
		mm_arena_reset(arena);
		assert_int_equal(mm_fold(changes[i].source, strlen(changes[i].source),
					 MM_FOLD_PLAIN, &plain, arena, NULL),
				 MM_OK);
		assert_int_equal(mm_fold_squeeze(&plain, &squeezed, arena, NULL), MM_OK);
		const char *found = strstr(squeezed.text, changes[i].find);
		assert_non_null(found);
		size_t at = (size_t)(found - squeezed.text);
		if (mm_fold_span_is_changed(&plain, &squeezed, at, at + strlen(changes[i].find)) !=
		    changes[i].want)
			fail_msg("row %zu \"%s\"", i, changes[i].source);
		assert_int_equal(squeezed.is_changed, strcmp(plain.text, squeezed.text) != 0);
	}
}

static const struct {
	const char *pattern, *plain, *squeezed;
} patterns[] = {
    {"", "", ""},
    {"バカ", "ばか", "ばか"},
    {"ﾊﾞｶ", "ばか", "ばか"},
    {"KILL|Die", "kill|die", "kill|die"},
    {"(バカ|アホ)+野郎", "(ばか|あほ)+野郎", "(ばか|あほ)+野郎"},
    {"\\bKill\\b", "\\bkill\\b", "\\bkill\\b"},
    {"\\B\\D\\W\\S", "\\B\\D\\W\\S", "\\B\\D\\W\\S"},
    {"\\x{3042}ア", "\\x{3042}あ", "\\x{3042}あ"},
    {"\\p{Han}ア", "\\p{Han}あ", "\\p{Han}あ"},
    {"[アイウ]", "[あいう]", "[あいう]"},
    {"[ァ-ン]", "[ぁ-ん]", "[あ-ん]"},
    {"[^ァ-ン]", "[^ぁ-ん]", "[^あ-ん]"},
    {"[A-Za-z]", "[a-za-z]", "[a-za-z]"},
    {"[[:alpha:]A]", "[[:alpha:]a]", "[[:alpha:]a]"},
    {"[]A]", "[\\]a]", "[\\]a]"},
    {"ば[ー〜]*か", "ば[ー〜]*か", "ば[〜]*か"},
    {"ば[ー]*か", "ば[ー]*か", "ばか"},
    {"ば[^ー]か", "ば[^ー]か", "ば.か"},
    {"バー*カ", "ばー*か", "ばか"},
    {"バー+カ", "ばー+か", "ばか"},
    {"バー{1,3}カ", "ばー{1,3}か", "ばか"},
    {"バー*?カ", "ばー*?か", "ばか"},
    {"バ〜+カ", "ばー+か", "ばか"},
    {"バカァ?", "ばかぁ?", "ばか"},
    {"ﾊﾞ?", "ば?", "ば?"},
    {"㌔+", "(?:きろ)+", "(?:きろ)+"},
    {"本気か？", "本気か\\?", "本気か\\?"},
    {"（笑）", "\\(笑\\)", "\\(笑\\)"},
    {"[＾－］]", "[\\^\\-\\]]", "[\\^\\-\\]]"},
    {"A.{0,12}B", "a.{0,12}b", "a.{0,12}b"},
    {"A{2}B{3,}", "a{2}b{3,}", "a{2}b{3,}"},
    {"{A}", "\\{a\\}", "\\{a\\}"},
    {"(?:ア|イ)", "(?:あ|い)", "(?:あ|い)"},
    {"(?i)ABC", "(?i)abc", "(?i)abc"},
    {"(?i:ABC)", "(?i:abc)", "(?i:abc)"},
    {"^ア$", "^あ$", "^あ$"},
    {"っ", "っ", "つ"},
    {"ふざけんなっ+", "ふざけんなっ+", "ふざけんなつ+"},
    {"\\.ア", "\\.あ", "\\.あ"},
};

static void pattern__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		char *plain = NULL, *squeezed = NULL;
		size_t length = strlen(patterns[i].pattern);
		mm_arena_reset(arena);
		mm_fold_pattern(patterns[i].pattern, length, MM_FOLD_PLAIN, &plain, arena, NULL);
		mm_fold_pattern(patterns[i].pattern, length, MM_FOLD_SQUEEZED, &squeezed, arena,
				NULL);
		if (plain == NULL || strcmp(plain, patterns[i].plain) != 0 || squeezed == NULL ||
		    strcmp(squeezed, patterns[i].squeezed) != 0)
			fail_msg("row %zu \"%s\": \"%s\" and \"%s\"", i, patterns[i].pattern, plain,
				 squeezed);
	}
}

static void pattern__broken__is_bad_input(void **state)
{
	static const char *const broken[] = {"[ア", "ア\\", "\xFF", "[[:alpha", "\\x{30", "["};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char *out = NULL;
		struct mm_error error;
		if (mm_fold_pattern(broken[i], strlen(broken[i]), MM_FOLD_PLAIN, &out, arena,
				    &error) != MM_BAD_INPUT ||
		    out != NULL)
			fail_msg("row %zu", i);
	}
}

static void invalid_utf8__is_bad_input(void **state)
{
	static const char *const broken[] = {"\xFF",         "ばか\x80", "\xE3\x81",
					     "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct mm_folded folded = {.length = 77};
		struct mm_error error;
		if (mm_fold(broken[i], strlen(broken[i]), MM_FOLD_PLAIN, &folded, arena, &error) !=
			MM_BAD_INPUT ||
		    folded.length != 77)
			fail_msg("row %zu", i);
	}
}

static void null_text__length_0__is_empty(void **state)
{
	struct mm_folded folded;

	(void)state;
	assert_int_equal(mm_fold(NULL, 0, MM_FOLD_SQUEEZED, &folded, arena, NULL), MM_OK);
	assert_string_equal(folded.text, "");
}

static void arena__too_small__is_no_memory(void **state)
{
	struct mm_arena *small = mm_arena_new(16 * 1024);
	char text[9000];
	struct mm_folded folded;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(mm_fold(text, sizeof(text), MM_FOLD_PLAIN, &folded, small, NULL),
			 MM_NO_MEMORY);
	mm_arena_free(small);
}

/* What must hold for any text. */
static void check_invariants(const struct mm_folded *folded, const char *name)
{
	size_t bad_offset;

	if (!mm_utf8_is_valid(folded->text, folded->length, &bad_offset))
		fail_msg("%s: folded text is not UTF-8", name);
	for (size_t i = 0; i < folded->length; i++) {
		bool is_tail = ((unsigned char)folded->text[i] & 0xC0) == 0x80;
		if (folded->start[i] >= folded->end[i] ||
		    folded->end[i] > folded->source_code_points ||
		    (i > 0 && (folded->start[i] < folded->start[i - 1] ||
			       folded->end[i] < folded->end[i - 1])) ||
		    (is_tail && (folded->start[i] != folded->start[i - 1] ||
				 folded->end[i] != folded->end[i - 1])))
			fail_msg("%s: place of byte %zu", name, i);
	}
}

/* Every code point there is, alone and in company, keeps the invariants and comes to rest. */
static void every_code_point__keeps_invariants(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		char text[16] = "か";
		size_t size = mm_utf8_encode(c, text + 3);
		struct mm_folded once, twice, squeezed;
		char name[16];
		if (size == 0)
			continue;
		memcpy(text + 3 + size, "ば", 3);
		snprintf(name, sizeof(name), "U+%04X", (unsigned)c);
		mm_arena_reset(arena);
		assert_int_equal(mm_fold(text, size + 6, MM_FOLD_PLAIN, &once, arena, NULL), MM_OK);
		assert_int_equal(mm_fold_squeeze(&once, &squeezed, arena, NULL), MM_OK);
		assert_int_equal(
		    mm_fold(once.text, once.length, MM_FOLD_PLAIN, &twice, arena, NULL), MM_OK);
		check_invariants(&once, name);
		check_invariants(&squeezed, name);
		if (strcmp(once.text, twice.text) != 0 && c != 0xFF0D && c != 0xFE63)
			fail_msg("%s: \"%s\" folds further to \"%s\"", name, once.text, twice.text);
	}
}

enum { LONG_TEXT = 10000 };

/* CPU seconds for a text of one unit repeated. */
static double fold_seconds(const char *unit, size_t repeats)
{
	size_t size = strlen(unit);
	char *text = malloc(size * repeats + 1);
	struct mm_folded plain, squeezed;
	clock_t began = clock();

	assert_non_null(text);
	for (size_t i = 0; i < repeats; i++)
		memcpy(text + i * size, unit, size);
	mm_arena_reset(arena);
	assert_int_equal(mm_fold(text, size * repeats, MM_FOLD_PLAIN, &plain, arena, NULL), MM_OK);
	assert_int_equal(mm_fold_squeeze(&plain, &squeezed, arena, NULL), MM_OK);
	check_invariants(&plain, unit);
	check_invariants(&squeezed, unit);
	free(text);
	return (double)(clock() - began) / CLOCKS_PER_SEC;
}

static void long_text__takes_linear_time(void **state)
{
	static const char *const units[] = {
	    "\uFDFA", "\u0301",   "か\u3099", "㌖", "ー",     "あ",  "あー",   "ば・",
	    "a ",     "・",       " ",        "\n", "\u200B", "a",   "。ね",   "ば。",
	    "😀",      "か\u0301", "っ",       "㍿", "ﾊﾞ",     "あ ", "ーあ・",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double seconds = fold_seconds(units[i], 10 * LONG_TEXT);
		/* Quadratic would be minutes; linear is milliseconds, also under a sanitizer. */
		if (seconds > 2.0)
			fail_msg("unit \"%s\": %.2f s", units[i], seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain__table),
	    cmocka_unit_test(squeezed__table),
	    cmocka_unit_test(offsets__slice_of_source),
	    cmocka_unit_test(span_is_changed__table),
	    cmocka_unit_test(pattern__table),
	    cmocka_unit_test(pattern__broken__is_bad_input),
	    cmocka_unit_test(invalid_utf8__is_bad_input),
	    cmocka_unit_test(null_text__length_0__is_empty),
	    cmocka_unit_test(arena__too_small__is_no_memory),
	    cmocka_unit_test(every_code_point__keeps_invariants),
	    cmocka_unit_test(long_text__takes_linear_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
