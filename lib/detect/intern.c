/* intern.c: a hash table of texts with open addressing. Texts are never removed. */
#include "config.h"

#include "detect/intern.h"

#include <stdlib.h>
#include <string.h>

static size_t hash_text(const char *text)
{
	size_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash ^ (hash >> 29);
}

static void put(struct mm_intern *table, uint32_t number)
{
	size_t slot = hash_text(table->texts[number]) & (table->slot_count - 1);

	while (table->slots[slot])
		slot = (slot + 1) & (table->slot_count - 1);
	table->slots[slot] = number + 1;
}

static bool grow(struct mm_intern *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : 256;
	const char **texts = realloc(table->texts, capacity * sizeof(*texts));
	uint32_t *slots;

	if (!texts)
		return false;
	table->texts = texts;
	slots = calloc((size_t)capacity * 2, sizeof(*slots));
	if (!slots)
		return false;
	free(table->slots);
	table->slots = slots;
	table->slot_count = (size_t)capacity * 2;
	table->capacity = capacity;
	for (uint32_t i = 0; i < table->count; i++)
		put(table, i);
	return true;
}

bool mm_intern_add(struct mm_intern *table, const char *text, uint32_t *number_out)
{
	if (table->count == table->capacity && !grow(table))
		return false;
	for (size_t slot = hash_text(text) & (table->slot_count - 1); table->slots[slot];
	     slot = (slot + 1) & (table->slot_count - 1)) {
		*number_out = table->slots[slot] - 1;
		if (strcmp(table->texts[*number_out], text) == 0)
			return true;
	}
	table->texts[table->count] = text;
	*number_out = table->count++;
	put(table, *number_out);
	return true;
}

void mm_intern_free(struct mm_intern *table)
{
	free(table->slots);
	free(table->texts);
	*table = (struct mm_intern){0};
}
