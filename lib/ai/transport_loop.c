/* transport_loop: one thread that moves the bytes of all transfers; it never waits for a caller. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ai/transport_internal.h"
#include "base/log.h"

enum { EVENTS_MAX = 64, IDLE_MS = 60000 };

/* ---- what libcurl calls */

static int64_t now(const struct mm_transport *transport)
{
	return mm_clock_mono_ms(transport->clock);
}

int mm_transport_on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known)
{
	struct mm_transport *transport = self;
	struct epoll_event event = {.data.fd = fd};
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(transport->epoll_fd, EPOLL_CTL_DEL, fd, &event);
		return 0;
	}
	event.events =
	    (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(transport->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		mm_log(MM_LOG_WARNING, NULL, "ai: epoll: %s", strerror(errno));
	curl_multi_assign(transport->multi, fd, transport); /* any pointer: it is known */
	return 0;
}

int mm_transport_on_timer(CURLM *multi, long timeout_ms, void *self)
{
	struct mm_transport *transport = self;
	(void)multi;
	transport->timer_mono_ms = timeout_ms < 0 ? -1 : now(transport) + timeout_ms;
	return 0;
}

/* ---- a transfer's bytes */

static const struct {
	const char *name;
	size_t offset;
} kept_headers[] = {
    {"retry-after:", offsetof(struct mm_transport_result, retry_after)},
    {"retry-after-ms:", offsetof(struct mm_transport_result, retry_after_ms)},
    {"x-should-retry:", offsetof(struct mm_transport_result, should_retry)},
    {"request-id:", offsetof(struct mm_transport_result, request_id)},
    {"x-request-id:", offsetof(struct mm_transport_result, request_id)},
};

static void keep_value(char out[MM_TRANSPORT_VALUE], const char *value, size_t length)
{
	while (length > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		length--;
	}
	while (length > 0 && strchr("\r\n \t", value[length - 1]))
		length--;
	if (length >= MM_TRANSPORT_VALUE)
		length = MM_TRANSPORT_VALUE - 1;
	memcpy(out, value, length);
	out[length] = '\0';
}

static void keep_header(struct mm_transport_result *result, const char *line, size_t length)
{
	for (size_t i = 0; i < sizeof kept_headers / sizeof kept_headers[0]; i++) {
		const size_t name = strlen(kept_headers[i].name);
		if (length > name && strncasecmp(line, kept_headers[i].name, name) == 0)
			keep_value((char *)result + kept_headers[i].offset, line + name,
				   length - name);
	}
}

/* Headers after the body (trailers) are not ours. Returning less than the length ends the transfer. */
size_t mm_transfer_take_head(char *line, size_t size, size_t count, void *argument)
{
	struct mm_transfer *transfer = argument;
	const size_t length = size * count;
	transfer->head_bytes += length;
	if (transfer->head_bytes > MM_TRANSPORT_HEAD_MAX) {
		transfer->verdict = MM_TRANSPORT_LARGE;
		return 0;
	}
	if (transfer->last_byte_mono_ms == 0)
		keep_header(&transfer->result, line, length);
	return length;
}

static bool put_in_inbox(struct mm_transfer *transfer, const char *bytes, size_t length)
{
	pthread_mutex_lock(&transfer->mutex);
	mm_buffer_add(&transfer->inbox, bytes, length);
	const bool is_ok = !transfer->inbox.has_failed;
	if (transfer->call->wants_parts)
		pthread_cond_signal(&transfer->wake);
	pthread_mutex_unlock(&transfer->mutex);
	return is_ok;
}

size_t mm_transfer_take_body(char *bytes, size_t size, size_t count, void *argument)
{
	struct mm_transfer *transfer = argument;
	const size_t length = size * count;
	long status = 0;
	if (transfer->last_byte_mono_ms == 0) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		transfer->result.status = (int)status;
	}
	transfer->last_byte_mono_ms = mm_clock_mono_ms(transfer->clock);
	transfer->body_bytes += length;
	if (transfer->body_bytes > transfer->call->max_bytes)
		transfer->verdict = MM_TRANSPORT_LARGE;
	else if (!put_in_inbox(transfer, bytes, length))
		transfer->verdict = MM_TRANSPORT_FAILED;
	return transfer->verdict == MM_TRANSPORT__MAX ? length : 0;
}

/* ---- ends */

static enum mm_transport_end end_of(const struct mm_transfer *transfer, CURLcode code)
{
	if (transfer->verdict != MM_TRANSPORT__MAX)
		return transfer->verdict;
	switch (code) {
	case CURLE_OK:
		return MM_TRANSPORT_DONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT: /* only the connecting has a timeout of libcurl's */
		return MM_TRANSPORT_CONNECT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return MM_TRANSPORT_TLS;
	case CURLE_OUT_OF_MEMORY:
		return MM_TRANSPORT_FAILED;
	default:
		return transfer->last_byte_mono_ms ? MM_TRANSPORT_CUT : MM_TRANSPORT_RESET;
	}
}

static void unlink_transfer(struct mm_transport *transport, struct mm_transfer *transfer)
{
	if (transfer->previous)
		transfer->previous->next = transfer->next;
	else
		transport->active = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
}

/* The transfer is the caller's again, and may be gone at once. */
static void finish(struct mm_transport *transport, struct mm_transfer *transfer, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(transport->multi, transfer->easy);
	unlink_transfer(transport, transfer);
	pthread_mutex_lock(&transfer->mutex);
	transfer->result.end = end_of(transfer, code);
	transfer->result.status = (int)status;
	transfer->result.detail = curl_easy_strerror(code);
	transfer->is_done = true;
	pthread_cond_signal(&transfer->wake);
	pthread_mutex_unlock(&transfer->mutex);
}

static void finish_those_that_ended(struct mm_transport *transport)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(transport->multi, &left))) {
		void *transfer = NULL;
		const CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish(transport, transfer, code);
	}
}

static bool is_over(int64_t limit_ms, int64_t since_mono_ms, int64_t at)
{
	return limit_ms > 0 && at - since_mono_ms >= limit_ms;
}

/* Why the transfer has to end at this moment; MM_TRANSPORT__MAX: it need not. */
static enum mm_transport_end judge(const struct mm_transfer *transfer, int64_t at)
{
	const struct mm_transport_call *call = transfer->call;
	if (atomic_load(&transfer->must_stop))
		return MM_TRANSPORT_STOPPED;
	if (at >= call->deadline_mono_ms)
		return MM_TRANSPORT_TOTAL;
	if (transfer->last_byte_mono_ms == 0)
		return is_over(call->first_byte_ms, transfer->started_mono_ms, at)
			   ? MM_TRANSPORT_FIRST
			   : MM_TRANSPORT__MAX;
	return is_over(call->idle_ms, transfer->last_byte_mono_ms, at) ? MM_TRANSPORT_IDLE
								       : MM_TRANSPORT__MAX;
}

static void end_those_that_must(struct mm_transport *transport, int64_t at)
{
	struct mm_transfer *next;
	for (struct mm_transfer *transfer = transport->active; transfer; transfer = next) {
		next = transfer->next;
		const enum mm_transport_end end = judge(transfer, at);
		if (end == MM_TRANSPORT__MAX)
			continue;
		transfer->verdict = end;
		finish(transport, transfer, CURLE_OPERATION_TIMEDOUT);
	}
}

/* ---- the loop */

void mm_transport_poke(struct mm_transport *transport)
{
	const uint64_t one = 1;
	if (write(transport->poke_fd, &one, sizeof one) != sizeof one)
		mm_log(MM_LOG_ERROR, NULL, "ai: eventfd: %s", strerror(errno));
}

static void add_transfer(struct mm_transport *transport, struct mm_transfer *transfer)
{
	transfer->previous = NULL;
	transfer->next = transport->active;
	if (transport->active)
		transport->active->previous = transfer;
	transport->active = transfer;
	if (curl_multi_add_handle(transport->multi, transfer->easy) != CURLM_OK)
		finish(transport, transfer, CURLE_OUT_OF_MEMORY);
}

/* False: the loop is to end. */
static bool take_queue(struct mm_transport *transport)
{
	pthread_mutex_lock(&transport->mutex);
	struct mm_transfer *transfer = transport->queue;
	transport->queue = NULL;
	transport->queue_end = &transport->queue;
	const bool is_ending = transport->is_ending;
	pthread_mutex_unlock(&transport->mutex);
	while (transfer) {
		struct mm_transfer *next = transfer->next;
		add_transfer(transport, transfer);
		transfer = next;
	}
	return !is_ending;
}

static int choose_wait(const struct mm_transport *transport)
{
	int64_t wait = transport->active ? MM_TRANSPORT_TICK_MS : IDLE_MS;
	if (transport->timer_mono_ms >= 0) {
		const int64_t left = transport->timer_mono_ms - now(transport);
		wait = left < wait ? left : wait;
	}
	return wait < 0 ? 0 : (int)wait;
}

static int action_of(uint32_t events)
{
	return (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
	       (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
	       (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static void move_bytes(struct mm_transport *transport, const struct epoll_event *events, int count)
{
	int running;
	for (int i = 0; i < count; i++)
		if (events[i].data.fd != transport->poke_fd)
			curl_multi_socket_action(transport->multi, events[i].data.fd,
						 action_of(events[i].events), &running);
	if (transport->timer_mono_ms >= 0 && now(transport) >= transport->timer_mono_ms) {
		transport->timer_mono_ms = -1;
		curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

void *mm_transport_loop(void *argument)
{
	struct mm_transport *transport = argument;
	struct epoll_event events[EVENTS_MAX];
	int64_t judged = 0;
	while (take_queue(transport)) {
		const int count =
		    epoll_wait(transport->epoll_fd, events, EVENTS_MAX, choose_wait(transport));
		const int64_t at = now(transport);
		move_bytes(transport, events, count);
		finish_those_that_ended(transport);
		if (at - judged >= MM_TRANSPORT_TICK_MS) {
			end_those_that_must(transport, at);
			judged = at;
		}
	}
	return NULL;
}
