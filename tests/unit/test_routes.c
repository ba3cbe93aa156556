/*
 * test_routes: method and path to a row, or to the right refusal. No handler is called.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/routes.h"

static const struct mm_route routes[] = {
    {.method = "POST", .path = "/api/chat"},   {.method = "GET", .path = "/api/health"},
    {.method = "GET", .path = "/api/both"},    {.method = "POST", .path = "/api/both"},
    {.method = "PATCH", .path = "/api/both"},  {.method = "GET", .path = "/api/c/{id}/m"},
    {.method = "POST", .path = "/api/c/{id}"},
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]), NONE = -1 };

static const struct {
	const char *name;
	const char *method;
	const char *path;
	enum mm_status want;
	int want_row;
	const char *want_allow;
	bool want_head;
	bool want_options;
} cases[] = {
    {"exact", "POST", "/api/chat", MM_OK, 0, "", false, false},
    {"second row", "GET", "/api/health", MM_OK, 1, "", false, false},
    {"head is get", "HEAD", "/api/health", MM_OK, 1, "", true, false},
    {"head without get", "HEAD", "/api/chat", MM_BAD_METHOD, NONE, "POST, OPTIONS", true, false},
    {"same path, other method", "POST", "/api/both", MM_OK, 3, "", false, false},
    {"options", "OPTIONS", "/api/both", MM_OK, NONE, "GET, HEAD, POST, PATCH, OPTIONS", false,
     true},
    {"options, unknown path", "OPTIONS", "/api/no", MM_NOT_FOUND, NONE, "", false, false},
    {"wrong method", "DELETE", "/api/health", MM_BAD_METHOD, NONE, "GET, HEAD, OPTIONS", false,
     false},
    {"unknown method", "BREW", "/api/chat", MM_BAD_METHOD, NONE, "POST, OPTIONS", false, false},
    {"method in lower case", "post", "/api/chat", MM_BAD_METHOD, NONE, "POST, OPTIONS", false,
     false},
    {"part of a method", "PO", "/api/chat", MM_BAD_METHOD, NONE, "POST, OPTIONS", false, false},
    {"unknown path", "GET", "/api", MM_NOT_FOUND, NONE, "", false, false},
    {"slash at the end", "POST", "/api/chat/", MM_NOT_FOUND, NONE, "", false, false},
    {"longer path", "POST", "/api/chatter", MM_NOT_FOUND, NONE, "", false, false},
    {"empty path", "GET", "", MM_NOT_FOUND, NONE, "", false, false},
    {"an id inside", "GET", "/api/c/x/m", MM_OK, 5, "", false, false},
    {"an id inside, head", "HEAD", "/api/c/x/m", MM_OK, 5, "", true, false},
    {"an id inside, options", "OPTIONS", "/api/c/x/m", MM_OK, NONE, "GET, HEAD, OPTIONS", false,
     true},
    {"an id inside, wrong method", "POST", "/api/c/x/m", MM_BAD_METHOD, NONE, "GET, HEAD, OPTIONS",
     false, false},
    {"an id at the end", "POST", "/api/c/x", MM_OK, 6, "", false, false},
    {"an empty id", "GET", "/api/c//m", MM_NOT_FOUND, NONE, "", false, false},
    {"an empty id at the end", "POST", "/api/c/", MM_NOT_FOUND, NONE, "", false, false},
    {"two segments", "GET", "/api/c/x/y/m", MM_NOT_FOUND, NONE, "", false, false},
    {"more after an id", "GET", "/api/c/x/mm", MM_NOT_FOUND, NONE, "", false, false},
    {"a slash after an id", "POST", "/api/c/x/", MM_NOT_FOUND, NONE, "", false, false},
    {"cut before the id", "GET", "/api/c", MM_NOT_FOUND, NONE, "", false, false},
};

static void find__each_case__gives_row_allow_and_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm_route_match match;
		enum mm_status got =
		    mm_route_find(routes, ROUTES, cases[i].method, cases[i].path, &match);
		int row = match.route ? (int)(match.route - routes) : NONE;
		if (got != cases[i].want || row != cases[i].want_row ||
		    match.is_head != cases[i].want_head ||
		    match.is_options != cases[i].want_options ||
		    strcmp(match.allow, cases[i].want_allow) != 0)
			fail_msg("%s: status %d row %d head %d options %d allow \"%s\"",
				 cases[i].name, got, row, match.is_head, match.is_options,
				 match.allow);
	}
}

static void find__id__is_the_segment_of_the_path(void **state)
{
	struct mm_route_match match;

	(void)state;
	assert_int_equal(mm_route_find(routes, ROUTES, "GET", "/api/c/a b/m", &match), MM_OK);
	assert_int_equal(match.id_length, 3);
	assert_memory_equal(match.id, "a b", 3);
	assert_int_equal(mm_route_find(routes, ROUTES, "GET", "/api/both", &match), MM_OK);
	assert_null(match.id);
}

static void find__more_methods_than_fit__is_cut_not_overrun(void **state)
{
	static const char *const methods[] = {
	    "AAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCCCCCCCCCCC",
	    "DDDDDDDDDDDDDDDDDDDDDDDDD", "EEEEEEEEEEEEEEEEEEEEEEEEE"};
	struct mm_route many[5];
	struct mm_route_match match;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		many[i] = (struct mm_route){.method = methods[i], .path = "/x"};
	assert_int_equal(mm_route_find(many, 5, "GET", "/x", &match), MM_BAD_METHOD);
	assert_int_equal(strlen(match.allow), MM_ALLOW_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(find__each_case__gives_row_allow_and_flags),
	    cmocka_unit_test(find__id__is_the_segment_of_the_path),
	    cmocka_unit_test(find__more_methods_than_fit__is_cut_not_overrun),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
