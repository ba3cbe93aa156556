/* writer.c: from vocabulary and weights to the bytes of a model file. */
#include "config.h"

#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT_MAX = 127 };

/* How much one unit of an 8-bit weight is worth, so that the largest weight just fits. */
static void find_scales(const struct vocabulary *vocabulary, const struct weights *weights,
			float scales[OUTPUTS])
{
	for (int j = 0; j < OUTPUTS; j++) {
		float largest = 1e-6f;

		for (uint32_t i = 0; i < vocabulary->count; i++)
			largest = fmaxf(largest, fabsf(weights->of_grams[(size_t)i * OUTPUTS + j]));
		scales[j] = largest / WEIGHT_MAX;
	}
}

static void write_weights(const struct vocabulary *vocabulary, const struct weights *weights,
			  const float scales[OUTPUTS], int8_t *main)
{
	int8_t *categories = main + (size_t)vocabulary->count * MM_MODEL_MAIN;

	for (uint32_t i = 0; i < vocabulary->count; i++)
		for (int j = 0; j < OUTPUTS; j++) {
			const int8_t value =
			    (int8_t)lrintf(weights->of_grams[(size_t)i * OUTPUTS + j] / scales[j]);

			if (j < MM_MODEL_MAIN)
				*main++ = value;
			else
				*categories++ = value;
		}
}

static void write_header(const struct corpus *corpus, const struct vocabulary *vocabulary,
			 const struct weights *weights, const struct mm_fusion *fusion,
			 struct mm_model_header *header)
{
	float scales[OUTPUTS];

	*header = (struct mm_model_header){.magic = {'m', 'm', '-', 'm', 'o', 'd', 'e', 'l'},
					   .version = MM_MODEL_VERSION,
					   .language = (uint32_t)corpus->language,
					   .slot_bits = vocabulary->slot_bits,
					   .gram_count = vocabulary->count,
					   .longest = vocabulary->longest};
	if (fusion)
		header->fusion = *fusion;
	if (!weights)
		return;
	find_scales(vocabulary, weights, scales);
	memcpy(header->bias, weights->bias, sizeof(header->bias));
	memcpy(header->scale, scales, sizeof(header->scale));
	memcpy(header->category_bias, weights->bias + MM_MODEL_MAIN, sizeof(header->category_bias));
	memcpy(header->category_scale, scales + MM_MODEL_MAIN, sizeof(header->category_scale));
}

char *model_bytes(const struct corpus *corpus, const struct vocabulary *vocabulary,
		  const struct weights *weights, const struct mm_fusion *fusion, size_t *length_out)
{
	const size_t slots = sizeof(uint32_t) << vocabulary->slot_bits;
	const size_t length =
	    sizeof(struct mm_model_header) + slots + (size_t)vocabulary->count * OUTPUTS;
	char *bytes = need(length, 1);
	struct mm_model_header *header = (void *)bytes;
	char *body = bytes + sizeof(*header);

	write_header(corpus, vocabulary, weights, fusion, header);
	memcpy(body, vocabulary->slots, slots);
	if (weights) {
		float scales[OUTPUTS];

		memcpy(scales, header->scale, sizeof(header->scale));
		memcpy(scales + MM_MODEL_MAIN, header->category_scale,
		       sizeof(header->category_scale));
		write_weights(vocabulary, weights, scales, (int8_t *)body + slots);
	}
	header->checksum = mm_model_checksum(body, length - sizeof(*header));
	*length_out = length;
	return bytes;
}

struct mm_model *model_of(const struct corpus *corpus, const struct vocabulary *vocabulary,
			  const struct weights *weights, const struct mm_fusion *fusion)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_model *model;
	size_t length;
	char *bytes = model_bytes(corpus, vocabulary, weights, fusion, &length);

	if (mm_model_parse("the model", bytes, length, &model, &err) != MM_OK)
		give_up("%s %s", err.message, err.cause);
	free(bytes);
	return model;
}
