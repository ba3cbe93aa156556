/* knowledge: keeps articles beside their index. Where they come from is the caller's business. */
#include "config.h"

#include "ai/knowledge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ai/passage.h"
#include "base/buffer.h"
#include "text/search.h"

enum {
	PIECE_CODE_POINTS = 500,
	HITS_PER_SOURCE = 8, /* so many pieces of one article may stand before another article */
};

struct mm_knowledge {
	struct mm_arena *arena;
	const struct mm_knowledge_article *articles;
	size_t count;
	int64_t version;
	size_t text_bytes;
	struct mm_search *search;
	uint32_t *article_of; /* of each document of the search: a piece of an article */
	size_t document_count;
};

/* What the index is built from. */
struct documents {
	struct mm_buffer list; /* of struct mm_search_document */
	struct mm_buffer article_of;
	struct mm_arena *arena; /* of the pieces' texts */
};

/* A long article would count for little beside short ones: it is indexed in pieces, each under its
 * title and tags. */
static void add_article(struct documents *documents, const struct mm_knowledge_article *article,
			uint32_t number)
{
	struct mm_buffer pieces;

	mm_buffer_init(&pieces, 0, 0, documents->arena);
	mm_passage_cut(article->body, PIECE_CODE_POINTS, &pieces);
	const struct mm_piece *piece = (const struct mm_piece *)(const void *)pieces.data;
	for (size_t i = 0; i < pieces.length / sizeof(*piece); i++) {
		const char *body =
		    mm_arena_strndup(documents->arena, article->body + piece[i].start,
				     piece[i].end - piece[i].start);
		const struct mm_search_document document = {article->title, body, article->tags,
							    (uint8_t)article->language};
		documents->list.has_failed |= !body;
		mm_buffer_add(&documents->list, &document, sizeof(document));
		mm_buffer_add(&documents->article_of, &number, sizeof(number));
	}
	documents->list.has_failed |= pieces.has_failed;
}

static enum mm_status build_over(struct mm_knowledge *knowledge, struct documents *documents,
				 struct mm_error *err)
{
	for (size_t i = 0; i < knowledge->count; i++) {
		const struct mm_knowledge_article *article = &knowledge->articles[i];
		knowledge->text_bytes +=
		    strlen(article->title) + strlen(article->body) + strlen(article->tags);
		add_article(documents, article, (uint32_t)i);
	}
	const size_t count = documents->article_of.length / sizeof(uint32_t);
	knowledge->article_of = calloc(count + 1, sizeof(uint32_t));
	if (documents->list.has_failed || documents->article_of.has_failed ||
	    !knowledge->article_of)
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	if (count > 0)
		memcpy(knowledge->article_of, documents->article_of.data,
		       documents->article_of.length);
	knowledge->document_count = count;
	return mm_search_build((const struct mm_search_document *)(void *)documents->list.data,
			       count, &knowledge->search, err);
}

static enum mm_status build(struct mm_knowledge *knowledge, struct mm_error *err)
{
	struct documents documents = {.arena = mm_arena_new(0)};

	if (!documents.arena)
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	mm_buffer_init(&documents.list, 0, 0, NULL);
	mm_buffer_init(&documents.article_of, 0, 0, NULL);
	const enum mm_status status = build_over(knowledge, &documents, err);
	mm_buffer_free(&documents.list);
	mm_buffer_free(&documents.article_of);
	mm_arena_free(documents.arena);
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
	free(knowledge->article_of);
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
	       knowledge->count * sizeof(*knowledge->articles) +
	       knowledge->document_count * sizeof(*knowledge->article_of);
}

/* Whether one of the sources is that article: then a better piece of it was there before. */
static bool has_article(const struct mm_source *sources, size_t count,
			const struct mm_knowledge_article *article)
{
	for (size_t i = 0; i < count; i++)
		if (sources[i].id == article->id)
			return true;
	return false;
}

enum mm_status mm_knowledge_find(const struct mm_knowledge *knowledge, const char *text,
				 size_t length, enum mm_language language, struct mm_source *out,
				 size_t max, size_t *count_out, struct mm_arena *arena,
				 struct mm_error *err)
{
	const size_t hits_max = max * HITS_PER_SOURCE;
	struct mm_search_hit *hits = mm_arena_array(arena, hits_max, sizeof(*hits));
	size_t hit_count, count = 0;

	if (!hits)
		return mm_error_cause(err, MM_NO_MEMORY, "knowledge: no memory");
	enum mm_status status = mm_search_find(knowledge->search, text, length, (uint8_t)language,
					       hits, hits_max, &hit_count, arena, err);
	if (status != MM_OK)
		return status;
	for (size_t i = 0; i < hit_count && count < max; i++) {
		const struct mm_knowledge_article *article =
		    &knowledge->articles[knowledge->article_of[hits[i].document]];
		if (!has_article(out, count, article))
			out[count++] = (struct mm_source){article->id, article->title,
							  article->body, hits[i].match};
	}
	*count_out = count;
	return MM_OK;
}
