/*
 * status: the table of error codes and the two ways of describing a failure. Nothing here logs.
 */
#include "config.h"

#include "base/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct status_row {
	int http;            /* HTTP status */
	const char *code;    /* for programs, in the error reply */
	const char *message; /* for people, where nothing more exact is known */
};

static const struct status_row rows[MM_STATUS__MAX] = {
    [MM_OK] = {200, "ok", "OK"},
    [MM_BAD_INPUT] = {400, "invalid_request", "The request is not valid"},
    [MM_UNAUTHENTICATED] = {401, "unauthenticated", "This needs authentication"},
    [MM_DENIED] = {403, "forbidden", "This is not allowed"},
    [MM_NOT_FOUND] = {404, "not_found", "There is nothing at this address"},
    [MM_BAD_METHOD] = {405, "method_not_allowed", "This method is not allowed here"},
    [MM_CONFLICT] = {409, "conflict", "This contradicts the present state"},
    [MM_TOO_LARGE] = {413, "too_large", "The request is too large"},
    [MM_BAD_TYPE] = {415, "unsupported_media_type", "The content type must be application/json"},
    [MM_BUSY] = {503, "unavailable", "The service is busy, please try again"},
    [MM_TIMEOUT] = {503, "timeout", "This took too long, please try again"},
    [MM_UPSTREAM] = {503, "unavailable", "The service is not available, please try again"},
    [MM_GONE] = {410, "gone", "This no longer exists"},
    [MM_STOPPING] = {503, "unavailable", "The service is restarting, please try again"},
    [MM_NO_MEMORY] = {503, "unavailable", "The service is busy, please try again"},
    [MM_BUG] = {500, "internal_error", "Something went wrong on our side"},
};

static const struct status_row *row_of(enum mm_status status)
{
	return &rows[(unsigned)status < MM_STATUS__MAX ? status : MM_BUG];
}

int mm_status_http(enum mm_status status)
{
	return row_of(status)->http;
}

const char *mm_status_code(enum mm_status status)
{
	return row_of(status)->code;
}

const char *mm_status_message(enum mm_status status)
{
	return row_of(status)->message;
}

/* Where a text of `length` bytes ends once a character whose bytes are not all there is dropped. */
static size_t last_whole_character(const char *text, size_t length)
{
	size_t lead = length;

	while (lead > 0 && length - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (lead == 0 || (unsigned char)text[lead - 1] < 0xC0)
		return length;
	lead--;
	unsigned char byte = (unsigned char)text[lead];
	size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
	return length - lead < wanted ? lead : length;
}

static void format_into(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void format_into(char *out, size_t size, const char *format, va_list arguments)
{
	int length = vsnprintf(out, size, format, arguments);

	if (length < 0)
		out[0] = '\0';
	else if ((size_t)length >= size)
		out[last_whole_character(out, size - 1)] = '\0';
}

static void copy_into(char *out, size_t size, const char *text)
{
	size_t length = strnlen(text, size);

	if (length == size)
		length = last_whole_character(text, size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
}

enum mm_status mm_error_set(struct mm_error *err, enum mm_status status, const char *code,
			    const char *field, const char *format, ...)
{
	if (!err)
		return status;
	va_list arguments;
	va_start(arguments, format);
	err->status = status;
	err->code = code;
	copy_into(err->field, sizeof(err->field), field ? field : "");
	format_into(err->message, sizeof(err->message), format, arguments);
	err->cause[0] = '\0';
	va_end(arguments);
	return status;
}

enum mm_status mm_error_cause(struct mm_error *err, enum mm_status status, const char *format, ...)
{
	if (!err)
		return status;
	va_list arguments;
	va_start(arguments, format);
	err->status = status;
	err->code = NULL;
	err->field[0] = '\0';
	copy_into(err->message, sizeof(err->message), mm_status_message(status));
	format_into(err->cause, sizeof(err->cause), format, arguments);
	va_end(arguments);
	return status;
}
