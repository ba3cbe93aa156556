/* test_accept: which Accept headers ask for events. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/accept.h"

static const struct {
	const char *accept;
	bool want;
} rows[] = {
    {NULL, false},
    {"", false},
    {",", false},
    {"*/*", false},
    {"text/*", false},
    {"application/json", false},
    {"text/html, application/json;q=0.9", false},
    {"text/event-stream", true},
    {"TEXT/EVENT-STREAM", true},
    {" text/event-stream ", true},
    {"text/event-streams", false},
    {"text/event-stream;charset=utf-8", true},
    {"text/event-stream; charset=utf-8 ; Q=0.3", true},
    {"text/event-stream;q=0", false},
    {"text/event-stream;q=0.000", false},
    {"text/event-stream;q=0.001", true},
    {"application/json, text/event-stream", true},
    {"application/json, text/event-stream;q=0.9", false},
    {"application/json;q=0.9, text/event-stream", true},
    {"application/json;q=0.85, text/event-stream;q=0.9", true},
    {"text/event-stream, */*", true},
    {"text/event-stream;q=0.5, */*;q=0.8", false},
    /* The most exact range counts, wherever it stands. */
    {"application/json;q=0.1, */*, text/event-stream;q=0.5", true},
    {"text/event-stream;q=0.5, */*;q=0.1, application/*;q=0.7", false},
    {"*/*, application/*;q=0.2, text/event-stream;q=0.5", true},
    /* What is no quality asks for nothing. */
    {"text/event-stream;q=", false},
    {"text/event-stream;q=2", false},
    {"text/event-stream;q=1.001", false},
    {"text/event-stream;q=-1", false},
    {"text/event-stream;q=0.12345", false},
    {"text/event-stream;q=.5", false},
    {"text/event-stream;q=1x", false},
    {"text/event-stream;;q=0.5;", true},
    {"text/event-stream;", true},
};

static void each_row__is_as_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mm_accept_wants_events(rows[i].accept) != rows[i].want)
			fail_msg("%s", rows[i].accept ? rows[i].accept : "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_row__is_as_wanted)};
	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
