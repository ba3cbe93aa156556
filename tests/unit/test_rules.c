/*
 * Tests of lib/detect/rules: the files' format, replacing, the cache, and the expressions.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "detect/detector.h"
#include "folder.h"

#define HEAD "[a.b]\nkind = harassment\nseverity = high\ncategory = threat\n"
#define GOOD HEAD "pattern = バカ\n"

static void make_folders(void)
{
	test_folder_make();
	mkdir(test_folder_path("rules"), 0755);
	mkdir(test_folder_path("site"), 0755);
	mkdir(test_folder_path("cache"), 0755);
}

static enum mm_status load(struct mm_rules **out, struct mm_error *err)
{
	return mm_rules_load(test_folder_path("rules"), test_folder_path("site"),
			     test_folder_path("cache"), out, err);
}

/* Each file is wrong in one way; the message begins with its name and line. */
static const struct {
	const char *name, *text, *want;
} bad[] = {
    {"no kind", "[a]\npattern = バカ\n", "x.rules:1: [a] has no kind"},
    {"bad kind", "[a]\nkind = insult\n", "x.rules:2: kind must be"},
    {"no pattern", HEAD, "x.rules:1: [a.b] of kind harassment needs pattern"},
    {"no severity", "[a]\nkind = harassment\npattern = バカ\n",
     "x.rules:1: [a] of kind harassment needs severity"},
    {"no category", "[a]\nkind = harassment\nseverity = high\npattern = バカ\n",
     "x.rules:1: [a] needs a category"},
    {"severity none", "[a]\nkind = harassment\nseverity = none\npattern = バカ\n",
     "x.rules:1: [a] severity must be"},
    {"unknown category", HEAD "category = rude\n", "x.rules:5: unknown category"},
    {"unknown key", HEAD "colour = red\n", "x.rules:5: unknown key \"colour\""},
    {"key twice", HEAD "severity = low\n", "x.rules:5: severity is given twice"},
    {"key of another kind", GOOD "side = before\n", "x.rules:1: [a.b] of kind harassment cannot"},
    {"no value", HEAD "pattern =\n", "x.rules:5: pattern has no value"},
    {"no equals sign", HEAD "pattern\n", "x.rules:5: a line is"},
    {"before a stanza", "kind = guard\n", "x.rules:1: a rule begins with [id]"},
    {"open bracket", "[a.b\n", "x.rules:1: a rule begins with [id]"},
    {"id with a blank", "[a b]\n", "x.rules:1: an id is"},
    {"id twice", GOOD GOOD, "x.rules:6: [a.b] is already at x.rules:1"},
    {"weight", HEAD "weight = much\n", "x.rules:5: weight must be"},
    {"weight too big", HEAD "weight = 11\n", "x.rules:5: weight must be"},
    {"within", "[c]\nkind = context\nwithin = -1\n", "x.rules:3: within must be"},
    {"squeeze", HEAD "squeeze = maybe\n", "x.rules:5: squeeze must be"},
    {"unknown context", GOOD "unless = quote\n", "x.rules:1: [a.b] names the context quote"},
    {"sentiment too severe",
     "[a]\nkind = sentiment\nsentiment = anger\nseverity = high\npattern = バカ\n",
     "x.rules:1: [a] of kind sentiment has severity"},
    {"empty part", HEAD "pattern = バカ ~ ~ 死\n", "x.rules:5: a part of the pattern is empty"},
    {"five parts", HEAD "pattern = あ ~ い ~ う ~ え ~ お\n", "x.rules:5: a pattern has at most 4"},
    {"open group", HEAD "pattern = (バカ\n", "x.rules:5: ( without )"},
    {"closed group", HEAD "pattern = バカ)\n", "x.rules:5: ) without ("},
    {"open class", HEAD "pattern = [バカ\n", "x.rules:5: "},
    {"nothing to repeat", HEAD "pattern = a|*b\n", "x.rules:5: nothing to repeat"},
    {"empty match", HEAD "pattern = (バカ)?\n", "x.rules:5: it matches the empty text"},
    {"backwards", HEAD "pattern = a[z-a]\n", "x.rules:5: "},
    {"count", HEAD "pattern = ab{3,2}\n", "x.rules:5: a bad count"},
    {"huge count", HEAD "pattern = ab{9999}\n", "x.rules:5: a bad count"},
    {"escape", HEAD "pattern = ab\\q\n", "x.rules:5: unknown escape"},
    {"look at a word", HEAD "pattern = ab(?!cd)\n", "x.rules:5: looking around takes"},
    {"back reference", HEAD "pattern = (a)\\1\n", "x.rules:5: unknown escape"},
    {"not UTF-8", HEAD "reason = \xff\n", "x.rules:5: not valid UTF-8"},
    {"only off", "[a]\nkind = off\n", "there is no rule"},
    {"nothing", "# nothing\n", "there is no rule"},
};

static void load__wrong_file__names_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mm_error err = {.status = MM_OK};
		struct mm_rules *rules = NULL;
		enum mm_status status;

		make_folders();
		test_folder_write("rules/x.rules", bad[i].text);
		status = load(&rules, &err);
		test_folder_remove();
		if (status != MM_BAD_INPUT || rules)
			fail_msg("%s: status %d", bad[i].name, status);
		if (strncmp(err.message, bad[i].want, strlen(bad[i].want)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", bad[i].name, err.message, bad[i].want);
	}
}

static void load__all_keys__are_read(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;

	(void)state;
	make_folders();
	test_folder_write("rules/a.rules",
			  "# comment\r\n[x.one]\r\nkind = harassment\nseverity = critical\n"
			  "category = threat, sexual\nsentiment = anger\nsignal = urgent\n"
			  "intent = billing\nweight = 2.5\nreason = 理由。\nreason_en = Why.\n"
			  "pattern = 殺す ~ ぞ\nguard = 殺虫\nunless = quote, self\n"
			  "requires = staff\nsqueeze = no\n");
	test_folder_write("rules/b.rules",
			  "[c.q]\nkind = context\ncontext = quote\nside = after\nwithin = 3\n"
			  "pattern = と言\n[c.s]\nkind = context\ncontext = self\npattern = 私\n"
			  "[c.t]\nkind = context\ncontext = staff\npattern = 店員\n"
			  "[g]\nkind = guard\nguards = x. *\npattern = 自殺\n");
	test_folder_write("rules/ignored.txt", "not a rule file");
	if (load(&rules, &err) != MM_OK)
		fail_msg("%s", err.message);
	assert_int_equal(mm_rules_count(rules), 5);
	const struct mm_rule *rule = mm_rules_at(rules, 0);
	assert_string_equal(rule->id, "x.one");
	assert_string_equal(rule->file, "a.rules");
	assert_int_equal(rule->line, 2);
	assert_int_equal(rule->kind, MM_RULE_HARASSMENT);
	assert_int_equal(rule->severity, MM_SEVERITY_CRITICAL);
	assert_int_equal(rule->categories, 1u << MM_CATEGORY_THREAT | 1u << MM_CATEGORY_SEXUAL);
	assert_int_equal(rule->sentiment, MM_SENTIMENT_ANGER);
	assert_int_equal(rule->signal, MM_SIGNAL_URGENT);
	assert_int_equal(rule->intent, MM_INTENT_BILLING);
	assert_true(rule->weight > 2.49 && rule->weight < 2.51);
	assert_string_equal(rule->reason, "理由。");
	assert_string_equal(rule->reason_en, "Why.");
	assert_false(rule->is_squeezed);
	assert_int_equal(rule->unless_count, 2);
	assert_int_equal(rule->requires_count, 1);
	assert_string_equal(mm_rules_context_name(rules, rule->requires[0]), "staff");
	assert_int_equal(mm_rules_at(rules, 1)->side, MM_SIDE_AFTER);
	assert_int_equal(mm_rules_at(rules, 1)->within, 3);
	assert_int_equal(mm_rules_at(rules, 4)->guard_count, 2);
	assert_int_equal(mm_rules_context_find(rules, "nobody"), UINT32_MAX);
	mm_rules_free(rules);
	test_folder_remove();
}

static void load__site_folder__replaces_and_switches_off(void **state)
{
	struct mm_rules *rules;

	(void)state;
	make_folders();
	test_folder_write("rules/a.rules",
			  GOOD "[a.c]\nkind = signal\nsignal = churn\npattern = 解約\n");
	test_folder_write("site/a.rules",
			  "[a.b]\nkind = harassment\nseverity = low\npattern = アホ\n"
			  "[a.c]\nkind = off\n[a.d]\nkind = signal\nsignal = urgent\n"
			  "pattern = 至急\n");
	assert_int_equal(load(&rules, NULL), MM_OK);
	assert_int_equal(mm_rules_count(rules), 2);
	assert_string_equal(mm_rules_at(rules, 0)->id, "a.b");
	assert_int_equal(mm_rules_at(rules, 0)->severity, MM_SEVERITY_LOW);
	assert_string_equal(mm_rules_at(rules, 1)->id, "a.d");
	mm_rules_free(rules);
	test_folder_remove();
}

static void load__no_folder__is_bad_input(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;

	(void)state;
	assert_int_equal(mm_rules_load("/nonexistent", NULL, NULL, &rules, &err), MM_BAD_INPUT);
	assert_non_null(strstr(err.message, "/nonexistent"));
	make_folders();
	assert_int_equal(load(&rules, &err), MM_BAD_INPUT);
	test_folder_remove();
}

static bool finds(struct mm_rules *rules, const char *text)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_detector *detector;
	struct mm_analysis analysis;
	bool is_found;

	assert_int_equal(mm_detector_new(rules, &detector, NULL), MM_OK);
	assert_int_equal(mm_detect(detector, text, strlen(text), NULL, &analysis, arena, NULL),
			 MM_OK);
	is_found = analysis.harassment.is_harassment;
	mm_detector_free(detector);
	mm_arena_free(arena);
	return is_found;
}

/* The only file of the cache folder. */
static void cache_path(char path[512])
{
	char command[256];
	FILE *list;

	snprintf(command, sizeof(command), "ls %s/*.hsdb", test_folder_path("cache"));
	list = popen(command, "r");
	assert_non_null(list);
	assert_non_null(fgets(path, 512, list));
	path[strcspn(path, "\n")] = '\0';
	assert_int_equal(pclose(list), 0);
}

static void cache__second_load__is_used(void **state)
{
	struct mm_rules *rules;

	(void)state;
	make_folders();
	test_folder_write("rules/a.rules", GOOD);
	assert_int_equal(load(&rules, NULL), MM_OK);
	assert_false(mm_rules_size(rules).is_from_cache);
	mm_rules_free(rules);
	assert_int_equal(load(&rules, NULL), MM_OK);
	assert_true(mm_rules_size(rules).is_from_cache);
	assert_true(finds(rules, "このバカ"));
	test_folder_write("rules/a.rules", GOOD "pattern = アホ\n");
	assert_int_equal(load(&rules, NULL), MM_OK);
	assert_false(mm_rules_size(rules).is_from_cache);
	assert_true(finds(rules, "このアホ"));
	test_folder_remove();
}

static void cache__damaged_anywhere__is_ignored(void **state)
{
	char path[512];
	struct mm_rules *rules;
	struct stat info;

	(void)state;
	make_folders();
	test_folder_write("rules/a.rules", GOOD);
	assert_int_equal(
	    mm_rules_compile(test_folder_path("rules"), NULL, test_folder_path("cache"), NULL),
	    MM_OK);
	cache_path(path);
	assert_int_equal(stat(path, &info), 0);
	for (long at = 0; at < info.st_size; at += info.st_size / 40 + 1) {
		FILE *file = fopen(path, "r+");

		assert_non_null(file);
		fseek(file, at, SEEK_SET);
		int byte = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 0x55, file);
		fclose(file);
		assert_int_equal(load(&rules, NULL), MM_OK);
		if (!finds(rules, "このバカ"))
			fail_msg("byte %ld damaged: nothing is found", at);
	}
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), info.st_size / 2), 0);
	fclose(file);
	assert_int_equal(load(&rules, NULL), MM_OK);
	assert_true(finds(rules, "このバカ"));
	test_folder_remove();
}

static void cache__no_folder__is_only_an_error_of_compile(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules;

	(void)state;
	make_folders();
	test_folder_write("rules/a.rules", GOOD);
	assert_int_equal(
	    mm_rules_load(test_folder_path("rules"), NULL, "/nonexistent/cache", &rules, &err),
	    MM_OK);
	mm_rules_free(rules);
	assert_int_equal(
	    mm_rules_compile(test_folder_path("rules"), NULL, "/nonexistent/cache", &err),
	    MM_UPSTREAM);
	assert_non_null(strstr(err.cause, "/nonexistent/cache"));
	test_folder_remove();
}

/* One expression and what it finds first in a text, or NULL. */
static const struct {
	const char *pattern, *text, *want;
} expressions[] = {
    {"バカ", "このバカが", "バカ"},
    {"バカ", "この馬鹿が", NULL},
    {"(バカ|アホ)(野郎|め)?", "このアホ野郎が", "アホ野郎"},
    {"(この)?(バカ|アホ)", "はいこのアホ", "このアホ"},
    {"死(ね|んで)", "死んでくれ", "死んで"},
    {"ば+か", "ばばばか", "ばばばか"},
    {"x{2,3}y", "xxxxy", "xxxy"},
    {"x{3}y", "xxy", NULL},
    {"x{2,}y", "axxxxxy", "xxxxxy"},
    {"a.c", "a\nc abc", "abc"},
    {"a[^b]c", "abc axc", "axc"},
    {"[0-9]+円", "合計1200円です", "1200円"},
    {"\\d{3,}", "ab12 345", "345"},
    {"\\bshine\\b", "sunshine shine", "shine"},
    {"\\Bshine", "shine sunshine", "shine"},
    {"\\w+!", "ああabc!", "abc!"},
    {"a\\sb", "a b", "a b"},
    {"^死ね", "死ね", "死ね"},
    {"^死ね", "もう死ね", NULL},
    {"死ね$", "死ねと死ね", "死ね"},
    {"死ね($|よ)", "死ねと死ね", "死ね"},
    {"(^|。)しね", "はい。しね", "。しね"},
    {"(?<!ほ)しいね", "ほしいね 美しいね", "しいね"},
    {"カス(?![ァ-ヶー])", "カスタマーはカス", "カス"},
    {"カス(?=だ)", "カスと言うカスだ", "カス"},
    {"a\\.b", "axb a.b", "a.b"},
    {"100\\%", "100%", "100%"},
    {"本気か？", "本気か?", "本気か?"},
    {"あ{2}い?う", "ああう", "ああう"},
    {"(あ|い|う)+え", "ういあえ", "ういあえ"},
    {"(か[^。]{0,5}き|く)け", "く かxxき くけ", "くけ"},
    {"(か[^。]{0,5}き|く)け", "かxxきけ", "かxxきけ"},
    {"[^。]+です", "はい。バカです", "バカです"},
    {"(a|ab)(c|bcd)", "abcd", "abcd"},
    {"ａｂｃ", "ABC", "ABC"},
    {"バカ", "ﾊﾞｶ", "ﾊﾞｶ"},
    {"😀{2}", "😀😀", "😀😀"},
    {"お前 ~ 無能", "お前は本当に無能", "お前は本当に無能"},
    {"お前 ~ 無能", "お前は。無能", NULL},
    {"お前 ~ 無能", "お前はどう考えてもどこからどう見ても無能", NULL},
    {"お前 ~~ 無能", "お前はどう考えてもどこからどう見ても無能",
     "お前はどう考えてもどこからどう見ても無能"},
    {"お前 ~ 無能", "無能なお前", NULL},
    {"お前 ~ は ~ だ", "お前はバカだ", "お前はバカだ"},
    {"あ ~ い ~ う ~ え", "あ1い2う3え", "あ1い2う3え"},
    {"あ ~ い ~ う", "あ。あ い う", "あ い う"},
    {"あ ~ い ~ う", "いう", NULL},
};

static void pattern__expressions__find_the_longest(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		struct mm_arena *arena = mm_arena_new(0);
		struct mm_error err = {.status = MM_OK};
		struct mm_rules *rules;
		struct mm_detector *detector;
		struct mm_analysis analysis;
		char text[512], got[256] = "";
		bool is_found;

		make_folders();
		snprintf(text, sizeof(text), HEAD "squeeze = no\npattern = %s\n",
			 expressions[i].pattern);
		test_folder_write("rules/a.rules", text);
		if (load(&rules, &err) != MM_OK)
			fail_msg("%s: %s", expressions[i].pattern, err.message);
		test_folder_remove();
		assert_int_equal(mm_detector_new(rules, &detector, NULL), MM_OK);
		assert_int_equal(mm_detect(detector, expressions[i].text,
					   strlen(expressions[i].text), NULL, &analysis, arena,
					   NULL),
				 MM_OK);
		is_found = analysis.harassment.finding_count > 0;
		if (is_found)
			snprintf(got, sizeof(got), "%.*s",
				 (int)analysis.harassment.findings[0].text_length,
				 analysis.harassment.findings[0].text);
		if (is_found != (expressions[i].want != NULL) ||
		    (is_found && strcmp(got, expressions[i].want) != 0))
			fail_msg("%s in %s: \"%s\", not \"%s\"", expressions[i].pattern,
				 expressions[i].text, got,
				 expressions[i].want ? expressions[i].want : "nothing");
		mm_detector_free(detector);
		mm_arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(load__wrong_file__names_line_and_reason),
	    cmocka_unit_test(load__all_keys__are_read),
	    cmocka_unit_test(load__site_folder__replaces_and_switches_off),
	    cmocka_unit_test(load__no_folder__is_bad_input),
	    cmocka_unit_test(cache__second_load__is_used),
	    cmocka_unit_test(cache__damaged_anywhere__is_ignored),
	    cmocka_unit_test(cache__no_folder__is_only_an_error_of_compile),
	    cmocka_unit_test(pattern__expressions__find_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
