/* test_stream_parser: which documents come out of which bytes, cut at every place. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ai/stream_parser.h"

enum { LIMIT = 64 };

/* Documents, each with a "|" after it. */
static struct mm_buffer seen;

static enum mm_status see(void *context, const char *text, size_t length)
{
	(void)context;
	assert_int_equal(text[length], '\0');
	mm_buffer_add(&seen, text, length);
	mm_buffer_add_char(&seen, '|');
	return length == 4 && memcmp(text, "stop", 4) == 0 ? MM_GONE : MM_OK;
}

static const struct row {
	const char *name, *bytes, *want;
	enum mm_status status;
} rows[] = {
    {"an event", "event: x\ndata: {\"a\":1}\n\n", "{\"a\":1}|", MM_OK},
    {"two events", "data: a\n\ndata: b\n\n", "a|b|", MM_OK},
    {"no space after the colon", "data:a\n\n", "a|", MM_OK},
    {"one of two spaces stays", "data:  a\n\n", " a|", MM_OK},
    {"two lines are one document", "data: {\ndata: }\n\n", "{\n}|", MM_OK},
    {"CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", "a|b|", MM_OK},
    {"CR", "data: a\r\rdata: b\r\r", "a|b|", MM_OK},
    {"mixed ends", "data: a\r\n\ndata: b\n\r", "a|b|", MM_OK},
    {"comments, unknown fields and empty lines", ": hi\n\n\nid: 3\nretry: 5\ndata: a\n\n", "a|",
     MM_OK},
    {"no blank line at the end", "data: a\n\ndata: b\n", "a|b|", MM_OK},
    {"no line end at the end", "data: a\n\ndata: b", "a|b|", MM_OK},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     "a|", MM_OK},
    {"U+2028 ends no line",
     "data: a\xE2\x80\xA8"
     "b\n\n",
     "a\xE2\x80\xA8"
     "b|",
     MM_OK},
    {"data without a value", "data\n\n", "|", MM_OK},
    {"a name that begins alike", "database: x\n\ndata: a\n\n", "a|", MM_OK},
    {"nothing", "", "", MM_OK},
    {"only line ends", "\n\r\n\r", "", MM_OK},
    {"a whole document", "{\"a\": {\"b\": [1, 2]}}", "{\"a\": {\"b\": [1, 2]}}|", MM_OK},
    {"white space around it", " \n\t{\"a\":1}\r\n ", "{\"a\":1}|", MM_OK},
    {"a byte order mark before it", "\xEF\xBB\xBF{}", "{}|", MM_OK},
    {"brackets in a text", "{\"a\":\"}]{[\"}", "{\"a\":\"}]{[\"}|", MM_OK},
    {"quotation marks in a text", "{\"a\":\"\\\"}\\\\\"}", "{\"a\":\"\\\"}\\\\\"}|", MM_OK},
    {"lines of documents", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}|{\"a\":2}|", MM_OK},
    {"an array of documents", "[{\"a\":1}\n,\n{\"a\":[]}]", "{\"a\":1}|{\"a\":[]}|", MM_OK},
    {"an empty array", "[]", "", MM_OK},
    {"a document after events", "data: a\n\n[{\n\"e\":1}]", "a|{\n\"e\":1}|", MM_OK},
    {"a document after an event that did not end", "data: a\n{\"e\":1}", "a|{\"e\":1}|", MM_OK},
    {"a document that does not end", "{\"a\":{}", "", MM_BAD_INPUT},
    {"a document that ends in a text", "{\"a\":\"}", "", MM_BAD_INPUT},
    {"a page", "<html>\n<p>{x}\n", "", MM_OK},
    {"data of the greatest length",
     "data: 0123456789012345678901234567890123456789012345678901234567\n\n",
     "0123456789012345678901234567890123456789012345678901234567|", MM_OK},
    {"a line that is too long",
     "data: 01234567890123456789012345678901234567890123456789012345678\n\n", "", MM_TOO_LARGE},
    {"an event that is too long",
     "data: 0123456789012345678901234567890\ndata: 0123456789012345678901234567890123\n\n", "",
     MM_TOO_LARGE},
    {"a document that is too long",
     "{\"a\":\"0123456789012345678901234567890123456789012345678901234567890\"}", "", MM_TOO_LARGE},
    {"what the callback says ends it", "data: stop\n\ndata: b\n\n", "stop|", MM_GONE},
};

/* Feeds the bytes in two pieces, or one by one. */
static enum mm_status feed(struct mm_stream_parser *parser, const char *bytes, size_t cut)
{
	const size_t length = strlen(bytes);
	enum mm_status status = MM_OK;
	if (cut <= length) {
		status = mm_stream_parser_feed(parser, bytes, cut);
		return status == MM_OK ? mm_stream_parser_feed(parser, bytes + cut, length - cut)
				       : status;
	}
	for (size_t i = 0; i < length && status == MM_OK; i++)
		status = mm_stream_parser_feed(parser, bytes + i, 1);
	return status;
}

static void check(const struct row *row, size_t cut)
{
	struct mm_stream_parser parser;
	mm_buffer_clear(&seen);
	mm_stream_parser_init(&parser, LIMIT, see, NULL);
	enum mm_status status = feed(&parser, row->bytes, cut);
	if (status == MM_OK)
		status = mm_stream_parser_finish(&parser);
	mm_stream_parser_free(&parser);
	if (status != row->status || strcmp(mm_buffer_text(&seen), row->want) != 0)
		fail_msg("%s, cut at %zu: status %d, documents %s", row->name, cut, status,
			 mm_buffer_text(&seen));
}

static void feed__each_row_cut_at_every_byte__gives_its_documents(void **state)
{
	(void)state;
	mm_buffer_init(&seen, 256, 0, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t cut = 0; cut <= strlen(rows[i].bytes) + 1; cut++)
			check(&rows[i], cut);
	mm_buffer_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(feed__each_row_cut_at_every_byte__gives_its_documents),
	};
	return cmocka_run_group_tests_name("stream_parser", tests, NULL, NULL);
}
