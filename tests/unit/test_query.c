/* test_query: parameters found, absent, empty, twice. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/query.h"

static const struct {
	const char *name, *query;
	enum mm_status want;
	const char *want_text; /* NULL: absent */
} cases[] = {
    {"only one", "after=x", MM_OK, "x"},
    {"first", "after=x&limit=3", MM_OK, "x"},
    {"last", "limit=3&after=x", MM_OK, "x"},
    {"in the middle", "a=b&after=x&c=d", MM_OK, "x"},
    {"no query", "", MM_OK, NULL},
    {"another", "limit=3", MM_OK, NULL},
    {"a longer name", "hereafter=x&after2=y", MM_OK, NULL},
    {"a shorter name", "aft=x", MM_OK, NULL},
    {"other letters", "After=x", MM_OK, NULL},
    {"empty", "after=", MM_OK, ""},
    {"without a value", "after", MM_OK, NULL},
    {"a value with =", "after=a=b", MM_OK, "a=b"},
    {"as sent", "after=%41+b", MM_OK, "%41+b"},
    {"separators only", "&&&", MM_OK, NULL},
    {"a separator at the end", "after=x&", MM_OK, "x"},
    {"twice", "after=x&after=x", MM_BAD_INPUT, NULL},
    {"twice, apart", "after=&b=c&after=y", MM_BAD_INPUT, NULL},
};

static void text__each_case__gives_value_or_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = "untouched";
		size_t length = 99;
		struct mm_error err = {.status = MM_OK};
		const enum mm_status got =
		    mm_query_text(cases[i].query, "after", &text, &length, &err);
		bool is_right = got == cases[i].want;
		if (got == MM_OK && is_right && cases[i].want_text)
			is_right = text && length == strlen(cases[i].want_text) &&
				   memcmp(text, cases[i].want_text, length) == 0;
		else if (got == MM_OK && is_right)
			is_right = !text && length == 0;
		else if (is_right)
			is_right = strcmp(err.field, "after") == 0 && length == 99;
		if (!is_right)
			fail_msg("%s: status %d, \"%.*s\"", cases[i].name, got, (int)length,
				 text ? text : "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text__each_case__gives_value_or_refusal),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
