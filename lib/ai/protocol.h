/*
 * protocol: how a question is written and an answer read, for each vendor (floor 3).
 *
 * Shape    struct mm_protocol is a const row of functions, one a vendor: anthropic.c, gemini.c,
 *          openai.c. struct mm_reading is what has been read of an answer so far; a whole answer and
 *          the documents of a stream go through the same function
 * Units    tokens as the vendor counts them
 * Own      a reading's text is from malloc: mm_reading_free
 * Errors   a document that is not what the protocol says is MM_FAULT_INVALID; members that are
 *          not known are left alone
 * Threads  one reading belongs to one thread
 * Source   the vendors' API references, as of August 2026
 */
#ifndef MM_AI_PROTOCOL_H
#define MM_AI_PROTOCOL_H

#include "ai/ledger.h"
#include "ai/provider.h"
#include "base/settings.h"
#include "text/json.h"
#include "text/json_writer.h"

/* Why an answer ended. */
enum mm_finish {
	MM_FINISH_NONE, /* it has not */
	MM_FINISH_STOP,
	MM_FINISH_LENGTH,
	MM_FINISH_REFUSAL,
	MM_FINISH_TOOL, /* the model handed over */
	MM_FINISH_BAD,  /* in a way that leaves nothing to use */
	MM_FINISH__MAX
};

struct mm_reading {
	struct mm_buffer text;
	enum mm_finish finish;
	int64_t text_block; /* which block of the answer is its text; -1: none yet */
	int64_t input_tokens, output_tokens;
	bool is_handed_over;
	/* of an error in the answer */
	enum mm_fault fault;
	int64_t retry_ms; /* -1: not said */
};

/* A question, with what is to be sent of it. */
struct mm_question {
	const struct mm_provider_settings *settings;
	const struct mm_ai_request *request;
	const char *prompt;
	size_t first_turn; /* of the history; those before are left out */
	bool is_streamed;
	bool has_tool; /* the model is offered MM_TOOL_NAME */
};

#define MM_TOOL_NAME "hand_off"
#define MM_TOOL_DESCRIPTION                                                                        \
	"Hands the conversation over to a person. Use it when the customer needs somebody who "    \
	"can "                                                                                     \
	"decide or look something up that you cannot."
#define MM_TOOL_SCHEMA                                                                             \
	"{\"type\":\"object\",\"properties\":{\"reason\":{\"type\":\"string\"}},"                  \
	"\"required\":[\"reason\"]}"

struct mm_protocol {
	const char *key_header; /* what stands before the key, such as "x-api-key: " */
	const char *header;     /* another one that every call has, or NULL */
	bool needs_key;
	/* Appends what follows the base URL. */
	void (*write_path)(struct mm_buffer *url, const char *model, bool is_streamed);
	void (*write_body)(struct mm_json_writer *writer, const struct mm_question *question);
	/* Takes a document that is not an error. */
	enum mm_fault (*read)(struct json_object *document, struct mm_reading *reading);
};

/* The row of a vendor. */
const struct mm_protocol *mm_protocol_of(enum mm_ai_vendor vendor);

extern const struct mm_protocol mm_protocol_anthropic, mm_protocol_gemini, mm_protocol_openai;

/* max_bytes: of the answer's text. */
void mm_reading_init(struct mm_reading *reading, size_t max_bytes);
void mm_reading_free(struct mm_reading *reading);

/* Takes a document of an answer: an error, which all vendors tell alike, or the vendor's own. */
enum mm_fault mm_reading_take(struct mm_reading *reading, const struct mm_protocol *protocol,
			      struct json_object *document);

/* Appends to the text; NULL adds nothing. */
void mm_reading_add(struct mm_reading *reading, const char *text);

/* A word of the vendor's and what it means; the last row has name NULL and stands for the others. */
struct mm_finish_name {
	const char *name;
	enum mm_finish finish;
};
enum mm_finish mm_finish_parse(const struct mm_finish_name *names, const char *name);

/* Readers that take anything: NULL or -1 for what is absent or of another type. */
struct json_object *mm_member(struct json_object *object, const char *key);
struct json_object *mm_member_array(struct json_object *object, const char *key);
const char *mm_member_text(struct json_object *object, const char *key);
int64_t mm_member_i64(struct json_object *object, const char *key);

/* Adds {"role": …, content_key: text} for each turn that is sent and for the message itself. */
void mm_write_messages(struct mm_json_writer *writer, const struct mm_question *question);

#endif
