/* model.c: looks the grams of a message up and adds their weights. What follows from the scores
 * is not its business. */
#include "config.h"

#include "detect/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "detect/grams.h"

enum {
	FILE_MAX_BYTES = 8 * 1024 * 1024,
	FLUSH_EVERY = 128, /* 16-bit sums of 8-bit weights: 128 * 128 is half of what they hold */
	SIZE_OF_SLOT = sizeof(uint32_t)
};

static const char magic[8] = {'m', 'm', '-', 'm', 'o', 'd', 'e', 'l'};

typedef int8_t weights8 __attribute__((vector_size(8)));
typedef int16_t sums16 __attribute__((vector_size(16)));

struct mm_model {
	struct mm_arena *arena; /* holds everything */
	const struct mm_model_header *header;
	const uint32_t *slots;
	const int8_t *main;       /* rows of MM_MODEL_MAIN */
	const int8_t *categories; /* rows of MM_MODEL_CATEGORIES */
};

/* The state of one reading. */
struct tally {
	const struct mm_model *model;
	uint64_t *seen; /* a bit a row */
	uint16_t *rows;
	uint32_t row_count;
	sums16 sums;
	int32_t total[MM_MODEL_MAIN];
};

uint32_t mm_model_checksum(const char *bytes, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
	return hash;
}

/* What is wrong with a file of `length` bytes; NULL when nothing is. */
static const char *find_fault(const char *bytes, size_t length)
{
	const struct mm_model_header *header = (const void *)bytes;
	size_t rest = length - sizeof(*header), wanted;

	if (length < sizeof(*header) || memcmp(header->magic, magic, sizeof(magic)) != 0)
		return "is no model";
	if (header->version != MM_MODEL_VERSION)
		return "is of another version: build it again";
	if (header->language >= MM_MODEL__MAX || header->slot_bits == 0 ||
	    header->slot_bits > MM_MODEL_SLOT_BITS_MAX || header->gram_count > MM_MODEL_GRAMS_MAX ||
	    header->gram_count >= 1u << header->slot_bits || header->longest > MM_GRAM_LONGEST)
		return "has impossible sizes";
	wanted = ((size_t)SIZE_OF_SLOT << header->slot_bits) +
		 (size_t)header->gram_count * (MM_MODEL_MAIN + MM_MODEL_CATEGORIES);
	if (rest != wanted)
		return "is cut or too long";
	return mm_model_checksum(bytes + sizeof(*header), rest) == header->checksum ? NULL
										    : "is damaged";
}

/* A row beyond the last would be read from other memory. A free slot must end every search. */
static bool has_sound_slots(const struct mm_model *model)
{
	uint32_t count = 1u << model->header->slot_bits, used = 0;

	for (uint32_t i = 0; i < count; i++) {
		if ((model->slots[i] & 0xffffu) > model->header->gram_count)
			return false;
		used += model->slots[i] != 0;
	}
	return used < count;
}

static void set_parts(struct mm_model *model, const char *bytes)
{
	model->header = (const void *)bytes;
	model->slots = (const void *)(bytes + sizeof(*model->header));
	model->main = (const int8_t *)(model->slots + (1u << model->header->slot_bits));
	model->categories = model->main + (size_t)model->header->gram_count * MM_MODEL_MAIN;
}

/* Makes a model of bytes that live in the arena, which it takes over. */
static enum mm_status adopt(const char *name, const char *bytes, size_t length,
			    struct mm_arena *arena, struct mm_model **out, struct mm_error *err)
{
	struct mm_model *model = mm_arena_zalloc(arena, sizeof(*model));
	const char *fault = find_fault(bytes, length);

	if (!model)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a model");
	if (!fault) {
		set_parts(model, bytes);
		fault = has_sound_slots(model) ? NULL : "is damaged";
	}
	if (fault)
		return mm_error_cause(err, MM_BAD_INPUT, "%s %s", name, fault);
	model->arena = arena;
	*out = model;
	return MM_OK;
}

enum mm_status mm_model_load(const char *path, struct mm_model **out, struct mm_error *err)
{
	struct mm_arena *arena = mm_arena_new(0);
	enum mm_status status;
	char *bytes;
	size_t length;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a model");
	status = mm_file_read(path, FILE_MAX_BYTES, &bytes, &length, arena, err);
	if (status == MM_OK)
		status = adopt(path, bytes, length, arena, out, err);
	if (status != MM_OK)
		mm_arena_free(arena);
	return status;
}

enum mm_status mm_model_parse(const char *name, const char *bytes, size_t length,
			      struct mm_model **out, struct mm_error *err)
{
	struct mm_arena *arena = mm_arena_new(0);
	char *copy = arena ? mm_arena_alloc(arena, length) : NULL;
	enum mm_status status;

	if (!copy) {
		mm_arena_free(arena);
		return mm_error_cause(err, MM_NO_MEMORY, "no memory for a model");
	}
	memcpy(copy, bytes, length);
	status = adopt(name, copy, length, arena, out, err);
	if (status != MM_OK)
		mm_arena_free(arena);
	return status;
}

void mm_model_free(struct mm_model *model)
{
	if (model)
		mm_arena_free(model->arena);
}

const struct mm_model_header *mm_model_header(const struct mm_model *model)
{
	return model->header;
}

static bool is_japanese(uint32_t c)
{
	return (c >= 0x3041 && c <= 0x30ff) || (c >= 0x4e00 && c <= 0x9fff) ||
	       (c >= 0x3400 && c <= 0x4dbf) || c == 0x3005;
}

enum mm_model_language mm_model_language_of(const uint32_t *characters, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_japanese(characters[i]))
			return MM_MODEL_JA;
	return MM_MODEL_OTHER;
}

const char *mm_model_rule(const struct mm_model *model)
{
	return model->header->language == MM_MODEL_JA ? "model.ja" : "model.other";
}

const char *mm_model_language_name(enum mm_model_language language)
{
	return language == MM_MODEL_JA ? "ja" : "other";
}

/* The row of a gram, or UINT32_MAX. */
static inline uint32_t find_row(const struct mm_model *model, uint32_t slot_bits, uint64_t hash)
{
	const uint32_t mask = (1u << slot_bits) - 1, tag = mm_model_tag(hash, slot_bits);

	for (uint32_t at = mm_model_slot(hash, slot_bits);; at = (at + 1) & mask) {
		const uint32_t slot = model->slots[at];

		if (slot == 0)
			return UINT32_MAX;
		if (slot >> 16 == tag)
			return (slot & 0xffffu) - 1;
	}
}

static void flush(struct tally *tally)
{
	for (int i = 0; i < MM_MODEL_MAIN; i++)
		tally->total[i] += tally->sums[i];
	tally->sums = (sums16){0};
}

/* Counts a row's weights, once a message. */
static inline void add_row(struct tally *tally, uint32_t row)
{
	const uint64_t bit = 1ull << (row % 64);
	weights8 weights;

	if (tally->seen[row / 64] & bit)
		return;
	tally->seen[row / 64] |= bit;
	tally->rows[tally->row_count++] = (uint16_t)row;
	memcpy(&weights, tally->model->main + (size_t)row * MM_MODEL_MAIN, sizeof(weights));
	tally->sums += __builtin_convertvector(weights, sums16);
	if (tally->row_count % FLUSH_EVERY == 0)
		flush(tally);
}

/* Adds the grams that begin at `at`; returns the sum of their harassment weights. */
static inline int32_t add_grams(struct tally *tally, const uint32_t *text, uint32_t count,
				uint32_t at)
{
	const struct mm_model *model = tally->model;
	const uint32_t slot_bits = model->header->slot_bits;
	uint32_t end = at + model->header->longest;
	uint64_t hash = 0;
	int32_t sum = 0;

	if (end > count + 2)
		end = count + 2;
	for (; at < end; at++) {
		uint32_t row;

		hash = mm_gram_extend(hash, mm_gram_at(text, count, at));
		row = find_row(model, slot_bits, hash);
		if (row == UINT32_MAX)
			break;
		sum += model->main[(size_t)row * MM_MODEL_MAIN + MM_OUTPUT_HARASSMENT];
		add_row(tally, row);
	}
	return sum;
}

/* A message as its grams see it. */
struct reading {
	uint32_t *characters, *places;
	uint32_t length;
};

/* Log-odds that a character has to add, or it is not of what speaks for harassment. */
static const double dull_weight = 0.3;

/* The stretch of a message with the largest sum, found in one pass (Kadane's algorithm). */
struct stretch {
	int32_t best, sum;
	uint32_t first, last, began; /* places in the text with its marks */
};

static void lengthen(struct stretch *stretch, uint32_t at, int32_t sum)
{
	if (stretch->sum <= 0) {
		stretch->sum = 0;
		stretch->began = at;
	}
	stretch->sum += sum;
	if (stretch->sum > stretch->best) {
		stretch->best = stretch->sum;
		stretch->first = stretch->began;
		stretch->last = at + 1;
	}
}

/* Where a place of the text with its marks came from; `last` is an end. */
static uint32_t place_of(const struct reading *text, uint32_t at, uint32_t count)
{
	if (at <= 1 || text->length == 0)
		return 0;
	return at > text->length ? count : text->places[at - 1];
}

static void write_score(struct tally *tally, const struct stretch *stretch,
			const struct reading *text, uint32_t count, struct mm_model_score *out)
{
	const struct mm_model_header *header = tally->model->header;

	flush(tally);
	for (int i = 0; i < MM_MODEL_MAIN; i++)
		out->main[i] = (double)header->bias[i] + (double)header->scale[i] * tally->total[i];
	out->strongest = (double)header->scale[MM_OUTPUT_HARASSMENT] * stretch->best;
	out->first = place_of(text, stretch->first, count);
	out->last = place_of(text, stretch->last, count);
	out->gram_count = tally->row_count;
	out->grams = tally->rows;
}

static int32_t dull_units(const struct mm_model_header *header)
{
	const double scale = (double)header->scale[MM_OUTPUT_HARASSMENT];

	return scale > 0.0 ? (int32_t)fmin(dull_weight / scale, INT8_MAX) : 0;
}

static bool make_room(struct tally *tally, struct reading *text, uint32_t count,
		      struct mm_arena *arena)
{
	const struct mm_model_header *header = tally->model->header;
	const size_t most = (size_t)(count + 2) * header->longest;

	tally->seen = mm_arena_zalloc(arena, (header->gram_count / 64 + 1) * sizeof(uint64_t));
	tally->rows = mm_arena_alloc(
	    arena, (most < header->gram_count ? most : header->gram_count) * sizeof(uint16_t));
	text->characters = mm_arena_alloc(arena, (size_t)(count + 1) * 2 * sizeof(uint32_t));
	text->places = text->characters ? text->characters + count + 1 : NULL;
	return tally->seen && tally->rows && text->characters;
}

enum mm_status mm_model_score(const struct mm_model *model, const uint32_t *characters,
			      uint32_t count, struct mm_model_score *out, struct mm_arena *arena,
			      struct mm_error *err)
{
	const int32_t dull = dull_units(model->header);
	struct tally tally = {.model = model};
	struct stretch stretch = {.best = 0};
	struct reading text;

	if (!make_room(&tally, &text, count, arena))
		return mm_error_cause(err, MM_NO_MEMORY, "no memory to score a message");
	text.length = mm_gram_text(characters, count, text.characters, text.places);
	for (uint32_t at = 0; at < text.length + 2; at++)
		lengthen(&stretch, at, add_grams(&tally, text.characters, text.length, at) - dull);
	write_score(&tally, &stretch, &text, count, out);
	return MM_OK;
}

void mm_model_categories(const struct mm_model *model, const struct mm_model_score *score,
			 double out[MM_MODEL_CATEGORIES])
{
	int32_t total[MM_MODEL_CATEGORIES] = {0};

	for (uint32_t i = 0; i < score->gram_count; i++) {
		const int8_t *row =
		    model->categories + (size_t)score->grams[i] * MM_MODEL_CATEGORIES;

		for (int j = 0; j < MM_MODEL_CATEGORIES; j++)
			total[j] += row[j];
	}
	for (int j = 0; j < MM_MODEL_CATEGORIES; j++)
		out[j] = (double)model->header->category_bias[j] +
			 (double)model->header->category_scale[j] * total[j];
}
