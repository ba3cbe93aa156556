/*
 * labels: the words Mamori judges messages with (floor 2).
 *
 * Shape    plain enums and const name tables; a set of categories, signals or intents is an
 *          unsigned with bit `1u << value` set
 * Units    names are lower-case ASCII codes, as in the API, the database and the rule files
 * Own      every returned string is static
 * Errors   a value outside its enum gives "" ; a name that is unknown makes parse return false
 * Threads  const data only
 * Source   厚生労働省 カスタマーハラスメント対策企業マニュアル (2022) for the categories
 */
#ifndef MM_DETECT_LABELS_H
#define MM_DETECT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* How bad a message is for the person who reads it. Medium and above is harassment. */
enum mm_severity {
	MM_SEVERITY_NONE,
	MM_SEVERITY_LOW,
	MM_SEVERITY_MEDIUM,
	MM_SEVERITY_HIGH,
	MM_SEVERITY_CRITICAL,
	MM_SEVERITY__MAX
};

enum mm_category {
	MM_CATEGORY_THREAT,           /* 脅迫・身体的な攻撃の予告 */
	MM_CATEGORY_VERBAL_ABUSE,     /* 侮辱・暴言・人格否定 */
	MM_CATEGORY_DEFAMATION,       /* 中傷・名誉毀損 */
	MM_CATEGORY_INTIMIDATION,     /* 威圧的な言動 */
	MM_CATEGORY_EXPOSURE_THREAT,  /* SNS・報道への暴露をほのめかす威迫 */
	MM_CATEGORY_DOGEZA_DEMAND,    /* 土下座の要求 */
	MM_CATEGORY_PERSISTENCE,      /* 継続的・執拗な言動 */
	MM_CATEGORY_RESTRAINT,        /* 拘束的な行動 */
	MM_CATEGORY_DISCRIMINATION,   /* 差別的な言動 */
	MM_CATEGORY_SEXUAL,           /* 性的な言動 */
	MM_CATEGORY_PERSONAL_ATTACK,  /* 従業員個人への攻撃・要求 */
	MM_CATEGORY_EXCESSIVE_DEMAND, /* 過剰な要求 */
	MM_CATEGORY__MAX
};

enum mm_sentiment {
	MM_SENTIMENT_POSITIVE,
	MM_SENTIMENT_NEUTRAL,
	MM_SENTIMENT_NEGATIVE,
	MM_SENTIMENT_ANGER,
	MM_SENTIMENT__MAX
};

/* What a message says beside harassment; a signal never raises the severity. */
enum mm_signal {
	MM_SIGNAL_URGENT,
	MM_SIGNAL_LEGAL_MENTION,
	MM_SIGNAL_CHURN,
	MM_SIGNAL_SELF_HARM,
	MM_SIGNAL_ACCOMMODATION,
	MM_SIGNAL_INJECTION,
	MM_SIGNAL_PII_PRESENT,
	MM_SIGNAL_HUMAN_REQUESTED,
	MM_SIGNAL__MAX
};

/* What the customer wants; for the built-in replies and the issues of a handoff. */
enum mm_intent {
	MM_INTENT_SHIPPING,
	MM_INTENT_RETURNS,
	MM_INTENT_DEFECT,
	MM_INTENT_ACCOUNT,
	MM_INTENT_BILLING,
	MM_INTENT_GREETING,
	MM_INTENT_THANKS,
	MM_INTENT_COMPLAINT,
	MM_INTENT__MAX
};

/* "none" "low" "medium" "high" "critical"; parse takes exactly these (bytes [name, name+length)). */
const char *mm_severity_name(enum mm_severity severity);
bool mm_severity_parse(const char *name, size_t length, enum mm_severity *out);

/* "threat" … "excessive_demand"; the labels are short noun phrases for people. */
const char *mm_category_name(enum mm_category category);
const char *mm_category_label_ja(enum mm_category category);
const char *mm_category_label_en(enum mm_category category);
bool mm_category_parse(const char *name, size_t length, enum mm_category *out);

/* "positive" "neutral" "negative" "anger" */
const char *mm_sentiment_name(enum mm_sentiment sentiment);
bool mm_sentiment_parse(const char *name, size_t length, enum mm_sentiment *out);

/* "urgent" "legal_mention" "churn" "self_harm" "accommodation" "injection" "pii_present"
 * "human_requested" */
const char *mm_signal_name(enum mm_signal signal);
bool mm_signal_parse(const char *name, size_t length, enum mm_signal *out);

/* "shipping" "returns" "defect" "account" "billing" "greeting" "thanks" "complaint".
 * The issue label is what a handoff lists (配送, 返品・返金, 品質, アカウント, 料金, 対応不満);
 * NULL for greeting and thanks, which are no issue. */
const char *mm_intent_name(enum mm_intent intent);
const char *mm_intent_issue_ja(enum mm_intent intent);
bool mm_intent_parse(const char *name, size_t length, enum mm_intent *out);

/* The combined risk of a severity and a sentiment, on the severity scale. Calm wording lowers
 * it, anger raises it; the matrix is a table in labels.c. */
enum mm_severity mm_risk_combine(enum mm_severity severity, enum mm_sentiment sentiment);

#endif
