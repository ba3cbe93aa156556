/*
 * stream_parser: the documents in a provider's answer, however it is cut (floor 3).
 *
 * Shape    bytes go in as they arrive, whole documents come out: the data of each server-sent event,
 *          each line of NDJSON, each object of a JSON array, or the one document of a whole answer.
 *          A plain value; which form it is shows in the bytes, because an error may come as bare
 *          JSON where a stream was asked for, even in the middle of one
 * Units    bytes
 * Own      end it with mm_stream_parser_free; a document is borrowed during the callback, with a
 *          NUL after it
 * Errors   MM_TOO_LARGE: a document over the limit, or no memory for it; MM_BAD_INPUT: the end came
 *          within a JSON document. What the callback returns, unless MM_OK, ends the feeding
 * Threads  one thread
 * Source   WHATWG HTML, "Server-sent events", 9.2.6: lines end with CR, LF or CR LF; a byte order
 *          mark at the start is skipped; unlike there, data at the end of the stream counts
 *          without a blank line after it
 *
 * Bytes that are neither (an HTML page) give no document. A document is not checked: that is for
 * whoever reads it.
 */
#ifndef MM_AI_STREAM_PARSER_H
#define MM_AI_STREAM_PARSER_H

#include "base/buffer.h"
#include "base/status.h"

/* Called for each document. */
typedef enum mm_status (*mm_stream_document)(void *context, const char *text, size_t length);

struct mm_stream_parser {
	struct mm_buffer line;     /* the line that has not ended */
	struct mm_buffer document; /* data lines, or JSON up to its last bracket */
	mm_stream_document on_document;
	void *context;
	bool has_started;    /* the byte order mark is behind */
	bool has_data;       /* document holds data of an event */
	bool is_after_cr;    /* a LF now belongs to the CR before */
	bool is_json;        /* from here on brackets are counted */
	unsigned depth;      /* of objects and arrays within a document */
	bool is_in_text;     /* within a JSON string */
	bool is_after_slash; /* and after its backslash */
};

/* limit: of a document or line. */
void mm_stream_parser_init(struct mm_stream_parser *parser, size_t limit,
			   mm_stream_document on_document, void *context);
void mm_stream_parser_free(struct mm_stream_parser *parser);

/* Takes the next bytes. */
enum mm_status mm_stream_parser_feed(struct mm_stream_parser *parser, const char *bytes,
				     size_t length);

/* The answer is over. */
enum mm_status mm_stream_parser_finish(struct mm_stream_parser *parser);

#endif
