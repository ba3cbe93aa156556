/* grounding: writes the part of the prompt that has the sources; searches nothing. */
#include "config.h"

#include "ai/grounding.h"

#include <sodium.h>
#include <string.h>

#include "ai/fence.h"
#include "base/buffer.h"

enum { NONCE_BYTES = 12 };

static const char with_sources[] =
    "\n\nBelow stand the company's articles for this question. What you say of the company, its "
    "goods, prices and rules comes from them alone. Where they do not answer the question, say "
    "that you do not know, and offer a person. At the end of each sentence that rests on an "
    "article write its number in the form [#1], and nothing else about where you have it from.\n";

static const char without_sources[] =
    "\n\nNone of the company's articles answers this question. If it is about the company, its "
    "goods, prices or rules, say that you do not know, and offer a person; do not guess. A "
    "greeting, thanks or a complaint you may answer as usual.\n";

static void add_source(struct mm_buffer *out, const char *nonce, size_t number,
		       const struct mm_source *source, struct mm_arena *arena)
{
	const char *kind = mm_arena_printf(arena, "source_%zu", number);
	const char *text = mm_arena_printf(arena, "%s\n\n%s", source->title, source->body);
	const char *fenced =
	    kind && text ? mm_fence_text(kind, nonce, text, strlen(text), arena) : NULL;
	if (!fenced) {
		out->has_failed = true;
		return;
	}
	mm_buffer_printf(out, "\n[#%zu]\n", number);
	mm_buffer_add_text(out, fenced);
}

const char *mm_grounding_prompt(const char *prompt, const struct mm_ai_request *request,
				struct mm_arena *arena)
{
	unsigned char bytes[NONCE_BYTES];
	char nonce[2 * NONCE_BYTES + 1];
	struct mm_buffer out;
	if (!request->is_grounded || request->schema)
		return prompt;
	mm_buffer_init(&out, 8192, 0, arena);
	mm_buffer_add_text(&out, prompt);
	mm_buffer_add_text(&out, request->source_count ? with_sources : without_sources);
	if (request->source_count) {
		randombytes_buf(bytes, sizeof bytes);
		sodium_bin2hex(nonce, sizeof nonce, bytes, sizeof bytes);
		const char *rule = mm_fence_rule(nonce, arena);
		mm_buffer_add_text(&out, rule ? rule : "");
		out.has_failed |= !rule;
	}
	for (size_t i = 0; i < request->source_count; i++)
		add_source(&out, nonce, i + 1, &request->sources[i], arena);
	return out.has_failed ? NULL : mm_buffer_text(&out);
}
