/* remote: writes a question, has it carried, reads the answer; decides nothing about what follows. */
#include "config.h"

#include "ai/remote.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ai/budget.h"
#include "ai/protocol.h"
#include "ai/reply_check.h"
#include "ai/retry_after.h"
#include "ai/stream_parser.h"
#include "base/number.h"
#include "base/secret.h"

enum {
	BODY_MAX_BYTES = 8 * 1024 * 1024,
	ANSWER_MAX_BYTES = 4 * 1024 * 1024, /* with all that is not text around it */
	DOCUMENT_MAX_BYTES = 1024 * 1024,
	TEXT_MAX_BYTES = 256 * 1024,
	SCRATCH_MAX_BYTES = 16 * 1024 * 1024,
	RETRY_MAX_MS = 24 * 60 * 60 * 1000,
	KEY_MIN_BYTES = 8,
	PATH_BYTES = 4096,
};

struct mm_remote {
	enum mm_ai_vendor vendor;
	const struct mm_protocol *protocol;
	const struct mm_provider_settings *settings;
	struct mm_transport *transport;
	const struct mm_clock *clock;
	const char *url, *stream_url;
	struct mm_secret *key_header; /* "Name: key" with a NUL, or NULL */
};

/* ---- opening */

static enum mm_status refuse(struct mm_error *err, const struct mm_remote *remote, const char *key,
			     const char *reason)
{
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s.%s %s",
			    mm_vendor_name(remote->vendor), key, reason);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Hosts that plain http may reach with a key. */
static bool is_loopback(const char *host)
{
	static const char *const names[] = {"127.", "localhost", "[::1]"};
	const size_t length = strcspn(host, ":/");
	if (memchr(host, '@', strcspn(host, "/")))
		return false;
	return starts_with(host, names[0]) || starts_with(host, names[2]) ||
	       (length == strlen(names[1]) && starts_with(host, names[1]));
}

static enum mm_status check_url(const struct mm_remote *remote, struct mm_error *err)
{
	const char *url = remote->settings->base_url;
	if (starts_with(url, "https://"))
		return MM_OK;
	if (!starts_with(url, "http://"))
		return refuse(err, remote, "base_url", "must begin with https:// or http://");
	if (remote->key_header && !is_loopback(url + strlen("http://")))
		return refuse(err, remote, "base_url",
			      "would send the key unencrypted: use https, or leave key_file empty");
	return MM_OK;
}

static enum mm_status make_url(const struct mm_remote *remote, bool is_streamed, const char **out,
			       struct mm_arena *arena, struct mm_error *err)
{
	const char *base = remote->settings->base_url;
	size_t length = strlen(base);
	struct mm_buffer url;
	while (length > 0 && base[length - 1] == '/')
		length--;
	mm_buffer_init(&url, length + 128, PATH_BYTES, arena);
	mm_buffer_add(&url, base, length);
	remote->protocol->write_path(&url, remote->settings->model, is_streamed);
	if (url.has_failed)
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for an address");
	*out = mm_buffer_text(&url);
	return MM_OK;
}

/* The file itself, or else the credential of that name which systemd passes. */
static enum mm_status load_key(const struct mm_remote *remote, struct mm_secret **key_out,
			       struct mm_error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_BYTES];
	const enum mm_status status =
	    mm_secret_load(remote->settings->key_file, KEY_MIN_BYTES, key_out, err);
	if (status != MM_NOT_FOUND || !folder)
		return status;
	snprintf(path, sizeof path, "%s/%s.key", folder, mm_vendor_name(remote->vendor));
	return mm_secret_load(path, KEY_MIN_BYTES, key_out, err);
}

/* A line break in a key would begin a header of its own. */
static bool is_header_value(const struct mm_secret *key)
{
	const unsigned char *bytes = mm_secret_bytes(key);
	for (size_t i = 0; i < mm_secret_length(key); i++)
		if (bytes[i] <= ' ' || bytes[i] >= 0x7F)
			return false;
	return true;
}

/* The whole header is the secret, so that no other copy of the key is needed. */
static enum mm_status make_key_header(struct mm_remote *remote, const struct mm_secret *key,
				      struct mm_error *err)
{
	char header[MM_SECRET_MAX + 64];
	const int length = snprintf(header, sizeof header, "%s%.*s", remote->protocol->key_header,
				    (int)mm_secret_length(key), (const char *)mm_secret_bytes(key));
	const enum mm_status status =
	    mm_secret_copy(header, (size_t)length + 1, &remote->key_header, err);
	sodium_memzero(header, sizeof header);
	return status;
}

static enum mm_status open_key(struct mm_remote *remote, struct mm_error *err)
{
	struct mm_secret *key = NULL;
	if (remote->settings->key_file[0] == '\0')
		return remote->protocol->needs_key
			   ? refuse(err, remote, "key_file", "is empty, but there must be a key")
			   : MM_OK;
	enum mm_status status = load_key(remote, &key, err);
	if (status == MM_OK && !is_header_value(key))
		status = refuse(err, remote, "key_file", "holds bytes that no key has");
	if (status == MM_OK)
		status = make_key_header(remote, key, err);
	mm_secret_free(key);
	return status;
}

enum mm_status mm_remote_open(enum mm_ai_vendor vendor, const struct mm_provider_settings *settings,
			      struct mm_transport *transport, const struct mm_clock *clock,
			      struct mm_remote **out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_remote *remote = mm_arena_zalloc(arena, sizeof *remote);
	if (!remote)
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no memory for a provider");
	remote->vendor = vendor;
	remote->protocol = mm_protocol_of(vendor);
	remote->settings = settings;
	remote->transport = transport;
	remote->clock = clock;
	enum mm_status status = open_key(remote, err);
	if (status == MM_OK)
		status = check_url(remote, err);
	if (status == MM_OK)
		status = make_url(remote, false, &remote->url, arena, err);
	if (status == MM_OK)
		status = make_url(remote, true, &remote->stream_url, arena, err);
	if (status != MM_OK) {
		mm_remote_close(remote);
		return status;
	}
	*out = remote;
	return MM_OK;
}

void mm_remote_close(struct mm_remote *remote)
{
	if (!remote)
		return;
	mm_secret_free(remote->key_header);
	remote->key_header = NULL;
}

/* ---- the question */

/* Where the history begins that fits, with a message of the customer first. */
static size_t choose_first_turn(const struct mm_remote *remote, const struct mm_ai_request *request,
				const char *prompt)
{
	const int64_t most = remote->settings->max_input_tokens;
	int64_t tokens = mm_budget_estimate(strlen(prompt)) + mm_budget_estimate(request->length);
	size_t first = request->history_count;
	while (first > 0) {
		tokens += mm_budget_estimate(request->history[first - 1].length);
		if (tokens > most)
			break;
		first--;
	}
	while (first < request->history_count && !request->history[first].is_customer)
		first++;
	return first;
}

int64_t mm_remote_estimate(const struct mm_remote *remote, const struct mm_ai_request *request,
			   const char *prompt)
{
	size_t bytes = strlen(prompt) + request->length;
	for (size_t i = choose_first_turn(remote, request, prompt); i < request->history_count; i++)
		bytes += request->history[i].length;
	return mm_budget_estimate(bytes) + remote->settings->max_output_tokens;
}

static void write_question(const struct mm_remote *remote, const struct mm_ai_request *request,
			   const char *prompt, bool is_streamed, struct mm_buffer *body)
{
	const struct mm_question question = {
	    .settings = remote->settings,
	    .request = request,
	    .prompt = prompt,
	    .first_turn = choose_first_turn(remote, request, prompt),
	    .is_streamed = is_streamed,
	    .has_tool = request->can_hand_over && remote->settings->tools && !request->schema,
	};
	struct mm_json_writer writer;
	mm_json_writer_init(&writer, body);
	remote->protocol->write_body(&writer, &question);
}

/* ---- the answer */

struct listener {
	const struct mm_protocol *protocol;
	const struct mm_ai_request *request;
	struct mm_reading reading;
	struct mm_stream_parser parser;
	struct mm_arena *scratch; /* of one document */
	enum mm_fault fault;
	size_t delivered; /* bytes of the text that on_delta has had */
	bool is_stopped;
};

static bool deliver(struct listener *listener)
{
	const struct mm_ai_watcher *watcher = &listener->request->watcher;
	const size_t length = listener->reading.text.length - listener->delivered;
	if (!watcher->on_delta || length == 0)
		return true;
	const char *part = listener->reading.text.data + listener->delivered;
	listener->delivered = listener->reading.text.length;
	listener->is_stopped = !watcher->on_delta(watcher->context, part, length);
	return !listener->is_stopped;
}

static enum mm_status take_document(void *context, const char *text, size_t length)
{
	static const char done[] = "[DONE]";
	static const struct mm_json_limits limits = {.max_bytes = DOCUMENT_MAX_BYTES};
	struct listener *listener = context;
	struct json_object *document = NULL;
	if (length == sizeof done - 1 && memcmp(text, done, length) == 0)
		return MM_OK;
	if (mm_json_parse(text, length, &limits, &document, listener->scratch, NULL) != MM_OK)
		listener->fault = MM_FAULT_INVALID;
	else
		listener->fault = mm_reading_take(&listener->reading, listener->protocol, document);
	mm_arena_reset(listener->scratch);
	return listener->fault == MM_FAULT_NONE && deliver(listener) ? MM_OK : MM_UPSTREAM;
}

/* False ends the transfer: what follows a fault is of no use. */
static bool take_body(void *context, const struct mm_transport_result *result, const char *bytes,
		      size_t length)
{
	struct listener *listener = context;
	const enum mm_status status = mm_stream_parser_feed(&listener->parser, bytes, length);
	(void)result;
	if (status == MM_TOO_LARGE)
		listener->fault = MM_FAULT_TOO_LONG;
	return status == MM_OK;
}

static enum mm_fault fault_of_end(enum mm_transport_end end)
{
	static const enum mm_fault faults[MM_TRANSPORT__MAX] = {
	    [MM_TRANSPORT_DONE] = MM_FAULT_NONE,      [MM_TRANSPORT_CONNECT] = MM_FAULT_CONNECT,
	    [MM_TRANSPORT_TLS] = MM_FAULT_TLS,        [MM_TRANSPORT_RESET] = MM_FAULT_RESET,
	    [MM_TRANSPORT_CUT] = MM_FAULT_CUT,        [MM_TRANSPORT_FIRST] = MM_FAULT_TIMEOUT,
	    [MM_TRANSPORT_IDLE] = MM_FAULT_TIMEOUT,   [MM_TRANSPORT_TOTAL] = MM_FAULT_TIMEOUT,
	    [MM_TRANSPORT_LARGE] = MM_FAULT_TOO_LONG, [MM_TRANSPORT_STOPPED] = MM_FAULT_NONE,
	    [MM_TRANSPORT_FAILED] = MM_FAULT_BUSY};
	return faults[end];
}

/* An error's own words say more than its status only where they speak of key or quota. */
static enum mm_fault fault_of_status(int status, const struct listener *listener)
{
	const enum mm_fault told = listener->reading.fault;
	const enum mm_fault fault = mm_fault_of_http(status);
	if (told == MM_FAULT_QUOTA || told == MM_FAULT_KEY)
		return told;
	return fault;
}

static enum mm_fault fault_of_finish(const struct listener *listener)
{
	const struct mm_reading *reading = &listener->reading;
	switch (reading->finish) {
	case MM_FINISH_NONE:
		return MM_FAULT_CUT;
	case MM_FINISH_STOP:
	case MM_FINISH_LENGTH:
		return reading->text.length > 0 ? MM_FAULT_NONE : MM_FAULT_INVALID;
	case MM_FINISH_REFUSAL:
		return MM_FAULT_NONE;
	case MM_FINISH_TOOL:
		return reading->is_handed_over ? MM_FAULT_NONE : MM_FAULT_INVALID;
	default:
		return MM_FAULT_INVALID;
	}
}

/* A document that never came to an end is cut, and so is an answer without any. */
static enum mm_fault find_fault(struct listener *listener, const struct mm_transport_result *result)
{
	const bool is_whole = result->end == MM_TRANSPORT_DONE;
	const bool is_error = result->status != 0 && result->status != 200;
	if (listener->is_stopped)
		return MM_FAULT_NONE;
	if (is_whole && listener->fault == MM_FAULT_NONE &&
	    mm_stream_parser_finish(&listener->parser) == MM_BAD_INPUT)
		listener->fault = MM_FAULT_INVALID;
	if (is_error)
		return fault_of_status(result->status, listener);
	if (listener->fault != MM_FAULT_NONE)
		return listener->fault;
	if (!is_whole && result->end != MM_TRANSPORT_STOPPED)
		return fault_of_end(result->end);
	if (listener->reading.finish == MM_FINISH_NONE && listener->reading.text.length == 0)
		return MM_FAULT_INVALID;
	return fault_of_finish(listener);
}

static void read_wishes(struct mm_remote_answer *out, const struct mm_transport_result *result,
			const struct listener *listener, int64_t now_utc_ms)
{
	int64_t ms = listener->reading.retry_ms;
	if (ms < 0)
		mm_number_parse_i64(result->retry_after_ms, strlen(result->retry_after_ms), 0,
				    RETRY_MAX_MS, &ms);
	if (ms < 0 && result->retry_after[0])
		ms = mm_retry_after_parse(result->retry_after, now_utc_ms);
	out->retry_ms = ms;
	out->should_retry = strcmp(result->should_retry, "true") == 0    ? 1
			    : strcmp(result->should_retry, "false") == 0 ? 0
									 : -1;
	out->http_status = result->status;
	memcpy(out->request_id, result->request_id, sizeof out->request_id);
}

static enum mm_ai_outcome outcome_of(const struct listener *listener)
{
	if (listener->is_stopped)
		return MM_AI_STOPPED;
	if (listener->reading.finish == MM_FINISH_REFUSAL)
		return MM_AI_REFUSED;
	return listener->reading.finish == MM_FINISH_TOOL ? MM_AI_HANDED_OVER : MM_AI_ANSWERED;
}

/* A customer gets whole sentences; half a document is of no use to anybody. */
static void take_text(struct mm_remote_answer *out, const struct listener *listener,
		      struct mm_arena *arena)
{
	const struct mm_buffer *text = &listener->reading.text;
	out->is_cut = listener->reading.finish == MM_FINISH_LENGTH;
	out->length = text->length;
	if (out->is_cut)
		out->length = listener->request->schema
				  ? 0
				  : mm_reply_whole_sentences(text->data, text->length);
	if (out->outcome != MM_AI_ANSWERED && out->outcome != MM_AI_STOPPED)
		out->length = 0;
	else if (out->length == 0 && out->outcome == MM_AI_ANSWERED)
		out->fault = MM_FAULT_CUT;
	out->text = out->length ? mm_arena_strndup(arena, text->data, out->length) : "";
	if (!out->text)
		*out = (struct mm_remote_answer){.fault = MM_FAULT_BUSY, .text = ""};
}

static void read_answer(struct mm_remote_answer *out, struct listener *listener,
			const struct mm_transport_result *result, const struct mm_remote *remote,
			struct mm_arena *arena)
{
	out->fault = find_fault(listener, result);
	out->input_tokens = listener->reading.input_tokens;
	out->output_tokens = listener->reading.output_tokens;
	out->has_delivered = listener->delivered > 0;
	read_wishes(out, result, listener, mm_clock_utc_ms(remote->clock));
	if (out->fault != MM_FAULT_NONE)
		return;
	out->outcome = outcome_of(listener);
	take_text(out, listener, arena);
}

static int64_t choose_deadline(const struct mm_remote *remote, int64_t deadline_mono_ms)
{
	const int64_t own = mm_clock_mono_ms(remote->clock) + remote->settings->total_timeout_ms;
	return own < deadline_mono_ms ? own : deadline_mono_ms;
}

static void carry(struct mm_remote *remote, const struct mm_buffer *body, bool is_streamed,
		  int64_t deadline_mono_ms, struct listener *listener,
		  struct mm_transport_result *result)
{
	const struct mm_provider_settings *settings = remote->settings;
	const char *key =
	    remote->key_header ? (const char *)mm_secret_bytes(remote->key_header) : NULL;
	const struct mm_transport_call call = {
	    .url = is_streamed ? remote->stream_url : remote->url,
	    .headers = {"Content-Type: application/json", remote->protocol->header, key},
	    .body = body->data,
	    .body_length = body->length,
	    .ca_file = settings->ca_file[0] ? settings->ca_file : NULL,
	    .connect_ms = settings->connect_timeout_ms,
	    .first_byte_ms = is_streamed ? settings->first_token_timeout_ms : 0,
	    .idle_ms = settings->idle_timeout_ms,
	    .deadline_mono_ms = choose_deadline(remote, deadline_mono_ms),
	    .max_bytes = ANSWER_MAX_BYTES,
	    .wants_parts = listener->request->watcher.on_delta != NULL,
	    .on_body = take_body,
	    .context = listener,
	};
	mm_transport_run(remote->transport, &call, result);
}

void mm_remote_ask(struct mm_remote *remote, const struct mm_ai_request *request,
		   const char *prompt, int64_t deadline_mono_ms, struct mm_remote_answer *out,
		   struct mm_arena *arena)
{
	const bool is_streamed = remote->settings->stream || request->watcher.on_delta;
	struct listener listener = {.protocol = remote->protocol, .request = request};
	struct mm_transport_result result;
	struct mm_buffer body;

	*out = (struct mm_remote_answer){
	    .fault = MM_FAULT_BUSY, .text = "", .retry_ms = -1, .should_retry = -1};
	listener.scratch = mm_arena_new(SCRATCH_MAX_BYTES);
	mm_buffer_init(&body, 4096, BODY_MAX_BYTES, NULL);
	write_question(remote, request, prompt, is_streamed, &body);
	if (listener.scratch && !body.has_failed) {
		mm_reading_init(&listener.reading, TEXT_MAX_BYTES);
		mm_stream_parser_init(&listener.parser, DOCUMENT_MAX_BYTES, take_document,
				      &listener);
		carry(remote, &body, is_streamed, deadline_mono_ms, &listener, &result);
		read_answer(out, &listener, &result, remote, arena);
		mm_stream_parser_free(&listener.parser);
		mm_reading_free(&listener.reading);
	}
	mm_buffer_free(&body);
	mm_arena_free(listener.scratch);
}
