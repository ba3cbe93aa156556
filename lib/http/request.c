/*
 * request: parameters and body into a struct mm_request. It knows CGI's names, not libfcgi.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "http/request.h"

static const char *parameter(const struct mm_request_source *source, const char *name)
{
	return source->parameter(source->self, name);
}

/* nginx hands over an absent header as an empty parameter. */
static const char *parameter_or_null(const struct mm_request_source *source, const char *name)
{
	const char *text = parameter(source, name);

	return text && text[0] ? text : NULL;
}

static const char *parameter_or_empty(const struct mm_request_source *source, const char *name)
{
	const char *text = parameter(source, name);

	return text ? text : "";
}

static bool is_id_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '-';
}

bool mm_request_id_is_valid(const char *text)
{
	size_t length = 0;

	if (!text)
		return false;
	while (is_id_byte(text[length]))
		length++;
	return text[length] == '\0' && length > 0 && length <= MM_REQUEST_ID_MAX;
}

/* The id of a request that came with none, or with one that may not be repeated. */
static const char *make_id(struct mm_id_source *ids, struct mm_arena *arena)
{
	char *text = mm_arena_alloc(arena, MM_ID_TEXT);
	struct mm_id id;

	if (!text || mm_id_next(ids, &id) != MM_OK)
		return NULL;
	mm_id_format(&id, text);
	return text;
}

enum mm_status mm_request_open(const struct mm_request_source *source, struct mm_id_source *ids,
			       int64_t now_mono_ms, struct mm_request *request,
			       struct mm_arena *arena, struct mm_error *err)
{
	*request = (struct mm_request){
	    .method = parameter_or_empty(source, "REQUEST_METHOD"),
	    .path = parameter_or_empty(source, "SCRIPT_NAME"),
	    .query = parameter_or_empty(source, "QUERY_STRING"),
	    .content_type = parameter_or_null(source, "CONTENT_TYPE"),
	    .accept = parameter_or_null(source, "HTTP_ACCEPT"),
	    .authorization = parameter_or_null(source, "HTTP_AUTHORIZATION"),
	    .idempotency_key = parameter_or_null(source, "HTTP_IDEMPOTENCY_KEY"),
	    .request_id = parameter(source, "REQUEST_ID"),
	    .remote_address = parameter_or_empty(source, "REMOTE_ADDR"),
	    .body = "",
	    .started_mono_ms = now_mono_ms,
	    .arena = arena,
	};
	if (!mm_request_id_is_valid(request->request_id))
		request->request_id = make_id(ids, arena);
	if (!request->request_id) {
		request->request_id = "-";
		return mm_error_cause(err, MM_NO_MEMORY, "no request id could be made");
	}
	if (!request->method[0] || !request->path[0])
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "the request has no method or no path");
	return MM_OK;
}

/* The start of the parameter's value inside `charset=...`, without an opening quote, or NULL. */
static const char *find_charset(const char *parameters)
{
	static const char name[] = "charset=";

	for (const char *at = strchr(parameters, ';'); at; at = strchr(at, ';')) {
		at++;
		at += strspn(at, " \t");
		if (strncasecmp(at, name, sizeof(name) - 1) == 0) {
			at += sizeof(name) - 1;
			return at + (*at == '"');
		}
	}
	return NULL;
}

bool mm_request_type_is_json(const char *content_type)
{
	static const char json[] = "application/json";
	static const char utf8[] = "utf-8";
	const char *rest;
	const char *charset;

	if (!content_type || strncasecmp(content_type, json, sizeof(json) - 1) != 0)
		return false;
	rest = content_type + sizeof(json) - 1;
	if (rest[strspn(rest, " \t")] != '\0' && rest[strspn(rest, " \t")] != ';')
		return false;
	charset = find_charset(rest);
	if (!charset)
		return true;
	if (strncasecmp(charset, utf8, sizeof(utf8) - 1) != 0)
		return false;
	return strchr("\" \t;", charset[sizeof(utf8) - 1]) != NULL; /* the NUL counts */
}

static enum mm_status read_length(const struct mm_request_source *source, size_t max_bytes,
				  size_t *length_out, struct mm_error *err)
{
	const char *text = parameter_or_empty(source, "CONTENT_LENGTH");
	const char *digits = text + strspn(text, "0"); /* RFC 9110 allows zeros in front */
	size_t count = strspn(digits, "0123456789");
	int64_t length = 0;

	if (digits[count] != '\0')
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "Content-Length must be a plain decimal number");
	if (count > 0 && !mm_number_parse_i64(digits, count, 0, (int64_t)max_bytes, &length))
		return mm_error_set(err, MM_TOO_LARGE, NULL, NULL,
				    "the body is longer than %zu bytes", max_bytes);
	*length_out = (size_t)length;
	return MM_OK;
}

static enum mm_status read_bytes(const struct mm_request_source *source, size_t length,
				 struct mm_request *request, struct mm_error *err)
{
	char *body = mm_arena_alloc(request->arena, length + 1);
	long count;

	if (!body)
		return mm_error_cause(err, MM_NO_MEMORY, "no room for a body of %zu bytes", length);
	count = source->read(source->self, body, length);
	if (count < 0 || (size_t)count != length)
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
				    "the body is shorter than its Content-Length");
	body[length] = '\0';
	request->body = body;
	request->body_length = length;
	return MM_OK;
}

enum mm_status mm_request_read_body(const struct mm_request_source *source, size_t max_bytes,
				    struct mm_request *request, struct mm_error *err)
{
	size_t length = 0;
	enum mm_status status = read_length(source, max_bytes, &length, err);

	if (status != MM_OK || length == 0)
		return status;
	if (!mm_request_type_is_json(request->content_type))
		return mm_error_set(err, MM_BAD_TYPE, NULL, NULL,
				    "Content-Type must be application/json, in UTF-8");
	return read_bytes(source, length, request, err);
}
