/* transport: the caller's side of a call, and what libcurl is told of it. */
#include "config.h"

#include "ai/transport.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ai/transport_internal.h"

enum {
	STACK_BYTES = 512 * 1024, /* TLS takes more than our own threads do */
	READ_BYTES = 4096,        /* libcurl's buffer, one a transfer */
	UPLOAD_BYTES = 16 * 1024, /* the least that it takes */
	IDLE_CONNECTION_S = 55,   /* shorter than what servers and firewalls keep */
};

/* ---- one call */

/* The list of headers lives in the transfer and its texts are the caller's: no copy of a key. */
static void link_headers(struct mm_transfer *transfer)
{
	const struct mm_transport_call *call = transfer->call;
	size_t count = 0;
	for (size_t i = 0; i < MM_TRANSPORT_HEADERS_MAX; i++)
		if (call->headers[i])
			transfer->headers[count++].data = (char *)(uintptr_t)call->headers[i];
	for (size_t i = 0; i < count; i++)
		transfer->headers[i].next = i + 1 < count ? &transfer->headers[i + 1] : NULL;
	if (count > 0)
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, &transfer->headers[0]);
}

static void set_security(CURL *easy, const struct mm_transport_call *call)
{
	const bool is_plain = strncmp(call->url, "http:", 5) == 0;
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (call->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, call->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
			 (long)(is_plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
	/* Plain http is for this machine: a proxy of the environment would carry it away. */
	if (is_plain)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* A call waits for a connection that is being made, because it may share it. With plain http
	 * it would find out only when the first answer has come. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 (long)(is_plain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_plain ? 0L : 1L);
}

static void set_limits(CURL *easy, const struct mm_transport_call *call)
{
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_options(struct mm_transfer *transfer)
{
	CURL *easy = transfer->easy;
	const struct mm_transport_call *call = transfer->call;
	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "mamori/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, mm_transfer_take_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, mm_transfer_take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	set_security(easy, call);
	set_limits(easy, call);
	link_headers(transfer);
}

static void submit(struct mm_transport *transport, struct mm_transfer *transfer)
{
	pthread_mutex_lock(&transport->mutex);
	const bool was_empty = !transport->queue;
	transfer->next = NULL;
	*transport->queue_end = transfer;
	transport->queue_end = &transfer->next;
	pthread_mutex_unlock(&transport->mutex);
	if (was_empty)
		mm_transport_poke(transport);
}

/* Takes what has come; the caller's buffer of before goes back, so that its memory is used again.
 * True: the transfer is over. */
static bool wait_for_part(struct mm_transfer *transfer, struct mm_buffer *part)
{
	mm_buffer_clear(part);
	pthread_mutex_lock(&transfer->mutex);
	while (!transfer->is_done && (transfer->inbox.length == 0 || !transfer->call->wants_parts))
		pthread_cond_wait(&transfer->wake, &transfer->mutex);
	const struct mm_buffer taken = transfer->inbox;
	transfer->inbox = *part;
	*part = taken;
	const bool is_over = transfer->is_done;
	pthread_mutex_unlock(&transfer->mutex);
	return is_over;
}

/* Gives the parts to the caller until the loop has let go of the transfer. */
static void receive(struct mm_transport *transport, struct mm_transfer *transfer)
{
	const struct mm_transport_call *call = transfer->call;
	struct mm_buffer part;
	bool is_over = false;
	mm_buffer_init(&part, 0, call->max_bytes, NULL);
	while (!is_over) {
		is_over = wait_for_part(transfer, &part);
		if (part.length == 0 || atomic_load(&transfer->must_stop))
			continue;
		if (call->on_body(call->context, &transfer->result, part.data, part.length))
			continue;
		atomic_store(&transfer->must_stop, true);
		mm_transport_poke(transport);
	}
	mm_buffer_free(&part);
}

static bool begin(struct mm_transport *transport, struct mm_transfer *transfer)
{
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return false;
	transfer->clock = transport->clock;
	transfer->verdict = MM_TRANSPORT__MAX;
	pthread_mutex_init(&transfer->mutex, NULL);
	pthread_cond_init(&transfer->wake, NULL);
	mm_buffer_init(&transfer->inbox, 0, transfer->call->max_bytes, NULL);
	set_options(transfer);
	transfer->started_mono_ms = mm_clock_mono_ms(transport->clock);
	return true;
}

void mm_transport_run(struct mm_transport *transport, const struct mm_transport_call *call,
		      struct mm_transport_result *out)
{
	struct mm_transfer transfer = {.call = call};
	if (!begin(transport, &transfer)) {
		*out =
		    (struct mm_transport_result){.end = MM_TRANSPORT_FAILED, .detail = "no memory"};
		return;
	}
	submit(transport, &transfer);
	receive(transport, &transfer);
	*out = transfer.result;
	if (atomic_load(&transfer.must_stop))
		out->end = MM_TRANSPORT_STOPPED;
	curl_easy_cleanup(transfer.easy);
	mm_buffer_free(&transfer.inbox);
	pthread_cond_destroy(&transfer.wake);
	pthread_mutex_destroy(&transfer.mutex);
}

/* ---- the transport */

static void close_all(struct mm_transport *transport)
{
	if (transport->multi)
		curl_multi_cleanup(transport->multi);
	if (transport->poke_fd >= 0)
		close(transport->poke_fd);
	if (transport->epoll_fd >= 0)
		close(transport->epoll_fd);
	pthread_mutex_destroy(&transport->mutex);
	free(transport);
}

static bool open_all(struct mm_transport *transport)
{
	struct epoll_event poke = {.events = EPOLLIN | EPOLLET};
	transport->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	transport->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	transport->multi = curl_multi_init();
	if (transport->epoll_fd < 0 || transport->poke_fd < 0 || !transport->multi)
		return false;
	poke.data.fd = transport->poke_fd;
	curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, mm_transport_on_socket);
	curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
	curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, mm_transport_on_timer);
	curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
	curl_multi_setopt(transport->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	return epoll_ctl(transport->epoll_fd, EPOLL_CTL_ADD, transport->poke_fd, &poke) == 0;
}

static bool start_loop(struct mm_transport *transport)
{
	pthread_attr_t attributes;
	if (pthread_attr_init(&attributes) != 0)
		return false;
	const bool is_started =
	    pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
	    pthread_create(&transport->thread, &attributes, mm_transport_loop, transport) == 0;
	pthread_attr_destroy(&attributes);
	return is_started;
}

enum mm_status mm_transport_new(const struct mm_clock *clock, struct mm_transport **out,
				struct mm_error *err)
{
	struct mm_transport *transport = calloc(1, sizeof *transport);
	if (!transport || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(transport);
		return mm_error_cause(err, MM_NO_MEMORY, "ai: libcurl did not start");
	}
	transport->clock = clock;
	transport->timer_mono_ms = -1;
	transport->queue_end = &transport->queue;
	pthread_mutex_init(&transport->mutex, NULL);
	if (!open_all(transport) || !start_loop(transport)) {
		close_all(transport);
		return mm_error_cause(err, MM_NO_MEMORY, "ai: no thread for the providers: %s",
				      strerror(errno));
	}
	*out = transport;
	return MM_OK;
}

void mm_transport_free(struct mm_transport *transport)
{
	if (!transport)
		return;
	pthread_mutex_lock(&transport->mutex);
	transport->is_ending = true;
	pthread_mutex_unlock(&transport->mutex);
	mm_transport_poke(transport);
	pthread_join(transport->thread, NULL);
	close_all(transport);
}
