/*
 * test_request: parameters and bodies into requests, from a table instead of libfcgi.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/request.h"

enum { MAX_BODY = 64 };

struct pair {
	const char *name;
	const char *value;
};

struct fake {
	struct pair pairs[12];
	const char *body;
	bool is_broken; /* reading fails */
	size_t reads;
};

static struct mm_arena *arena;
static struct mm_id_source *ids;

static const char *fake_parameter(void *self, const char *name)
{
	const struct fake *fake = self;

	for (size_t i = 0; fake->pairs[i].name; i++)
		if (strcmp(fake->pairs[i].name, name) == 0)
			return fake->pairs[i].value;
	return NULL;
}

static long fake_read(void *self, char *out, size_t size)
{
	struct fake *fake = self;
	size_t length = fake->body ? strlen(fake->body) : 0;

	fake->reads++;
	if (fake->is_broken)
		return -1;
	if (length > size)
		length = size;
	if (length > 0)
		memcpy(out, fake->body, length);
	return (long)length;
}

static enum mm_status open_fake(struct fake *fake, struct mm_request *request, struct mm_error *err)
{
	struct mm_request_source source = {fake_parameter, fake_read, fake};

	return mm_request_open(&source, ids, 42, request, arena, err);
}

static void open__all_parameters__are_in_place(void **state)
{
	struct fake fake = {.pairs = {{"REQUEST_METHOD", "POST"},
				      {"SCRIPT_NAME", "/api/chat"},
				      {"QUERY_STRING", "a=1"},
				      {"CONTENT_TYPE", "application/json"},
				      {"HTTP_ACCEPT", "text/event-stream"},
				      {"HTTP_AUTHORIZATION", "Bearer x"},
				      {"REMOTE_ADDR", "192.0.2.1"},
				      {"REQUEST_ID", "0af7651916cd43dd8448eb211c80319c"}}};
	struct mm_request request;

	(void)state;
	assert_int_equal(open_fake(&fake, &request, NULL), MM_OK);
	assert_string_equal(request.method, "POST");
	assert_string_equal(request.path, "/api/chat");
	assert_string_equal(request.query, "a=1");
	assert_string_equal(request.content_type, "application/json");
	assert_string_equal(request.accept, "text/event-stream");
	assert_string_equal(request.authorization, "Bearer x");
	assert_string_equal(request.remote_address, "192.0.2.1");
	assert_string_equal(request.request_id, "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(request.body, "");
	assert_int_equal(request.started_mono_ms, 42);
}

static void open__absent_and_empty_headers__are_null(void **state)
{
	struct fake fake = {.pairs = {{"REQUEST_METHOD", "GET"},
				      {"SCRIPT_NAME", "/"},
				      {"HTTP_ACCEPT", ""},
				      {"HTTP_AUTHORIZATION", ""}}};
	struct mm_request request;

	(void)state;
	assert_int_equal(open_fake(&fake, &request, NULL), MM_OK);
	assert_null(request.accept);
	assert_null(request.authorization);
	assert_null(request.content_type);
	assert_string_equal(request.query, "");
	assert_string_equal(request.remote_address, "");
}

static void open__without_method_or_path__is_bad_input_but_usable(void **state)
{
	static const struct fake fakes[] = {
	    {.pairs = {{"SCRIPT_NAME", "/"}}},
	    {.pairs = {{"REQUEST_METHOD", "GET"}}},
	    {.pairs = {{"REQUEST_METHOD", ""}, {"SCRIPT_NAME", ""}}},
	    {.pairs = {{NULL, NULL}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fakes) / sizeof(fakes[0]); i++) {
		struct fake fake = fakes[i];
		struct mm_request request;
		assert_int_equal(open_fake(&fake, &request, NULL), MM_BAD_INPUT);
		assert_non_null(request.method);
		assert_non_null(request.path);
		assert_true(mm_request_id_is_valid(request.request_id));
	}
}

static const struct {
	const char *text;
	bool want;
} id_cases[] = {
    {"0af7651916cd43dd8448eb211c80319c", true},
    {"0191e7c2-7b2c-7cc3-98c4-dc0c0c07398f", true},
    {"A", true},
    {"0123456789012345678901234567890123456789012345678901234567890123", true},
    {"01234567890123456789012345678901234567890123456789012345678901234", false},
    {"", false},
    {NULL, false},
    {"has space", false},
    {"line\nbreak", false},
    {"quote\"", false},
    {"日本", false},
    {"a_b", false},
};

static void id_is_valid__each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(id_cases) / sizeof(id_cases[0]); i++)
		if (mm_request_id_is_valid(id_cases[i].text) != id_cases[i].want)
			fail_msg("row %zu: \"%s\"", i,
				 id_cases[i].text ? id_cases[i].text : "NULL");
}

static void open__malformed_request_id__is_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(id_cases) / sizeof(id_cases[0]); i++) {
		struct fake fake = {.pairs = {{"REQUEST_METHOD", "GET"},
					      {"SCRIPT_NAME", "/"},
					      {"REQUEST_ID", id_cases[i].text}}};
		struct mm_request request;
		assert_int_equal(open_fake(&fake, &request, NULL), MM_OK);
		assert_true(mm_request_id_is_valid(request.request_id));
		assert_int_equal(request.request_id == id_cases[i].text, id_cases[i].want);
	}
}

static const struct {
	const char *type;
	bool want;
} type_cases[] = {
    {"application/json", true},
    {"Application/JSON", true},
    {"application/json;charset=utf-8", true},
    {"application/json; charset=UTF-8", true},
    {"application/json; charset=\"utf-8\"", true},
    {"application/json ; charset=utf-8 ; version=1", true},
    {"application/json; version=1", true},
    {"application/json;", true},
    {"application/json; charset=shift_jis", false},
    {"application/json; charset=utf-80", false},
    {"application/json; version=1; charset=euc-jp", false},
    {"application/jsonp", false},
    {"application/json-seq", false},
    {"application/problem+json", false},
    {"text/plain", false},
    {"text/json", false},
    {" application/json", false},
    {"application/json, text/plain", false},
    {"application/x-www-form-urlencoded", false},
    {"", false},
    {NULL, false},
};

static void type_is_json__each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(type_cases) / sizeof(type_cases[0]); i++)
		if (mm_request_type_is_json(type_cases[i].type) != type_cases[i].want)
			fail_msg("%s: want %d", type_cases[i].type ? type_cases[i].type : "NULL",
				 type_cases[i].want);
}

#define JSON "application/json"

static const struct {
	const char *name;
	const char *length;
	const char *type;
	const char *body;
	bool is_broken;
	enum mm_status want;
	const char *want_body;
} body_cases[] = {
    {"whole", "2", JSON, "{}", false, MM_OK, "{}"},
    {"zeros in front", "0002", JSON, "{}", false, MM_OK, "{}"},
    {"longest", "64", JSON, "0123456789012345678901234567890123456789012345678901234567890123",
     false, MM_OK, "0123456789012345678901234567890123456789012345678901234567890123"},
    {"none", NULL, NULL, NULL, false, MM_OK, ""},
    {"empty length", "", NULL, NULL, false, MM_OK, ""},
    {"zero", "0", "text/plain", NULL, false, MM_OK, ""},
    {"longer than the limit", "65", JSON, "{}", false, MM_TOO_LARGE, ""},
    {"longer than any integer", "99999999999999999999999", JSON, "{}", false, MM_TOO_LARGE, ""},
    {"too large comes before the type", "65", "text/plain", "{}", false, MM_TOO_LARGE, ""},
    {"negative", "-1", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"signed", "+2", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"spaces", " 2", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"hexadecimal", "0x2", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"fraction", "2.0", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"list", "2, 2", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"shorter than declared", "5", JSON, "{}", false, MM_BAD_INPUT, ""},
    {"none came", "5", JSON, NULL, false, MM_BAD_INPUT, ""},
    {"reading fails", "2", JSON, "{}", true, MM_BAD_INPUT, ""},
    {"longer than declared is cut", "2", JSON, "{}garbage", false, MM_OK, "{}"},
    {"type missing", "2", NULL, "{}", false, MM_BAD_TYPE, ""},
    {"form", "2", "application/x-www-form-urlencoded", "{}", false, MM_BAD_TYPE, ""},
};

static void read_body__each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
		struct fake fake = {.pairs = {{"REQUEST_METHOD", "POST"},
					      {"SCRIPT_NAME", "/"},
					      {"CONTENT_TYPE", body_cases[i].type},
					      {"CONTENT_LENGTH", body_cases[i].length}},
				    .body = body_cases[i].body,
				    .is_broken = body_cases[i].is_broken};
		struct mm_request_source source = {fake_parameter, fake_read, &fake};
		struct mm_error err = {.status = MM_OK};
		struct mm_request request;
		enum mm_status got;
		assert_int_equal(open_fake(&fake, &request, NULL), MM_OK);
		got = mm_request_read_body(&source, MAX_BODY, &request, &err);
		if (got != body_cases[i].want ||
		    strcmp(request.body, body_cases[i].want_body) != 0 ||
		    request.body_length != strlen(body_cases[i].want_body))
			fail_msg("%s: status %d body \"%s\"", body_cases[i].name, got,
				 request.body);
		if (got == MM_TOO_LARGE || got == MM_BAD_TYPE)
			assert_int_equal(fake.reads, 0);
		if (got != MM_OK)
			assert_true(err.message[0]);
	}
}

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	ids = mm_id_source_new_fixed(1);
	return arena && ids ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	mm_id_source_free(ids);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__all_parameters__are_in_place),
	    cmocka_unit_test(open__absent_and_empty_headers__are_null),
	    cmocka_unit_test(open__without_method_or_path__is_bad_input_but_usable),
	    cmocka_unit_test(id_is_valid__each_case),
	    cmocka_unit_test(open__malformed_request_id__is_replaced),
	    cmocka_unit_test(type_is_json__each_case),
	    cmocka_unit_test(read_body__each_case),
	};

	return cmocka_run_group_tests_name("request", tests, set_up, tear_down);
}
