/*
 * id: making, reading and writing UUIDs. Version 7 is made, every version is read.
 */
#include "config.h"

#include "base/id.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
	RANDOM_PER_ID = 8, /* the 62 bits at the end */
	POOL = 128 * RANDOM_PER_ID,
	COUNTER_START_MASK = 0x7FF, /* leaves half of the counter for the millisecond */
	COUNTER_MAX = 0xFFF,
};

static const int64_t FIXED_START_MS = 1767225600000; /* 2026-01-01T00:00:00.000Z */

struct mm_id_source {
	pthread_mutex_t mutex;
	const struct mm_clock *clock; /* NULL in a fixed source */
	uint64_t seed;                /* of a fixed source: the state of its generator */
	int64_t last_ms;
	unsigned counter;
	size_t unused; /* bytes at the end of the pool that no id has taken */
	unsigned char pool[POOL];
};

static struct mm_id_source *new_source(void)
{
	struct mm_id_source *source = calloc(1, sizeof(*source));

	if (source && pthread_mutex_init(&source->mutex, NULL) != 0) {
		free(source);
		return NULL;
	}
	return source;
}

struct mm_id_source *mm_id_source_new(const struct mm_clock *clock)
{
	struct mm_id_source *source = new_source();

	if (source)
		source->clock = clock;
	return source;
}

struct mm_id_source *mm_id_source_new_fixed(uint64_t seed)
{
	struct mm_id_source *source = new_source();

	if (source) {
		source->seed = seed;
		source->last_ms = FIXED_START_MS - 1;
	}
	return source;
}

void mm_id_source_free(struct mm_id_source *source)
{
	if (!source)
		return;
	pthread_mutex_destroy(&source->mutex);
	free(source);
}

/* SplitMix64: repeatable, far from secret. */
static uint64_t next_fixed(uint64_t *state)
{
	uint64_t value = *state += 0x9E3779B97F4A7C15;

	value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
	value = (value ^ value >> 27) * 0x94D049BB133111EB;
	return value ^ value >> 31;
}

static bool fill_from_kernel(unsigned char *out, size_t length)
{
	while (length) {
		ssize_t count = getrandom(out, length, 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		out += count;
		length -= (size_t)count;
	}
	return true;
}

static bool refill(struct mm_id_source *source)
{
	if (source->clock) {
		if (!fill_from_kernel(source->pool, POOL))
			return false;
	} else {
		for (size_t i = 0; i < POOL; i += sizeof(uint64_t)) {
			uint64_t value = next_fixed(&source->seed);
			memcpy(source->pool + i, &value, sizeof(value));
		}
	}
	source->unused = POOL;
	return true;
}

/* Takes 64 bits from the pool. */
static bool take_random(struct mm_id_source *source, uint64_t *random_out)
{
	if (source->unused < RANDOM_PER_ID && !refill(source))
		return false;
	memcpy(random_out, source->pool + POOL - source->unused, RANDOM_PER_ID);
	source->unused -= RANDOM_PER_ID;
	return true;
}

/* Moves to the next pair of time and counter, which is greater than the last. */
static bool advance(struct mm_id_source *source)
{
	int64_t utc_ms = source->clock ? mm_clock_utc_ms(source->clock) : source->last_ms + 1;

	if (utc_ms <= source->last_ms && source->counter < COUNTER_MAX) {
		source->counter++;
		return true;
	}
	uint64_t random;
	if (!take_random(source, &random))
		return false;
	source->last_ms = utc_ms > source->last_ms ? utc_ms : source->last_ms + 1;
	source->counter = random & COUNTER_START_MASK;
	return true;
}

static void put_big_endian(unsigned char *out, uint64_t value)
{
	value = htobe64(value);
	memcpy(out, &value, sizeof(value));
}

enum mm_status mm_id_next(struct mm_id_source *source, struct mm_id *id_out)
{
	uint64_t random;

	pthread_mutex_lock(&source->mutex);
	bool is_made = advance(source) && take_random(source, &random);
	uint64_t time_and_counter =
	    (uint64_t)source->last_ms << 16 | 0x7000 /* version 7 */ | source->counter;
	pthread_mutex_unlock(&source->mutex);
	if (!is_made)
		return MM_BUG;
	put_big_endian(id_out->bytes, time_and_counter);
	put_big_endian(id_out->bytes + 8, random >> 2 | 0x8000000000000000 /* RFC variant */);
	return MM_OK;
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20; /* lower case */
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Whether a hyphen stands before the byte of this index. */
static bool is_after_hyphen(size_t index)
{
	return index == 4 || index == 6 || index == 8 || index == 10;
}

bool mm_id_parse(const char *text, size_t length, struct mm_id *id_out)
{
	struct mm_id id;

	if (length != MM_ID_TEXT - 1)
		return false;
	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		if (is_after_hyphen(i) && *text++ != '-')
			return false;
		int high = hex_value(text[0]);
		int low = hex_value(text[1]);
		if (high < 0 || low < 0)
			return false;
		id.bytes[i] = (unsigned char)(high << 4 | low);
		text += 2;
	}
	*id_out = id;
	return true;
}

void mm_id_format(const struct mm_id *id, char out[MM_ID_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		if (is_after_hyphen(i))
			*out++ = '-';
		*out++ = digits[id->bytes[i] >> 4];
		*out++ = digits[id->bytes[i] & 15];
	}
	*out = '\0';
}

int64_t mm_id_utc_ms(const struct mm_id *id)
{
	int64_t utc_ms = 0;

	if (id->bytes[6] >> 4 != 7 || id->bytes[8] >> 6 != 2)
		return -1;
	for (size_t i = 0; i < 6; i++)
		utc_ms = utc_ms << 8 | id->bytes[i];
	return utc_ms;
}
