/*
 * test_response: replies as bytes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/response.h"

static struct mm_arena *arena;

static const char *write_text(const struct mm_response *response, bool has_body)
{
	struct mm_buffer *out = mm_arena_zalloc(arena, sizeof(*out));

	mm_buffer_init(out, 0, 0, arena);
	assert_int_equal(mm_response_write(response, "id-1", has_body, out), MM_OK);
	return mm_buffer_text(out);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void write__plain_reply__is_exactly_this(void **state)
{
	struct mm_response response;

	(void)state;
	mm_response_init(&response, arena);
	mm_buffer_add_text(&response.body, "{}");
	assert_string_equal(write_text(&response, true), "Status: 200 OK\r\n"
							 "Content-Type: application/json\r\n"
							 "Content-Length: 2\r\n"
							 "Cache-Control: no-store\r\n"
							 "X-Content-Type-Options: nosniff\r\n"
							 "X-Request-Id: id-1\r\n"
							 "\r\n{}");
}

static void write__head__keeps_the_length_without_the_body(void **state)
{
	struct mm_response response;
	const char *text;

	(void)state;
	mm_response_init(&response, arena);
	mm_buffer_add_text(&response.body, "{\"a\":1}");
	text = write_text(&response, false);
	assert_has(text, "Content-Length: 7\r\n");
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void write__no_content__has_neither_length_nor_type(void **state)
{
	struct mm_response response;
	const char *text;

	(void)state;
	mm_response_init(&response, arena);
	response.status = 204;
	response.allow = "GET, OPTIONS";
	mm_buffer_add_text(&response.body, "left over");
	text = write_text(&response, true);
	assert_has(text, "Status: 204 No Content\r\n");
	assert_has(text, "Allow: GET, OPTIONS\r\n");
	assert_has_not(text, "Content-Length");
	assert_has_not(text, "Content-Type:");
	assert_has_not(text, "left over");
}

static void write__failed_body__is_no_memory(void **state)
{
	struct mm_response response;
	struct mm_buffer out;

	(void)state;
	mm_response_init(&response, arena);
	mm_buffer_init(&response.body, 0, 4, arena);
	mm_buffer_add_text(&response.body, "too long");
	mm_buffer_init(&out, 0, 0, arena);
	assert_int_equal(mm_response_write(&response, "id-1", true, &out), MM_NO_MEMORY);
	mm_response_init(&response, arena);
	mm_buffer_init(&out, 0, 16, arena);
	assert_int_equal(mm_response_write(&response, "id-1", true, &out), MM_NO_MEMORY);
}

static const struct {
	enum mm_status status;
	const char *want_status;
	const char *want_code;
	bool has_retry_after;
} error_cases[] = {
    {MM_BAD_INPUT, "400", "invalid_request", false},
    {MM_UNAUTHENTICATED, "401", "unauthenticated", false},
    {MM_DENIED, "403", "forbidden", false},
    {MM_NOT_FOUND, "404", "not_found", false},
    {MM_BAD_METHOD, "405", "method_not_allowed", false},
    {MM_CONFLICT, "409", "conflict", false},
    {MM_TOO_LARGE, "413", "too_large", false},
    {MM_BAD_TYPE, "415", "unsupported_media_type", false},
    {MM_GONE, "410", "gone", false},
    {MM_BUSY, "503", "unavailable", true},
    {MM_TIMEOUT, "503", "timeout", true},
    {MM_UPSTREAM, "503", "unavailable", true},
    {MM_STOPPING, "503", "unavailable", true},
    {MM_NO_MEMORY, "503", "unavailable", true},
    {MM_BUG, "500", "internal_error", false},
};

static void set_error__each_status__has_its_code_and_no_unknown_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
		struct mm_response response;
		const char *text;
		mm_response_init(&response, arena);
		mm_response_set_error(&response, error_cases[i].status, NULL, "id-1");
		text = write_text(&response, true);
		assert_has(text, mm_arena_printf(arena, "Status: %s ", error_cases[i].want_status));
		assert_has(text,
			   mm_arena_printf(arena, "\"code\":\"%s\"", error_cases[i].want_code));
		assert_has(text, "\"request_id\":\"id-1\"}");
		assert_has_not(text, "Unknown");
		assert_has_not(text, "details");
		if (error_cases[i].has_retry_after)
			assert_has(text, "Retry-After: 1\r\n");
		else
			assert_has_not(text, "Retry-After");
	}
}

static void set_error__with_field__names_it_and_hides_the_cause(void **state)
{
	struct mm_response response;
	struct mm_error err = {.status = MM_OK};

	(void)state;
	mm_error_set(&err, MM_BAD_INPUT, "invalid_field", "message", "message must be a string");
	snprintf(err.cause, sizeof(err.cause), "secret cause");
	mm_response_init(&response, arena);
	mm_buffer_add_text(&response.body, "{\"half\":");
	mm_response_set_error(&response, MM_BAD_INPUT, &err, "id-1");
	assert_string_equal(mm_buffer_text(&response.body),
			    "{\"error\":\"message must be a string\",\"code\":\"invalid_field\","
			    "\"details\":{\"field\":\"message\"},\"request_id\":\"id-1\"}");
}

static void set_error__longer_retry_after__is_kept(void **state)
{
	struct mm_response response;

	(void)state;
	mm_response_init(&response, arena);
	response.retry_after_seconds = 30;
	mm_response_set_error(&response, MM_BUSY, NULL, "id-1");
	assert_has(write_text(&response, true), "Retry-After: 30\r\n");
}

static void set_error__after_a_failed_body__still_has_its_text(void **state)
{
	struct mm_response response;

	(void)state;
	mm_response_init(&response, arena);
	response.body.has_failed = true;
	mm_response_set_error(&response, MM_NO_MEMORY, NULL, "id-1");
	assert_has(write_text(&response, true), "\"code\":\"unavailable\"");
}

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(write__plain_reply__is_exactly_this),
	    cmocka_unit_test(write__head__keeps_the_length_without_the_body),
	    cmocka_unit_test(write__no_content__has_neither_length_nor_type),
	    cmocka_unit_test(write__failed_body__is_no_memory),
	    cmocka_unit_test(set_error__each_status__has_its_code_and_no_unknown_reason),
	    cmocka_unit_test(set_error__with_field__names_it_and_hides_the_cause),
	    cmocka_unit_test(set_error__longer_retry_after__is_kept),
	    cmocka_unit_test(set_error__after_a_failed_body__still_has_its_text),
	};

	return cmocka_run_group_tests_name("response", tests, set_up, tear_down);
}
