/* json: reads a document with json-c after json_check.c has found it strict, and reads its members. */
#include "config.h"

#include "text/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>

#include "text/json_check.h"

static void put_document(void *document)
{
	json_object_put(document);
}

/*
 * json-c builds the document; what it refuses after our check is our mistake or a lack of memory.
 * Without memory json-c 0.16 does not always fail: it cuts a string short or puts null in its place.
 * Only errno tells.
 */
static enum mm_status build(const char *text, size_t length, struct json_object **out,
			    struct mm_error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(MM_JSON_DEPTH_LIMIT + 1);

	if (tokener == NULL)
		return mm_error_cause(err, MM_NO_MEMORY, "json-c tokener");
	errno = 0;
	/* Not JSON_TOKENER_STRICT: in json-c 0.18 it refuses every byte that is not ASCII. */
	*out = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error problem = json_tokener_get_error(tokener);
	/* A number at the end of the text: json-c waits for more digits until it is told. */
	if (problem == json_tokener_continue) {
		*out = json_tokener_parse_ex(tokener, "", 1);
		problem = json_tokener_get_error(tokener);
	}
	const bool is_short_of_memory = errno == ENOMEM;
	json_tokener_free(tokener);
	if (is_short_of_memory) {
		json_object_put(*out);
		return mm_error_cause(err, MM_NO_MEMORY, "json-c");
	}
	if (problem == json_tokener_success)
		return MM_OK;
	return mm_error_set(err, MM_BAD_INPUT, "invalid_json", NULL, "invalid JSON");
}

enum mm_status mm_json_parse(const char *text, size_t length, const struct mm_json_limits *limits,
			     struct json_object **out, struct mm_arena *arena, struct mm_error *err)
{
	int max_depth = limits == NULL ? 0 : limits->max_depth;
	size_t max_bytes = limits == NULL ? 0 : limits->max_bytes;
	struct json_object *document = NULL;

	if (max_depth <= 0 || max_depth > MM_JSON_DEPTH_LIMIT)
		max_depth = MM_JSON_DEPTH_LIMIT;
	if ((max_bytes > 0 && length > max_bytes) || length > INT_MAX)
		return mm_error_set(err, MM_TOO_LARGE, NULL, NULL,
				    "JSON text of %zu bytes is over the limit", length);
	enum mm_status status = mm_json_check(text, length, max_depth, arena, err);
	if (status == MM_OK)
		status = build(text, length, &document, err);
	if (status != MM_OK)
		return status;
	if (document != NULL && mm_arena_on_reset(arena, put_document, document) != MM_OK) {
		json_object_put(document);
		return mm_error_cause(err, MM_NO_MEMORY, "JSON cleanup");
	}
	*out = document;
	return MM_OK;
}

static enum mm_status bad_field(struct mm_error *err, const char *key, const char *reason)
{
	return mm_error_set(err, MM_BAD_INPUT, "invalid_field", key, "%s %s", key, reason);
}

/* Looks a member up; *member is NULL when it is absent or null. */
static enum mm_status find_member(struct json_object *object, const char *key, bool is_required,
				  struct json_object **member, struct mm_error *err)
{
	*member = NULL;
	if (!json_object_is_type(object, json_type_object))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", NULL,
				    "the body must be an object");
	json_object_object_get_ex(object, key, member);
	if (*member == NULL && is_required)
		return bad_field(err, key, "is required");
	return MM_OK;
}

/* Looks a member up and sees that it has the type, if it is there. */
static enum mm_status find_typed(struct json_object *object, const char *key, bool is_required,
				 enum json_type type, struct json_object **member,
				 struct mm_error *err)
{
	static const char *const reasons[] = {
	    [json_type_boolean] = "must be true or false",
	    [json_type_int] = "must be a whole number",
	    [json_type_object] = "must be an object",
	    [json_type_array] = "must be an array",
	    [json_type_string] = "must be a string",
	};
	enum mm_status status = find_member(object, key, is_required, member, err);

	if (status != MM_OK)
		return status;
	if (*member != NULL && !json_object_is_type(*member, type))
		return bad_field(err, key, reasons[type]);
	return MM_OK;
}

enum mm_status mm_json_text(struct json_object *object, const char *key, bool is_required,
			    const char **text_out, size_t *length_out, struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status =
	    find_typed(object, key, is_required, json_type_string, &member, err);

	if (status != MM_OK)
		return status;
	*text_out = member == NULL ? NULL : json_object_get_string(member);
	if (length_out != NULL)
		*length_out = member == NULL ? 0 : (size_t)json_object_get_string_len(member);
	return MM_OK;
}

enum mm_status mm_json_bool(struct json_object *object, const char *key, bool fallback, bool *out,
			    struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status = find_typed(object, key, false, json_type_boolean, &member, err);

	if (status == MM_OK)
		*out = member == NULL ? fallback : json_object_get_boolean(member);
	return status;
}

/* json-c keeps what is over INT64_MAX as unsigned and reads it back saturated. */
static bool is_i64(struct json_object *member)
{
	return json_object_get_int64(member) < 0 || json_object_get_uint64(member) <= INT64_MAX;
}

enum mm_status mm_json_i64(struct json_object *object, const char *key, bool is_required,
			   int64_t min, int64_t max, int64_t fallback, int64_t *out,
			   struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status = find_typed(object, key, is_required, json_type_int, &member, err);

	if (status != MM_OK)
		return status;
	int64_t value = member == NULL ? fallback : json_object_get_int64(member);
	if (member != NULL && (!is_i64(member) || value < min || value > max))
		return mm_error_set(err, MM_BAD_INPUT, "invalid_field", key,
				    "%s must be between %lld and %lld", key, (long long)min,
				    (long long)max);
	*out = value;
	return MM_OK;
}

enum mm_status mm_json_double(struct json_object *object, const char *key, bool is_required,
			      double fallback, double *out, struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status = find_member(object, key, is_required, &member, err);

	if (status != MM_OK)
		return status;
	if (member != NULL && !json_object_is_type(member, json_type_int) &&
	    !json_object_is_type(member, json_type_double))
		return bad_field(err, key, "must be a number");
	*out = member == NULL ? fallback : json_object_get_double(member);
	return MM_OK;
}

enum mm_status mm_json_array(struct json_object *object, const char *key, bool is_required,
			     struct json_object **out, struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status = find_typed(object, key, is_required, json_type_array, &member, err);

	if (status == MM_OK)
		*out = member;
	return status;
}

enum mm_status mm_json_object(struct json_object *object, const char *key, bool is_required,
			      struct json_object **out, struct mm_error *err)
{
	struct json_object *member;
	enum mm_status status =
	    find_typed(object, key, is_required, json_type_object, &member, err);

	if (status == MM_OK)
		*out = member;
	return status;
}
