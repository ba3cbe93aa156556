/* rules_compile.c: needles to vectorscan databases, and the cache of compiled databases.
 * Compiling reports what is wrong with an expression by file and line. */
#include "config.h"

#include "detect/rules_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/keys.h"

enum {
	KEY_BYTES = 32,
	CACHE_MAX_BYTES = 512 * 1024 * 1024,
	DATABASES = MM_VIEWS * MM_NEEDLE_KINDS,
	/* Text and needles are folded, so caseless is not needed; where a match begins is known from
	 * the literal, or is found by reading backwards. */
	WHOLE_FLAGS = HS_FLAG_UTF8
};

/* The beginning of a cache file; the serialized databases follow, those of the plain view first. */
struct cache_header {
	char magic[8];
	unsigned char key[KEY_BYTES];
	uint64_t lengths[DATABASES]; /* 0: there is nothing in it */
};

static const char cache_magic[8] = "MAMORI4";

static enum mm_status vectorscan_failed(struct mm_error *err, const char *call, hs_error_t code)
{
	if (code == HS_NOMEM)
		return mm_error_cause(err, MM_NO_MEMORY, "vectorscan: %s: no memory", call);
	return mm_error_cause(err, MM_BUG, "vectorscan: %s failed with %d", call, code);
}

/* A digest of all that the compiled form depends on. */
static void digest_key(const struct mm_rules *rules, const struct mm_view_source *sources,
		       const hs_platform_info_t *platform, unsigned char key[KEY_BYTES])
{
	crypto_generichash_state state;
	const char *version = hs_version();
	unsigned flags = WHOLE_FLAGS;

	crypto_generichash_init(&state, NULL, 0, KEY_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)version, strlen(version) + 1);
	crypto_generichash_update(&state, (const unsigned char *)platform, sizeof(*platform));
	crypto_generichash_update(&state, (const unsigned char *)&flags, sizeof(flags));
	for (int view = 0; view < MM_VIEWS; view++) {
		const struct mm_view_set *set = &rules->views[view];

		for (uint32_t i = 0; i < set->needle_count; i++) {
			const char *text = sources[view].needles[i];

			crypto_generichash_update(&state, (const unsigned char *)text,
						  strlen(text) + 1);
			for (uint32_t j = 0; j < set->needles[i].length; j++) {
				unsigned char unit = mm_key_of(set->needles[i].code_points[j]);

				crypto_generichash_update(&state, &unit, 1);
			}
		}
		crypto_generichash_update(&state, (const unsigned char *)set->first_needle,
					  sizeof(set->first_needle));
	}
	crypto_generichash_final(&state, key, KEY_BYTES);
}

static hs_database_t **database_at(struct mm_rules *rules, int number)
{
	return &rules->views[number / MM_NEEDLE_KINDS].databases[number % MM_NEEDLE_KINDS];
}

/* How many needles database `number` is made of, and the first of them; single characters need
 * no database. */
static uint32_t needles_in(const struct mm_rules *rules, int number, uint32_t *first_out)
{
	const struct mm_view_set *set = &rules->views[number / MM_NEEDLE_KINDS];
	int kind = number % MM_NEEDLE_KINDS;

	*first_out = set->first_needle[kind];
	return kind == MM_SINGLES ? 0 : set->first_needle[kind + 1] - set->first_needle[kind];
}

/* The columns that vectorscan wants. */
struct columns {
	unsigned *flags, *ids;
	size_t *lengths;
	const char **texts;
	char *keys; /* of all literals, one after the other */
};

static void free_columns(struct columns *columns)
{
	free(columns->flags);
	free(columns->ids);
	free(columns->lengths);
	free(columns->texts);
	free(columns->keys);
}

static bool make_columns(struct columns *columns, const struct mm_view_set *set, uint32_t first,
			 uint32_t count)
{
	size_t keys = 0;

	for (uint32_t i = 0; i < count; i++)
		keys += set->needles[first + i].length;
	columns->flags = calloc(count, sizeof(*columns->flags));
	columns->ids = calloc(count, sizeof(*columns->ids));
	columns->lengths = calloc(count, sizeof(*columns->lengths));
	columns->texts = calloc(count, sizeof(*columns->texts));
	columns->keys = malloc(keys + 1);
	if (!columns->flags || !columns->ids || !columns->lengths || !columns->texts ||
	    !columns->keys)
		return false;
	for (uint32_t i = 0; i < count; i++)
		columns->ids[i] = first + i;
	return true;
}

static hs_error_t compile_literals(struct columns *columns, const struct mm_view_set *set,
				   uint32_t first, uint32_t count, hs_database_t **database,
				   hs_compile_error_t **failure)
{
	char *key = columns->keys;

	for (uint32_t i = 0; i < count; i++) {
		const struct mm_needle *needle = &set->needles[first + i];

		columns->texts[i] = key;
		columns->lengths[i] = needle->length;
		for (uint32_t j = 0; j < needle->length; j++)
			*key++ = (char)mm_key_of(needle->code_points[j]);
	}
	return hs_compile_lit_multi(columns->texts, columns->flags, columns->ids, columns->lengths,
				    count, HS_MODE_BLOCK, NULL, database, failure);
}

static hs_error_t compile_wholes(struct columns *columns, const char *const *texts, uint32_t count,
				 hs_database_t **database, hs_compile_error_t **failure)
{
	for (uint32_t i = 0; i < count; i++)
		columns->flags[i] = WHOLE_FLAGS;
	return hs_compile_multi(texts, columns->flags, columns->ids, count, HS_MODE_BLOCK, NULL,
				database, failure);
}

static enum mm_status bad_needle(const struct mm_view_source *source, uint32_t first,
				 const hs_compile_error_t *failure, struct mm_error *err)
{
	uint32_t needle, part;

	if (!failure || failure->expression < 0)
		return mm_error_cause(err, MM_BUG, "vectorscan: compiling: %s",
				      failure ? failure->message : "no reason given");
	needle = first + (uint32_t)failure->expression;
	part = source->needle_parts[needle];
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
			    "%s:%u: %s, and it has no literal to be found by (folded: %s)",
			    source->part_files[part], source->part_lines[part], failure->message,
			    source->needles[needle]);
}

static enum mm_status compile(struct mm_rules *rules, const struct mm_view_source *sources,
			      int number, struct mm_error *err)
{
	const struct mm_view_source *source = &sources[number / MM_NEEDLE_KINDS];
	const struct mm_view_set *set = &rules->views[number / MM_NEEDLE_KINDS];
	hs_compile_error_t *failure = NULL;
	struct columns columns = {.flags = NULL};
	uint32_t first, count = needles_in(rules, number, &first);
	hs_database_t **database = database_at(rules, number);
	enum mm_status status = MM_OK;
	hs_error_t code;

	if (count == 0)
		return MM_OK;
	if (!make_columns(&columns, set, first, count)) {
		status = mm_error_cause(err, MM_NO_MEMORY, "no memory for the rules");
		goto done;
	}
	if (number % MM_NEEDLE_KINDS == MM_LITERALS)
		code = compile_literals(&columns, set, first, count, database, &failure);
	else
		code = compile_wholes(&columns, source->needles + first, count, database, &failure);
	if (code != HS_SUCCESS)
		status = bad_needle(source, first, failure, err);
done:
	hs_free_compile_error(failure);
	free_columns(&columns);
	return status;
}

static bool read_exactly(int fd, void *bytes, size_t length)
{
	char *next = bytes;

	while (length > 0) {
		ssize_t got = read(fd, next, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		next += got;
		length -= (size_t)got;
	}
	return true;
}

static bool write_exactly(int fd, const void *bytes, size_t length)
{
	const char *next = bytes;

	while (length > 0) {
		ssize_t put = write(fd, next, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		next += put;
		length -= (size_t)put;
	}
	return true;
}

/* Reads the next database of `length` bytes. vectorscan checks its checksum, version and CPU. */
static bool read_database(int fd, size_t length, hs_database_t **out)
{
	char *bytes = malloc(length);
	bool is_good = bytes && read_exactly(fd, bytes, length) &&
		       hs_deserialize_database(bytes, length, out) == HS_SUCCESS;

	free(bytes);
	return is_good;
}

static bool is_header_good(const struct cache_header *header, const struct mm_rules *rules,
			   const unsigned char key[KEY_BYTES], size_t file_size)
{
	uint64_t total = sizeof(*header);

	if (memcmp(header->magic, cache_magic, sizeof(cache_magic)) != 0 ||
	    memcmp(header->key, key, KEY_BYTES) != 0)
		return false;
	for (int i = 0; i < DATABASES; i++) {
		uint32_t first;
		bool is_empty = needles_in(rules, i, &first) == 0;

		if (header->lengths[i] > CACHE_MAX_BYTES || is_empty != (header->lengths[i] == 0))
			return false;
		total += header->lengths[i];
	}
	return total == file_size;
}

static bool read_cache_file(int fd, struct mm_rules *rules, const unsigned char key[KEY_BYTES])
{
	struct cache_header header;
	struct stat info;

	if (fstat(fd, &info) != 0 || !read_exactly(fd, &header, sizeof(header)) ||
	    !is_header_good(&header, rules, key, (size_t)info.st_size))
		return false;
	for (int i = 0; i < DATABASES; i++)
		if (header.lengths[i] > 0 &&
		    !read_database(fd, header.lengths[i], database_at(rules, i)))
			return false;
	return true;
}

static bool read_cache(const char *path, struct mm_rules *rules, const unsigned char key[KEY_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_good;

	if (fd < 0)
		return false;
	is_good = read_cache_file(fd, rules, key);
	close(fd);
	for (int i = 0; i < DATABASES && !is_good; i++) {
		hs_free_database(*database_at(rules, i));
		*database_at(rules, i) = NULL;
	}
	return is_good;
}

static bool write_databases(int fd, struct mm_rules *rules, const unsigned char key[KEY_BYTES])
{
	struct cache_header header = {.lengths = {0}};
	char *bytes[DATABASES] = {NULL};
	bool is_good = true;

	memcpy(header.magic, cache_magic, sizeof(cache_magic));
	memcpy(header.key, key, KEY_BYTES);
	for (int i = 0; i < DATABASES && is_good; i++) {
		size_t length = 0;

		if (!*database_at(rules, i))
			continue;
		is_good =
		    hs_serialize_database(*database_at(rules, i), &bytes[i], &length) == HS_SUCCESS;
		header.lengths[i] = length;
	}
	is_good = is_good && write_exactly(fd, &header, sizeof(header));
	for (int i = 0; i < DATABASES; i++) {
		is_good = is_good && write_exactly(fd, bytes[i], header.lengths[i]);
		free(bytes[i]);
	}
	return is_good;
}

/* Writes beside the final name and renames, so that a reader never sees half a file. */
static bool write_cache(const char *path, struct mm_rules *rules,
			const unsigned char key[KEY_BYTES])
{
	char temporary[4096];
	bool is_good;
	int fd;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return false;
	is_good = write_databases(fd, rules, key) && fchmod(fd, 0644) == 0;
	is_good = (close(fd) == 0) && is_good;
	if (is_good && rename(temporary, path) == 0)
		return true;
	unlink(temporary);
	return false;
}

static enum mm_status compile_all(struct mm_rules *rules, const struct mm_view_source *sources,
				  struct mm_error *err)
{
	enum mm_status status = MM_OK;

	for (int i = 0; i < DATABASES && status == MM_OK; i++)
		status = compile(rules, sources, i, err);
	return status;
}

static void count_bytes(struct mm_rules *rules)
{
	for (int i = 0; i < DATABASES; i++) {
		size_t bytes = 0;

		if (*database_at(rules, i))
			hs_database_size(*database_at(rules, i), &bytes);
		rules->database_bytes += bytes;
	}
}

static enum mm_status take_database(struct mm_rules *rules, const struct mm_view_source *sources,
				    const char *path, bool must_store,
				    const unsigned char key[KEY_BYTES], struct mm_error *err)
{
	enum mm_status status;

	rules->is_from_cache = path[0] && read_cache(path, rules, key);
	if (rules->is_from_cache)
		return MM_OK;
	status = compile_all(rules, sources, err);
	if (status == MM_OK && path[0] && !write_cache(path, rules, key) && must_store)
		return mm_error_cause(err, MM_UPSTREAM, "%s: %s", path, strerror(errno));
	return status;
}

static void name_cache(const char *cache_dir, const unsigned char key[KEY_BYTES], char *path,
		       size_t size)
{
	char name[KEY_BYTES + 1];

	path[0] = '\0';
	if (!cache_dir)
		return;
	sodium_bin2hex(name, sizeof(name), key, KEY_BYTES / 2);
	if (snprintf(path, size, "%s/rules-%s.hsdb", cache_dir, name) >= (int)size)
		path[0] = '\0';
}

enum mm_status mm_rules_database(struct mm_rules *rules,
				 const struct mm_view_source sources[MM_VIEWS],
				 const char *cache_dir, bool must_store, struct mm_error *err)
{
	unsigned char key[KEY_BYTES];
	hs_platform_info_t platform = {0};
	char path[4000];
	hs_error_t code = hs_valid_platform();
	enum mm_status status;

	if (code == HS_SUCCESS)
		code = hs_populate_platform(&platform);
	if (code != HS_SUCCESS)
		return vectorscan_failed(err, "checking the CPU", code);
	digest_key(rules, sources, &platform, key);
	name_cache(cache_dir, key, path, sizeof(path));
	status = take_database(rules, sources, path, must_store, key, err);
	if (status == MM_OK)
		count_bytes(rules);
	return status;
}
