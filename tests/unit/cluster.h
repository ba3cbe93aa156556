/*
 * cluster: a private PostgreSQL for one test program, through tests/sql/cluster.
 *
 * Own      the cluster lives in the test's temporary folder
 * Errors   any failure ends the test program
 */
#ifndef MM_TEST_CLUSTER_H
#define MM_TEST_CLUSTER_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "folder.h"
#include "store/db.h"

static inline const char *test_source(void)
{
	const char *source = getenv("MM_TEST_SOURCE");

	return source ? source : ".";
}

static inline void test_cluster_run(const char *action)
{
	char command[512];

	snprintf(command, sizeof command, "'%s/tests/sql/cluster' %s '%s/pg'", test_source(),
		 action, test_folder);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(99);
	}
}

/* Makes the temporary folder and a cluster in it, and starts it. */
static inline void test_cluster_make(void)
{
	test_folder_make();
	if (chmod(test_folder, 0755) != 0)
		exit(99);
	test_cluster_run("start");
}

static inline void test_cluster_remove(void)
{
	test_cluster_run("stop");
	test_folder_remove();
}

/* A connection string with something appended; four may be in use at once. */
static inline const char *test_dsn(const char *more)
{
	static char texts[4][256];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof texts[0], "host=%s/pg user=postgres dbname=postgres %s", test_folder,
		 more);
	return text;
}

/* A handle with timeouts that suit tests. */
static inline struct mm_db *test_db_open(const char *more)
{
	const struct mm_db_options options = {.dsn = test_dsn(more),
					      .application_name = "test",
					      .statement_timeout_ms = 2000,
					      .lock_timeout_ms = 300,
					      .retry_min_ms = 0};
	struct mm_db *db;

	if (mm_db_new(&options, &db, NULL) != MM_OK)
		exit(99);
	return db;
}

#endif
