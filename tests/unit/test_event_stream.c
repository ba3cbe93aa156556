/* test_event_stream: the bytes of events, heartbeats, clients that leave or are slow; over an output
 * and a clock of the test's own. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/event_stream.h"

static int64_t now_ms;
static int64_t write_takes_ms;
static struct mm_buffer wire;
static bool can_begin, can_write;
static enum mm_stream_peer peer;
static struct mm_request request;
static struct mm_event_stream stream;
static struct mm_audience audience;

static int64_t read_clock(void *self)
{
	(void)self;
	return now_ms;
}

static const struct mm_clock fake_clock = {.utc_ms = read_clock, .mono_ms = read_clock};

static bool begin(const struct mm_request *from)
{
	assert_ptr_equal(from, &request);
	return can_begin;
}

static bool write_wire(const struct mm_request *from, const char *bytes, size_t length)
{
	assert_ptr_equal(from, &request);
	now_ms += write_takes_ms;
	mm_buffer_add(&wire, bytes, length);
	return can_write;
}

static enum mm_stream_peer look(const struct mm_request *from)
{
	(void)from;
	return peer;
}

static int set_up(void **state)
{
	(void)state;
	now_ms = 1000;
	write_takes_ms = 0;
	can_begin = can_write = true;
	peer = MM_STREAM_THERE;
	mm_buffer_init(&wire, 0, 0, NULL);
	request = (struct mm_request){.request_id = "r-1", .arena = mm_arena_new(0)};
	mm_event_stream_init(&stream, &request, &fake_clock);
	stream.output = (struct mm_event_output){begin, write_wire, look};
	audience = mm_event_stream_audience(&stream);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_buffer_free(&wire);
	mm_arena_free(request.arena);
	return 0;
}

static bool send(const char *event, const char *json)
{
	return audience.send(audience.context, event, json, strlen(json));
}

static enum mm_audience_state wait(void)
{
	return audience.wait(audience.context);
}

/* What was written since the last call. */
static void assert_wire(const char *want)
{
	assert_string_equal(mm_buffer_text(&wire), want);
	mm_buffer_clear(&wire);
}

static void first_event__brings_the_head(void **state)
{
	(void)state;
	assert_true(send("meta", "{}"));
	assert_wire("Status: 200 OK\r\nContent-Type: text/event-stream\r\n"
		    "Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n"
		    "X-Content-Type-Options: nosniff\r\nX-Request-Id: r-1\r\n\r\n"
		    "event: meta\ndata: {}\n\n");
	assert_true(send("delta", "{\"text\":\"a\"}"));
	assert_wire("event: delta\ndata: {\"text\":\"a\"}\n\n");
}

static void silence__is_broken_every_ten_seconds(void **state)
{
	(void)state;
	send("meta", "{}");
	mm_buffer_clear(&wire);
	now_ms += MM_EVENT_HEARTBEAT_MS - 1;
	assert_int_equal(wait(), MM_AUDIENCE_THERE);
	assert_wire("");
	now_ms += 1;
	assert_int_equal(wait(), MM_AUDIENCE_THERE);
	assert_wire(":\n\n");
	now_ms += MM_EVENT_HEARTBEAT_MS - 1;
	wait();
	assert_wire("");
}

static void nothing_begun__nothing_is_written(void **state)
{
	(void)state;
	peer = MM_STREAM_GONE;
	now_ms += 2 * MM_EVENT_HEARTBEAT_MS;
	assert_int_equal(wait(), MM_AUDIENCE_THERE);
	assert_wire("");
	assert_int_equal(mm_event_stream_end(&stream, MM_BUSY, NULL), MM_BUSY);
	assert_wire("");
}

static void failed_write__is_for_good(void **state)
{
	(void)state;
	send("meta", "{}");
	can_write = false;
	assert_false(send("delta", "{}"));
	can_write = true;
	mm_buffer_clear(&wire);
	assert_false(send("delta", "{}"));
	assert_int_equal(wait(), MM_AUDIENCE_LEFT);
	mm_event_stream_end(&stream, MM_BUSY, NULL);
	assert_wire("");
}

static void failed_heartbeat__is_a_client_that_left(void **state)
{
	(void)state;
	send("meta", "{}");
	can_write = false;
	now_ms += MM_EVENT_HEARTBEAT_MS;
	assert_int_equal(wait(), MM_AUDIENCE_LEFT);
}

static void peer__is_looked_at_while_waiting(void **state)
{
	(void)state;
	send("meta", "{}");
	peer = MM_STREAM_STOPPING;
	assert_int_equal(wait(), MM_AUDIENCE_SENT_OFF);
	assert_true(send("delta", "{}"));
	peer = MM_STREAM_GONE;
	assert_int_equal(wait(), MM_AUDIENCE_LEFT);
	assert_false(send("delta", "{}"));
}

static void slow_reader__is_given_up(void **state)
{
	(void)state;
	send("meta", "{}");
	write_takes_ms = MM_EVENT_PATIENCE_MS / 4;
	for (int i = 0; i < 4; i++)
		assert_true(send("delta", "{}"));
	assert_false(send("delta", "{}"));
	assert_int_equal(wait(), MM_AUDIENCE_LEFT);
}

static void error_after_the_beginning__is_an_event(void **state)
{
	struct mm_error err = {.status = MM_OK};
	(void)state;
	send("meta", "{}");
	mm_buffer_clear(&wire);
	mm_error_set(&err, MM_BUSY, NULL, NULL, "Later");
	assert_int_equal(mm_event_stream_end(&stream, MM_BUSY, &err), MM_BUSY);
	assert_non_null(
	    strstr(mm_buffer_text(&wire), "event: error\ndata: {\"error\":\"Later\",\"code\":\""));
	assert_non_null(strstr(wire.data, "\"request_id\":\"r-1\"}\n\n"));
}

static void good_end__writes_nothing(void **state)
{
	(void)state;
	send("done", "{}");
	mm_buffer_clear(&wire);
	assert_int_equal(mm_event_stream_end(&stream, MM_OK, NULL), MM_OK);
	assert_wire("");
}

/* The reply must not look as if it were one. */
static void stream_that_cannot_begin__ends_in_an_error(void **state)
{
	(void)state;
	can_begin = false;
	assert_false(send("meta", "{}"));
	assert_int_equal(mm_event_stream_end(&stream, MM_OK, NULL), MM_BAD_INPUT);
	assert_wire("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(first_event__brings_the_head, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(silence__is_broken_every_ten_seconds, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(nothing_begun__nothing_is_written, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(failed_write__is_for_good, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(failed_heartbeat__is_a_client_that_left, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(peer__is_looked_at_while_waiting, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(slow_reader__is_given_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(error_after_the_beginning__is_an_event, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(good_end__writes_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(stream_that_cannot_begin__ends_in_an_error, set_up,
					    tear_down),
	};
	return cmocka_run_group_tests_name("event_stream", tests, NULL, NULL);
}
