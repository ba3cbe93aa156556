/* opinion_cache: a table of four ways. */
#include "config.h"

#include "ai/opinion_cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, SETS = MM_OPINION_CACHE_MAX / WAYS, HASH_BYTES = 16 };

struct entry {
	unsigned char hash[HASH_BYTES];
	int64_t put_mono_ms; /* 0: empty */
	struct mm_opinion opinion;
	const char *provider, *model; /* of settings, which outlive the cache */
	char explanation[MM_OPINION_EXPLANATION_MAX * 4 + 1];
};

struct mm_opinion_cache {
	pthread_mutex_t mutex;
	unsigned char key[crypto_generichash_KEYBYTES];
	struct entry entries[SETS][WAYS];
};

struct mm_opinion_cache *mm_opinion_cache_new(void)
{
	struct mm_opinion_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return NULL;
	pthread_mutex_init(&cache->mutex, NULL);
	randombytes_buf(cache->key, sizeof cache->key);
	return cache;
}

void mm_opinion_cache_free(struct mm_opinion_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

static void hash_text(const struct mm_opinion_cache *cache, const char *text, size_t length,
		      enum mm_language language, unsigned char hash[HASH_BYTES])
{
	const unsigned char tag = (unsigned char)language;
	crypto_generichash_state state;
	crypto_generichash_init(&state, cache->key, sizeof cache->key, HASH_BYTES);
	crypto_generichash_update(&state, &tag, 1);
	crypto_generichash_update(&state, (const unsigned char *)text, length);
	crypto_generichash_final(&state, hash, HASH_BYTES);
}

static struct entry *set_of(struct mm_opinion_cache *cache, const unsigned char hash[HASH_BYTES])
{
	return cache->entries[hash[0] % SETS];
}

static bool copy_out(const struct entry *entry, struct mm_opinion_answer *out,
		     struct mm_arena *arena)
{
	const char *explanation = mm_arena_strdup(arena, entry->explanation);
	if (!explanation)
		return false;
	*out = (struct mm_opinion_answer){
	    .opinion = entry->opinion, .provider = entry->provider, .model = entry->model};
	out->opinion.explanation = explanation;
	return true;
}

bool mm_opinion_cache_find(struct mm_opinion_cache *cache, const char *text, size_t length,
			   enum mm_language language, int64_t now_mono_ms,
			   struct mm_opinion_answer *out, struct mm_arena *arena)
{
	unsigned char hash[HASH_BYTES];
	bool is_found = false;
	hash_text(cache, text, length, language, hash);
	pthread_mutex_lock(&cache->mutex);
	const struct entry *set = set_of(cache, hash);
	for (int i = 0; i < WAYS && !is_found; i++)
		if (set[i].put_mono_ms && now_mono_ms - set[i].put_mono_ms < MM_OPINION_CACHE_MS &&
		    memcmp(set[i].hash, hash, HASH_BYTES) == 0)
			is_found = copy_out(&set[i], out, arena);
	pthread_mutex_unlock(&cache->mutex);
	return is_found;
}

/* The entry of this hash, else the oldest. */
static struct entry *choose(struct entry *set, const unsigned char hash[HASH_BYTES])
{
	struct entry *oldest = &set[0];
	for (int i = 0; i < WAYS; i++) {
		if (set[i].put_mono_ms && memcmp(set[i].hash, hash, HASH_BYTES) == 0)
			return &set[i];
		if (set[i].put_mono_ms < oldest->put_mono_ms)
			oldest = &set[i];
	}
	return oldest;
}

void mm_opinion_cache_put(struct mm_opinion_cache *cache, const char *text, size_t length,
			  enum mm_language language, int64_t now_mono_ms,
			  const struct mm_opinion_answer *answer)
{
	unsigned char hash[HASH_BYTES];
	const size_t size = strlen(answer->opinion.explanation);
	if (size >= sizeof((struct entry *)NULL)->explanation)
		return;
	hash_text(cache, text, length, language, hash);
	pthread_mutex_lock(&cache->mutex);
	struct entry *entry = choose(set_of(cache, hash), hash);
	memcpy(entry->hash, hash, HASH_BYTES);
	memcpy(entry->explanation, answer->opinion.explanation, size + 1);
	entry->put_mono_ms = now_mono_ms > 0 ? now_mono_ms : 1;
	entry->opinion = answer->opinion;
	entry->opinion.explanation = NULL;
	entry->provider = answer->provider;
	entry->model = answer->model;
	pthread_mutex_unlock(&cache->mutex);
}
