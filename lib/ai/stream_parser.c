/* stream_parser: cuts bytes into documents; reads none of them. */
#include "config.h"

#include "ai/stream_parser.h"

#include <string.h>

void mm_stream_parser_init(struct mm_stream_parser *parser, size_t limit,
			   mm_stream_document on_document, void *context)
{
	*parser = (struct mm_stream_parser){.on_document = on_document, .context = context};
	mm_buffer_init(&parser->line, 0, limit, NULL);
	mm_buffer_init(&parser->document, 0, limit, NULL);
}

void mm_stream_parser_free(struct mm_stream_parser *parser)
{
	mm_buffer_free(&parser->line);
	mm_buffer_free(&parser->document);
}

static enum mm_status check(const struct mm_buffer *buffer)
{
	return buffer->has_failed ? MM_TOO_LARGE : MM_OK;
}

static enum mm_status emit(struct mm_stream_parser *parser)
{
	enum mm_status status = check(&parser->document);
	const char *text = mm_buffer_text(&parser->document);
	if (status == MM_OK)
		status = parser->on_document(parser->context, text, parser->document.length);
	mm_buffer_clear(&parser->document);
	parser->has_data = false;
	return status;
}

/* ---- server-sent events */

/* The value of a field after its colon and one space. */
static void add_data(struct mm_stream_parser *parser, const char *value, size_t length)
{
	if (length > 0 && value[0] == ' ') {
		value++;
		length--;
	}
	if (parser->has_data)
		mm_buffer_add_char(&parser->document, '\n');
	mm_buffer_add(&parser->document, value, length);
	parser->has_data = true;
}

/* Only data says anything: the type of an event is in its data too, with every provider. */
static enum mm_status take_line(struct mm_stream_parser *parser)
{
	static const char data[] = "data";
	const size_t name = sizeof data - 1;
	const char *line = mm_buffer_text(&parser->line);
	size_t length = parser->line.length;
	enum mm_status status = check(&parser->line);

	if (length == 0 && parser->has_data)
		status = status == MM_OK ? emit(parser) : status;
	else if (length >= name && memcmp(line, data, name) == 0 && line[name] == ':')
		add_data(parser, line + name + 1, length - name - 1);
	else if (length == name && memcmp(line, data, name) == 0)
		add_data(parser, "", 0);
	mm_buffer_clear(&parser->line);
	return status == MM_OK ? check(&parser->document) : status;
}

/* ---- JSON without events around it */

static void count_text(struct mm_stream_parser *parser, char byte)
{
	if (parser->is_after_slash)
		parser->is_after_slash = false;
	else if (byte == '\\')
		parser->is_after_slash = true;
	else if (byte == '"')
		parser->is_in_text = false;
}

static enum mm_status close_bracket(struct mm_stream_parser *parser)
{
	if (parser->depth == 0)
		return MM_OK; /* of the array around the documents */
	return --parser->depth == 0 ? emit(parser) : MM_OK;
}

/* Between documents there may be white space, commas and the brackets of an array around them. */
static enum mm_status take_json(struct mm_stream_parser *parser, char byte)
{
	if (parser->depth > 0 || byte == '{')
		mm_buffer_add_char(&parser->document, byte);
	if (parser->is_in_text)
		count_text(parser, byte);
	else if (parser->depth > 0 && byte == '"')
		parser->is_in_text = true;
	else if (byte == '{' || (byte == '[' && parser->depth > 0))
		parser->depth++;
	else if (byte == '}' || byte == ']')
		return close_bracket(parser);
	return check(&parser->document);
}

/* ---- either */

static enum mm_status begin_json(struct mm_stream_parser *parser, char byte)
{
	enum mm_status status = parser->has_data ? emit(parser) : MM_OK;
	parser->is_json = true;
	return status == MM_OK ? take_json(parser, byte) : status;
}

static enum mm_status take_byte(struct mm_stream_parser *parser, char byte)
{
	const bool was_cr = parser->is_after_cr;
	if (parser->is_json)
		return take_json(parser, byte);
	parser->is_after_cr = byte == '\r';
	if (byte == '\n' && was_cr)
		return MM_OK;
	if (byte == '\n' || byte == '\r')
		return take_line(parser);
	if (!parser->has_started && parser->line.length == 0 && (byte == ' ' || byte == '\t'))
		return MM_OK;
	/* No field of an event begins with a bracket. */
	if (parser->line.length == 0 && (byte == '{' || byte == '['))
		return begin_json(parser, byte);
	mm_buffer_add_char(&parser->line, byte);
	return check(&parser->line);
}

/* The bytes of a byte order mark are kept in the line until it is whole. */
static void skip_mark(struct mm_stream_parser *parser)
{
	static const char mark[] = "\xEF\xBB\xBF";
	const size_t length = parser->line.length;
	if (parser->has_started || length == 0)
		return;
	if (length > 3 || memcmp(parser->line.data, mark, length) != 0) {
		parser->has_started = true;
	} else if (length == 3) {
		parser->has_started = true;
		mm_buffer_clear(&parser->line);
	}
}

enum mm_status mm_stream_parser_feed(struct mm_stream_parser *parser, const char *bytes,
				     size_t length)
{
	enum mm_status status = MM_OK;
	for (size_t i = 0; i < length && status == MM_OK; i++) {
		status = take_byte(parser, bytes[i]);
		skip_mark(parser);
	}
	return status;
}

enum mm_status mm_stream_parser_finish(struct mm_stream_parser *parser)
{
	if (parser->is_json)
		return parser->depth == 0 ? MM_OK : MM_BAD_INPUT;
	enum mm_status status = parser->line.length > 0 ? take_line(parser) : MM_OK;
	if (status == MM_OK && parser->has_data)
		status = emit(parser);
	return status;
}
