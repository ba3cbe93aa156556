/*
 * log: formats, escapes and writes one line. Nothing is rotated, filtered by topic or kept: that is
 * journald's work.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char ELLIPSIS[] = "\xE2\x80\xA6";

enum { TAIL = sizeof(ELLIPSIS) - 1 + 1 }; /* the ellipsis and the newline */

const char *const mm_log_level_names[MM_LOG__MAX + 1] = {
    [MM_LOG_ERROR] = "error", [MM_LOG_WARNING] = "warning", [MM_LOG_NOTICE] = "notice",
    [MM_LOG_INFO] = "info",   [MM_LOG_DEBUG] = "debug",     [MM_LOG__MAX] = NULL,
};

/* The digit of the systemd prefix. */
static const char priorities[MM_LOG__MAX] = {
    [MM_LOG_ERROR] = '3', [MM_LOG_WARNING] = '4', [MM_LOG_NOTICE] = '5',
    [MM_LOG_INFO] = '6',  [MM_LOG_DEBUG] = '7',
};

static struct {
	char program[32];
	atomic_int level;
	int fd;
	pthread_mutex_t mutex; /* over the fields below and the write itself */
	unsigned long lost;    /* lines dropped since the last one written */
} output = {
    .program = "mamori",
    .level = MM_LOG_NOTICE,
    .fd = STDERR_FILENO,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

struct line {
	char bytes[MM_LOG_LINE];
	size_t length;
	bool is_cut;
};

void mm_log_open(const char *program, enum mm_log_level level, int fd)
{
	snprintf(output.program, sizeof(output.program), "%s", program);
	atomic_store_explicit(&output.level, (int)level, memory_order_relaxed);
	output.fd = fd;
	output.lost = 0;
}

bool mm_log_level_parse(const char *name, enum mm_log_level *level_out)
{
	for (int i = 0; i < MM_LOG__MAX; i++) {
		if (strcmp(name, mm_log_level_names[i]) == 0) {
			*level_out = (enum mm_log_level)i;
			return true;
		}
	}
	return false;
}

bool mm_log_is_enabled(enum mm_log_level level)
{
	return (int)level <= atomic_load_explicit(&output.level, memory_order_relaxed);
}

/* The characters of several bytes that are written as they are: the well-formed ones (Unicode 15,
 * table 3-7) without the C1 control characters. The bytes after the second are 80..BF. */
static const struct {
	unsigned char lead_min, lead_max;
	unsigned char second_min, second_max;
	unsigned char length;
} plain[] = {
    {0xC2, 0xC2, 0xA0, 0xBF, 2}, {0xC3, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* The bytes of the character at `text` that may be written as they are; 0: its first byte may not.
 * Never reads past the NUL. */
static size_t plain_length(const unsigned char *text)
{
	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7F && text[0] != '\\';
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (text[0] < plain[i].lead_min || text[0] > plain[i].lead_max)
			continue;
		if (text[1] < plain[i].second_min || text[1] > plain[i].second_max)
			return 0;
		for (size_t k = 2; k < plain[i].length; k++) {
			if ((text[k] & 0xC0) != 0x80)
				return 0;
		}
		return plain[i].length;
	}
	return 0;
}

static size_t escape(unsigned char byte, char out[5])
{
	static const char names[] = "n\nr\rt\t\\\\";

	for (const char *name = names; *name; name += 2) {
		if ((unsigned char)name[1] == byte) {
			out[0] = '\\';
			out[1] = *name;
			return 2;
		}
	}
	return (size_t)snprintf(out, 5, "\\x%02X", byte);
}

static void add_escaped(struct line *line, const char *text)
{
	const unsigned char *next = (const unsigned char *)text;

	while (*next && !line->is_cut) {
		char escaped[5];
		const void *bytes = next;
		size_t source = plain_length(next);
		size_t length = source;

		if (source == 0) {
			source = 1;
			length = escape(*next, escaped);
			bytes = escaped;
		}
		if (length > MM_LOG_LINE - TAIL - line->length) {
			line->is_cut = true;
			return;
		}
		memcpy(line->bytes + line->length, bytes, length);
		line->length += length;
		next += source;
	}
}

static void begin_line(struct line *line, enum mm_log_level level, const char *request_id)
{
	char now[MM_CLOCK_TEXT];

	mm_clock_format_utc(mm_clock_utc_ms(&mm_clock_system), now);
	line->is_cut = false;
	line->length =
	    (size_t)snprintf(line->bytes, sizeof(line->bytes), "<%c>%s ", priorities[level], now);
	add_escaped(line, output.program);
	line->length +=
	    (size_t)snprintf(line->bytes + line->length, 64, "[%ld] %s req=", (long)getpid(),
			     mm_log_level_names[level]);
	add_escaped(line, request_id ? request_id : "-");
	add_escaped(line, " ");
}

static void end_line(struct line *line)
{
	if (line->is_cut) {
		memcpy(line->bytes + line->length, ELLIPSIS, sizeof(ELLIPSIS) - 1);
		line->length += sizeof(ELLIPSIS) - 1;
	}
	line->bytes[line->length++] = '\n';
}

/* Writes a line if the reader takes it within `wait_ms`. */
static bool write_line(const struct line *line, int wait_ms)
{
	struct pollfd target = {.fd = output.fd, .events = POLLOUT};
	ssize_t count;

	if (poll(&target, 1, wait_ms) <= 0)
		return false;
	do
		count = write(output.fd, line->bytes, line->length);
	while (count < 0 && errno == EINTR);
	return count >= 0;
}

static bool write_lost_count(void)
{
	struct line line;
	char text[64];

	begin_line(&line, MM_LOG_WARNING, NULL);
	snprintf(text, sizeof(text), "log: %lu lines lost before this one", output.lost);
	add_escaped(&line, text);
	end_line(&line);
	return write_line(&line, 0);
}

/* Once a line was lost, the reader gets no more time until it has read again: threads that log do
 * not queue behind it. */
static void send_line(const struct line *line)
{
	pthread_mutex_lock(&output.mutex);
	int wait_ms = output.lost ? 0 : MM_LOG_WAIT_MS;
	if (output.lost && write_lost_count())
		output.lost = 0;
	if (output.lost || !write_line(line, wait_ms))
		output.lost++;
	pthread_mutex_unlock(&output.mutex);
}

void mm_log(enum mm_log_level level, const char *request_id, const char *format, ...)
{
	char message[MM_LOG_LINE];
	struct line line;
	va_list arguments;
	int saved_errno = errno;

	if ((unsigned)level >= MM_LOG__MAX || !mm_log_is_enabled(level))
		return;
	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	begin_line(&line, level, request_id);
	add_escaped(&line, message);
	end_line(&line);
	send_line(&line);
	errno = saved_errno;
}
