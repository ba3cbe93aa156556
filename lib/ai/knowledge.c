/* knowledge: keeps articles beside their index. Where they come from is the caller's business. */
#include "config.h"

#include "ai/knowledge.h"

#include <stdlib.h>
#include <string.h>

#include "text/search.h"

struct mm_knowledge {
	struct mm_arena *arena;
	const struct mm_knowledge_article *articles;
	size_t count;
	int64_t version;
	size_t text_bytes;
	struct mm_search *search;
};

static enum mm_status build(struct mm_knowledge *knowledge, struct mm_error *err)
{
	struct mm_search_document *documents = calloc(knowledge->count + 1, sizeof(*documents));

	if (!documents)
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	for (size_t i = 0; i < knowledge->count; i++) {
		const struct mm_knowledge_article *article = &knowledge->articles[i];
		knowledge->text_bytes +=
		    strlen(article->title) + strlen(article->body) + strlen(article->tags);
		documents[i] = (struct mm_search_document){
		    article->title, article->body, article->tags, (uint8_t)article->language};
	}
	enum mm_status status =
	    mm_search_build(documents, knowledge->count, &knowledge->search, err);
	free(documents);
	return status;
}

enum mm_status mm_knowledge_new(struct mm_arena *arena, const struct mm_knowledge_article *articles,
				size_t count, int64_t version, struct mm_knowledge **out,
				struct mm_error *err)
{
	struct mm_knowledge *knowledge = calloc(1, sizeof(*knowledge));

	if (!knowledge) {
		mm_arena_free(arena);
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	}
	*knowledge = (struct mm_knowledge){
	    .arena = arena, .articles = articles, .count = count, .version = version};
	enum mm_status status = build(knowledge, err);
	if (status == MM_OK)
		*out = knowledge;
	else
		mm_knowledge_free(knowledge);
	return status;
}

void mm_knowledge_free(struct mm_knowledge *knowledge)
{
	if (!knowledge)
		return;
	mm_search_free(knowledge->search);
	mm_arena_free(knowledge->arena);
	free(knowledge);
}

size_t mm_knowledge_count(const struct mm_knowledge *knowledge)
{
	return knowledge->count;
}

int64_t mm_knowledge_version(const struct mm_knowledge *knowledge)
{
	return knowledge->version;
}

size_t mm_knowledge_bytes(const struct mm_knowledge *knowledge)
{
	return sizeof(*knowledge) + mm_search_bytes(knowledge->search) + knowledge->text_bytes +
	       knowledge->count * sizeof(*knowledge->articles);
}

enum mm_status mm_knowledge_find(const struct mm_knowledge *knowledge, const char *text,
				 size_t length, enum mm_language language, struct mm_source *out,
				 size_t max, size_t *count_out, struct mm_arena *arena,
				 struct mm_error *err)
{
	struct mm_search_hit *hits = mm_arena_array(arena, max, sizeof(*hits));
	size_t count;

	if (!hits)
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	enum mm_status status = mm_search_find(knowledge->search, text, length, (uint8_t)language,
					       hits, max, &count, arena, err);
	if (status != MM_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		const struct mm_knowledge_article *article = &knowledge->articles[hits[i].document];
		out[i] =
		    (struct mm_source){article->id, article->title, article->body, hits[i].match};
	}
	*count_out = count;
	return MM_OK;
}
