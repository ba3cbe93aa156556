/*
 * small_rules: a handful of rules for the tests of lib/service, so that they do not depend on the
 * shipped ones.
 */
#ifndef MM_TEST_SMALL_RULES_H
#define MM_TEST_SMALL_RULES_H

#include "detect/detector.h"
#include "folder.h"

static const char small_rules[] =
    "[t.abuse]\nkind = harassment\nseverity = high\n"
    "category = verbal_abuse\nreason = 侮辱しています。\n"
    "pattern = バカ\n"
    "[t.pressure]\nkind = harassment\nseverity = medium\n"
    "category = intimidation\nreason = 威圧しています。\n"
    "pattern = 責任者を出せ\n"
    "[t.threat]\nkind = harassment\nseverity = critical\n"
    "category = threat\nreason = 脅迫しています。\n"
    "pattern = 殺すぞ\n"
    "[t.negative]\nkind = sentiment\nsentiment = negative\n"
    "pattern = 届きません\n"
    "[t.anger]\nkind = sentiment\nsentiment = anger\n"
    "pattern = ふざけるな\n"
    "[t.shipping]\nkind = intent\nintent = shipping\npattern = 届\n"
    "[t.billing]\nkind = intent\nintent = billing\npattern = 請求\n"
    "[t.human]\nkind = signal\nsignal = human_requested\n"
    "pattern = 人に代わって\n"
    "[t.care]\nkind = signal\nsignal = self_harm\npattern = 死にたい\n";

/* Writes the rules into the test's folder and makes a detector of them. */
static inline struct mm_detector *small_detector(void)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_rules *rules = NULL;
	struct mm_detector *detector = NULL;
	test_folder_write("small.rules", small_rules);
	if (mm_rules_load(test_folder, NULL, NULL, &rules, &err) != MM_OK ||
	    mm_detector_new(rules, &detector, &err) != MM_OK) {
		fprintf(stderr, "%s %s\n", err.message, err.cause);
		exit(99);
	}
	return detector;
}

#endif
