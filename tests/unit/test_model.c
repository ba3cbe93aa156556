/*
 * Tests of lib/detect/model: what a file may hold, and how grams add up. The model is made here, of
 * three grams, so that every number can be worked out by hand.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detect/grams.h"
#include "detect/model.h"
#include "folder.h"

enum { SLOT_BITS = 4, GRAMS = 3, SLOTS = 1 << SLOT_BITS };

/* A file as tools/train writes it. */
struct file {
	struct mm_model_header header;
	uint32_t slots[SLOTS];
	int8_t main[GRAMS][MM_MODEL_MAIN];
	int8_t categories[GRAMS][MM_MODEL_CATEGORIES];
};

enum { FILE_BYTES = sizeof(struct mm_model_header) + SLOTS * 4 + GRAMS * (8 + 12) };

/* The grams: あ, い, and あい. */
static const uint32_t texts[GRAMS][2] = {{U'あ', 0}, {U'い', 0}, {U'あ', U'い'}};

static void put_gram(struct file *file, uint32_t row)
{
	uint64_t hash = mm_gram_extend(0, texts[row][0]);
	uint32_t at;

	if (texts[row][1])
		hash = mm_gram_extend(hash, texts[row][1]);
	for (at = mm_model_slot(hash, SLOT_BITS); file->slots[at]; at = (at + 1) % SLOTS)
		continue;
	file->slots[at] = mm_model_tag(hash, SLOT_BITS) << 16 | (row + 1);
}

static void seal(struct file *file)
{
	const char *body = (const char *)file + sizeof(file->header);

	file->header.checksum = mm_model_checksum(body, FILE_BYTES - sizeof(file->header));
}

static struct file *make_file(void)
{
	struct file *file = calloc(1, sizeof(*file) + 1); /* one more, to parse too much */

	assert_non_null(file);
	memcpy(file->header.magic, "mm-model", 8);
	file->header.version = MM_MODEL_VERSION;
	file->header.slot_bits = SLOT_BITS;
	file->header.gram_count = GRAMS;
	file->header.longest = 2;
	file->header.bias[MM_OUTPUT_HARASSMENT] = -1.0f;
	file->header.scale[MM_OUTPUT_HARASSMENT] = 0.5f;
	file->header.category_bias[2] = 0.25f;
	file->header.category_scale[2] = 0.125f;
	for (uint32_t row = 0; row < GRAMS; row++)
		put_gram(file, row);
	file->main[0][MM_OUTPUT_HARASSMENT] = 4;
	file->main[1][MM_OUTPUT_HARASSMENT] = -3;
	file->main[2][MM_OUTPUT_HARASSMENT] = 6;
	file->categories[2][2] = 8;
	seal(file);
	return file;
}

static enum mm_status parse(const struct file *file, size_t length, struct mm_model **out)
{
	struct mm_error err = {.status = MM_OK};

	return mm_model_parse("test", (const char *)file, length, out, &err);
}

static void break_magic(struct file *file)
{
	file->header.magic[0] = 'x';
}

static void break_version(struct file *file)
{
	file->header.version++;
}

static void break_language(struct file *file)
{
	file->header.language = MM_MODEL__MAX;
}

static void break_slot_bits(struct file *file)
{
	file->header.slot_bits = 40;
}

static void break_gram_count(struct file *file)
{
	file->header.gram_count = UINT32_MAX;
}

static void break_longest(struct file *file)
{
	file->header.longest = 1000;
}

static void break_weight(struct file *file)
{
	file->main[1][3] ^= 1;
}

static void point_beyond_the_rows(struct file *file)
{
	for (int i = 0; i < SLOTS; i++)
		if (file->slots[i])
			file->slots[i] |= 0xffff;
	seal(file);
}

static void leave_no_slot_free(struct file *file)
{
	for (int i = 0; i < SLOTS; i++)
		if (!file->slots[i])
			file->slots[i] = 0x10001;
	seal(file);
}

static const struct {
	const char *name;
	void (*apply)(struct file *file);
} faults[] = {
    {"magic", break_magic},
    {"version", break_version},
    {"language", break_language},
    {"slot bits", break_slot_bits},
    {"gram count", break_gram_count},
    {"longest", break_longest},
    {"a weight", break_weight},
    {"a row that is not there", point_beyond_the_rows},
    {"no free slot, so that a search never ends", leave_no_slot_free},
};

static void parse__each_fault__is_bad_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct file *file = make_file();
		struct mm_model *model = NULL;

		faults[i].apply(file);
		if (parse(file, FILE_BYTES, &model) != MM_BAD_INPUT || model)
			fail_msg("%s: was not refused", faults[i].name);
		free(file);
	}
}

static void parse__cut_or_longer__is_bad_input(void **state)
{
	struct file *file = make_file();
	struct mm_model *model = NULL;

	(void)state;
	for (size_t length = 0; length < FILE_BYTES; length++)
		assert_int_equal(parse(file, length, &model), MM_BAD_INPUT);
	assert_int_equal(parse(file, FILE_BYTES + 1, &model), MM_BAD_INPUT);
	assert_null(model);
	free(file);
}

static void load__no_file__is_not_found(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_model *model = NULL;

	(void)state;
	assert_int_equal(mm_model_load("/nonexistent/ja.model", &model, &err), MM_NOT_FOUND);
	assert_non_null(strstr(err.cause, "/nonexistent/ja.model"));
}

static const struct {
	const char *name;
	uint32_t text[6];
	double harassment, strongest, category;
	uint32_t first, last;
} scores[] = {
    {"nothing", {0}, -1.0, 0.0, 0.25, 0, 0},
    {"one gram", {U'あ'}, 1.0, 2.0, 0.25, 0, 1},
    {"a gram counts once", {U'あ', U'う', U'あ'}, 1.0, 4.0, 0.25, 0, 3},
    {"a longer gram and its parts", {U'う', U'あ', U'い'}, 2.5, 5.0, 1.25, 1, 2},
    {"the best stretch leaves out what lowers it", {U'い', U'い', U'あ'}, -0.5, 2.0, 0.25, 2, 3},
    {"digits are one character", {U'1', U'あ', U'9'}, 1.0, 2.0, 0.25, 1, 2},
    {"places are the message's own", {U'1', U'2', U'3', U'あ', U'9'}, 1.0, 2.0, 0.25, 3, 4},
};

static void score__each_text__adds_up(void **state)
{
	struct file *file = make_file();
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_model *model;

	(void)state;
	assert_int_equal(parse(file, FILE_BYTES, &model), MM_OK);
	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
		struct mm_model_score score;
		double categories[MM_MODEL_CATEGORIES];
		uint32_t count = 0;

		while (count < 6 && scores[i].text[count])
			count++;
		assert_int_equal(mm_model_score(model, scores[i].text, count, &score, arena, NULL),
				 MM_OK);
		mm_model_categories(model, &score, categories);
		if (score.main[MM_OUTPUT_HARASSMENT] != scores[i].harassment ||
		    score.strongest != scores[i].strongest || categories[2] != scores[i].category ||
		    (score.strongest > 0.0 &&
		     (score.first != scores[i].first || score.last != scores[i].last)))
			fail_msg("%s: harassment %f, strongest %f [%u, %u), category %f",
				 scores[i].name, score.main[MM_OUTPUT_HARASSMENT], score.strongest,
				 score.first, score.last, categories[2]);
	}
	mm_model_free(model);
	mm_arena_free(arena);
	free(file);
}

/* Sums are kept in 16 bits for a while; the largest weights must not run over. */
static void score__many_large_weights__do_not_overflow(void **state)
{
	struct file *file = make_file();
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_model *model;
	struct mm_model_score score;
	uint32_t *text = calloc(10000, sizeof(*text));

	(void)state;
	assert_non_null(text);
	for (int row = 0; row < GRAMS; row++)
		file->main[row][MM_OUTPUT_HARASSMENT] = 127;
	seal(file);
	for (int i = 0; i < 10000; i++)
		text[i] = i % 2 ? U'い' : U'あ';
	assert_int_equal(parse(file, FILE_BYTES, &model), MM_OK);
	assert_int_equal(mm_model_score(model, text, 10000, &score, arena, NULL), MM_OK);
	assert_true(score.main[MM_OUTPUT_HARASSMENT] == -1.0 + 0.5 * 3 * 127);
	assert_true(score.strongest == 0.5 * 127 * (10000 + 5000));
	assert_int_equal(score.gram_count, GRAMS);
	mm_model_free(model);
	mm_arena_free(arena);
	free(text);
	free(file);
}

static void language__japanese_letters__decide(void **state)
{
	static const uint32_t ja[] = {U'o', U'k', U'で', U's'}, kanji[] = {U'死'},
			      en[] = {U'o', U'k'};

	(void)state;
	assert_int_equal(mm_model_language_of(ja, 4), MM_MODEL_JA);
	assert_int_equal(mm_model_language_of(kanji, 1), MM_MODEL_JA);
	assert_int_equal(mm_model_language_of(en, 2), MM_MODEL_OTHER);
	assert_int_equal(mm_model_language_of(NULL, 0), MM_MODEL_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__each_fault__is_bad_input),
	    cmocka_unit_test(parse__cut_or_longer__is_bad_input),
	    cmocka_unit_test(load__no_file__is_not_found),
	    cmocka_unit_test(score__each_text__adds_up),
	    cmocka_unit_test(score__many_large_weights__do_not_overflow),
	    cmocka_unit_test(language__japanese_letters__decide),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
