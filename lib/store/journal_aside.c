/* journal_aside: what the database refused, listed for people and put back when they ask. It knows
 * this process's spool only; set_aside.c is the other side. */
#include "config.h"

#include "store/journal_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "text/json.h"
#include "text/json_writer.h"

enum { LISTED_MAX = 1000, WISH_BYTES_MAX = 16384, PATH_BYTES = 4096 };

static const char *const kinds[MM_RECORD__MAX] = {
    [MM_RECORD_ANALYSIS] = "analysis",
    [MM_RECORD_TURN] = "turn",
};

static void make_path(const struct mm_journal *journal, const char *suffix, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s-%d%s", journal->options.spool_dir, journal->options.app,
		 mm_spool_slot(journal->spool), suffix);
}

static void write_record(struct mm_json_writer *writer, const struct mm_spool_aside *aside)
{
	char id[MM_ID_TEXT];

	mm_id_format(&aside->id, id);
	mm_json_object_begin(writer);
	mm_json_pair_text(writer, "id", id);
	mm_json_pair_text(writer, "kind",
			  (unsigned)aside->kind < MM_RECORD__MAX ? kinds[aside->kind] : "unknown");
	mm_json_pair_i64(writer, "at", aside->at_utc_ms);
	mm_json_pair_i64(writer, "bytes", aside->bytes);
	mm_json_pair_text(writer, "reason", aside->reason);
	mm_json_object_end(writer);
}

static bool write_list(struct mm_journal *journal, const char *path)
{
	struct mm_spool_aside *records;
	struct mm_json_writer writer;
	struct mm_buffer text;
	size_t count;

	if (mm_spool_list_aside(journal->spool, LISTED_MAX, &records, &count, journal->drain_arena,
				NULL) != MM_OK)
		return false;
	mm_buffer_init(&text, 4096, MM_SET_ASIDE_LIST_BYTES_MAX, NULL);
	mm_json_writer_init(&writer, &text);
	mm_json_array_begin(&writer);
	for (size_t i = 0; i < count; i++)
		write_record(&writer, &records[i]);
	mm_json_array_end(&writer);
	mm_buffer_add_char(&text, '\n');
	bool is_written =
	    !text.has_failed && mm_file_replace(path, text.data, text.length, NULL) == MM_OK;
	mm_buffer_free(&text);
	return is_written;
}

void mm_journal_write_aside(struct mm_journal *journal)
{
	struct mm_spool_counts counts;
	char path[PATH_BYTES];

	mm_spool_counts(journal->spool, &counts);
	if (counts.aside_changes == journal->listed_changes)
		return;
	make_path(journal, MM_SET_ASIDE_LIST_SUFFIX, path);
	if (counts.set_aside == 0)
		unlink(path);
	else if (!write_list(journal, path))
		mm_log(MM_LOG_INFO, NULL, "journal: %s could not be written", path);
	mm_arena_reset(journal->drain_arena);
	journal->listed_changes = counts.aside_changes;
}

static bool parse_ids(struct json_object *list, struct mm_journal_wish *wish)
{
	size_t count = json_object_array_length(list);

	if (count > MM_SET_ASIDE_IDS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct json_object *id = json_object_array_get_idx(list, i);
		if (!json_object_is_type(id, json_type_string) ||
		    !mm_id_parse(json_object_get_string(id), (size_t)json_object_get_string_len(id),
				 &wish->ids[i]))
			return false;
	}
	wish->count = count;
	return true;
}

/* Without "ids" it is for all. */
static bool parse_wish(struct json_object *object, struct mm_journal_wish *wish)
{
	struct json_object *list;
	const char *id;
	size_t length;

	if (mm_json_text(object, "id", true, &id, &length, NULL) != MM_OK ||
	    length != MM_ID_TEXT - 1 || mm_json_array(object, "ids", false, &list, NULL) != MM_OK)
		return false;
	*wish = (struct mm_journal_wish){.is_for_all = list == NULL};
	memcpy(wish->id, id, length);
	return !list || parse_ids(list, wish);
}

bool mm_journal_read_wish(struct mm_journal *journal)
{
	static const struct mm_json_limits limits = {WISH_BYTES_MAX, 2};
	struct json_object *object;
	char path[PATH_BYTES];
	char *text;
	size_t length;

	make_path(journal, MM_SET_ASIDE_RETRY_SUFFIX, path);
	if (access(path, F_OK) != 0)
		return false;
	bool is_wish =
	    mm_file_read(path, WISH_BYTES_MAX, &text, &length, journal->drain_arena, NULL) ==
		MM_OK &&
	    mm_json_parse(text, length, &limits, &object, journal->drain_arena, NULL) == MM_OK &&
	    parse_wish(object, &journal->wish);
	mm_arena_reset(journal->drain_arena);
	return is_wish;
}

/* What was put back waits in the spool like any other record, and records behind it too. */
void mm_journal_answer_wish(struct mm_journal *journal)
{
	const struct mm_journal_wish *wish = &journal->wish;
	struct mm_error failure = {0};

	journal->put_back = -1;
	if (mm_spool_put_back(journal->spool, wish->is_for_all ? NULL : wish->ids, wish->count,
			      &journal->put_back, &failure) == MM_OK)
		mm_log(MM_LOG_NOTICE, NULL,
		       "journal: %lld records that were set aside are tried "
		       "again",
		       (long long)journal->put_back);
	else
		mm_log(MM_LOG_ERROR, NULL, "journal: what was set aside is not tried again: %s",
		       failure.cause);
	memcpy(journal->answered, wish->id, sizeof(journal->answered));
	journal->has_wish = false;
	journal->is_status_stale = true;
	if (journal->mode == MM_JOURNAL_DIRECT && !mm_journal_is_drained(journal))
		mm_journal_set_mode(journal, MM_JOURNAL_DRAINING, NULL);
}
