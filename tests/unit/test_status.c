/*
 * Tests of lib/base/status.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

static const struct {
	enum mm_status status;
	int http;
	const char *code;
} rows[] = {
    {MM_OK, 200, "ok"},
    {MM_BAD_INPUT, 400, "invalid_request"},
    {MM_UNAUTHENTICATED, 401, "unauthenticated"},
    {MM_DENIED, 403, "forbidden"},
    {MM_NOT_FOUND, 404, "not_found"},
    {MM_BAD_METHOD, 405, "method_not_allowed"},
    {MM_CONFLICT, 409, "conflict"},
    {MM_TOO_LARGE, 413, "too_large"},
    {MM_BAD_TYPE, 415, "unsupported_media_type"},
    {MM_BUSY, 503, "unavailable"},
    {MM_TIMEOUT, 503, "timeout"},
    {MM_UPSTREAM, 503, "unavailable"},
    {MM_GONE, 410, "gone"},
    {MM_STOPPING, 503, "unavailable"},
    {MM_NO_MEMORY, 503, "unavailable"},
    {MM_BUG, 500, "internal_error"},
    {MM_STATUS__MAX, 500, "internal_error"},
    {(enum mm_status) - 1, 500, "internal_error"},
};

static void status__each__has_http_code_and_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (mm_status_http(rows[i].status) != rows[i].http ||
		    strcmp(mm_status_code(rows[i].status), rows[i].code) != 0 ||
		    !mm_status_message(rows[i].status)[0])
			fail_msg("row %zu, %s: http %d, code %s", i, rows[i].code,
				 mm_status_http(rows[i].status), mm_status_code(rows[i].status));
	}
}

static void error__set__fills_all_and_returns_the_status(void **state)
{
	struct mm_error err;

	(void)state;
	memset(&err, 'x', sizeof(err));
	assert_int_equal(mm_error_set(&err, MM_TOO_LARGE, "message_too_long", "message",
				      "at most %d characters", 10000),
			 MM_TOO_LARGE);
	assert_int_equal(err.status, MM_TOO_LARGE);
	assert_string_equal(err.code, "message_too_long");
	assert_string_equal(err.field, "message");
	assert_string_equal(err.message, "at most 10000 characters");
	assert_string_equal(err.cause, "");
}

static void error__cause__keeps_the_public_message_general(void **state)
{
	struct mm_error err;

	(void)state;
	memset(&err, 'x', sizeof(err));
	assert_int_equal(mm_error_cause(&err, MM_UPSTREAM, "port %d refused", 5432), MM_UPSTREAM);
	assert_null(err.code);
	assert_string_equal(err.field, "");
	assert_string_equal(err.message, mm_status_message(MM_UPSTREAM));
	assert_string_equal(err.cause, "port 5432 refused");
}

static void error__null__only_returns_the_status(void **state)
{
	(void)state;
	assert_int_equal(mm_error_set(NULL, MM_GONE, NULL, NULL, "gone"), MM_GONE);
	assert_int_equal(mm_error_cause(NULL, MM_BUG, "bug"), MM_BUG);
}

/* The bytes of `text` until the message is full, `skip` of them being ASCII before it. */
static void check_cut(const char *character, size_t width)
{
	for (size_t skip = 0; skip < width; skip++) {
		char text[400] = "";
		struct mm_error err;
		size_t length;

		memset(text, 'a', skip);
		for (length = skip; length < 300; length += width)
			memcpy(text + length, character, width);
		mm_error_set(&err, MM_BAD_INPUT, NULL, text, "%s", text);
		size_t message = skip + (sizeof(err.message) - 1 - skip) / width * width;
		size_t field = skip + (sizeof(err.field) - 1 - skip) / width * width;
		if (strlen(err.message) != message || strlen(err.field) != field)
			fail_msg("%s after %zu: message cut at %zu not %zu, field at %zu not %zu",
				 character, skip, strlen(err.message), message, strlen(err.field),
				 field);
	}
}

static void error__too_long__is_cut_between_characters(void **state)
{
	(void)state;
	check_cut("a", 1);
	check_cut("\xC3\xA9", 2);
	check_cut("\xE5\xAE\x88", 3);
	check_cut("\xF0\x9F\x98\xA1", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status__each__has_http_code_and_message),
	    cmocka_unit_test(error__set__fills_all_and_returns_the_status),
	    cmocka_unit_test(error__cause__keeps_the_public_message_general),
	    cmocka_unit_test(error__null__only_returns_the_status),
	    cmocka_unit_test(error__too_long__is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
