/* spool: mamori spool lists and retries what the database refused. The spool files stay the
 * workers': they are asked, see lib/store/set_aside.h. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "command.h"
#include "store/set_aside.h"

enum { ANSWER_MS = 15000 };

struct journals {
	const char *spool_dir;
	struct mm_journal_report *reports;
	size_t count;
};

/* What the database says may quote anything: a line stays a line. */
static void print_line(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 127 ? ' ' : *text);
	putchar('\n');
}

static void print_record(const struct mm_journal_report *journal, const struct mm_set_aside *record)
{
	char time[MM_CLOCK_TEXT];

	mm_clock_format_utc(record->at_utc_ms, time);
	printf("%s  %s  %s-%d  %s  %lld bytes  ", record->id, time, journal->app, journal->slot,
	       record->kind, (long long)record->bytes);
	print_line(record->reason);
}

static int list(const struct invocation *invocation, const struct journals *journals)
{
	struct mm_error err = {.status = MM_OK};
	int64_t total = 0;
	size_t shown = 0;

	for (size_t i = 0; i < journals->count; i++) {
		const struct mm_journal_report *journal = &journals->reports[i];
		struct mm_set_aside *records;
		size_t count = 0;
		total += journal->state.set_aside;
		if (journal->state.set_aside > 0 &&
		    mm_set_aside_list(journals->spool_dir, journal, &records, &count,
				      invocation->arena, &err) != MM_OK)
			return command_fail("spool", &err);
		for (size_t k = 0; k < count; k++)
			print_record(journal, &records[k]);
		shown += count;
	}
	printf("%lld set aside", (long long)total);
	if (total > (int64_t)shown)
		printf(", %lld of them not listed", (long long)total - (long long)shown);
	putchar('\n');
	return EXIT_DONE;
}

struct retry {
	const struct mm_id *ids; /* NULL: all */
	size_t count;
	int64_t put_back;
	bool has_failed;
};

static void retry_one(const struct journals *journals, const struct mm_journal_report *journal,
		      struct retry *retry)
{
	struct mm_error err = {.status = MM_OK};
	int64_t put_back = 0;

	if (!journal->is_alive) {
		fprintf(stderr,
			"mamori: spool: %s-%d has %lld set aside and is not running; start a "
			"worker of %s, which takes them over, and try again\n",
			journal->app, journal->slot, (long long)journal->state.set_aside,
			journal->app);
		retry->has_failed = true;
	} else if (mm_set_aside_retry(journals->spool_dir, journal, retry->ids, retry->count,
				      ANSWER_MS, &put_back, &err) != MM_OK) {
		command_fail("spool", &err);
		retry->has_failed = true;
	}
	retry->put_back += put_back;
}

static int run_retry(const struct journals *journals, struct retry *retry)
{
	for (size_t i = 0; i < journals->count; i++)
		if (journals->reports[i].state.set_aside > 0)
			retry_one(journals, &journals->reports[i], retry);
	printf("%lld are tried again\n", (long long)retry->put_back);
	if (retry->ids && retry->put_back >= (int64_t)retry->count)
		return EXIT_DONE;
	if (retry->ids)
		fprintf(stderr, "mamori: spool: not all of these ids are set aside\n");
	return retry->has_failed || retry->ids ? EXIT_FAILED : EXIT_DONE;
}

/* The arguments after "retry": --all, or ids. */
static bool read_ids(int count, char **arguments, struct mm_id ids[], struct retry *retry)
{
	if (count == 1 && strcmp(arguments[0], "--all") == 0)
		return true;
	if (count == 0 || count > MM_SET_ASIDE_IDS_MAX) {
		fprintf(stderr, "mamori: spool retry needs --all, or 1 to %d ids\n",
			MM_SET_ASIDE_IDS_MAX);
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (!mm_id_parse(arguments[i], strlen(arguments[i]), &ids[i])) {
			fprintf(stderr, "mamori: \"%s\" is no id\n", arguments[i]);
			return false;
		}
	}
	retry->ids = ids;
	retry->count = (size_t)count;
	return true;
}

int command_spool(const struct invocation *invocation)
{
	struct journals journals = {.spool_dir = invocation->settings->journal.spool_dir};
	struct mm_id ids[MM_SET_ASIDE_IDS_MAX];
	struct mm_error err = {.status = MM_OK};
	struct retry retry = {0};
	const char *action = invocation->count > 0 ? invocation->arguments[0] : "";
	const bool is_retry = strcmp(action, "retry") == 0;

	if (!is_retry && (strcmp(action, "list") != 0 || invocation->count > 1)) {
		fprintf(stderr, "mamori: spool: use \"list\", or \"retry\" with ids or --all\n");
		return EXIT_USAGE;
	}
	if (is_retry && !read_ids(invocation->count - 1, invocation->arguments + 1, ids, &retry))
		return EXIT_USAGE;
	if (mm_journal_read_states(journals.spool_dir, &journals.reports, &journals.count,
				   invocation->arena, &err) != MM_OK)
		return command_fail("spool", &err);
	return is_retry ? run_retry(&journals, &retry) : list(invocation, &journals);
}
