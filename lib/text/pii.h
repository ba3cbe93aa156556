/*
 * pii: finds personal data in a message, to mask it and to say that it is there (floor 1).
 *
 * Shape    spans, sorted by start, that do not overlap
 * Units    start and end are byte offsets into the text
 * Own      the array of spans lives in the arena passed in
 * Errors   MM_BAD_INPUT: the text is not valid UTF-8; MM_NO_MEMORY. Outputs are untouched unless
 *          MM_OK
 * Threads  pure functions, safe everywhere
 * Source   numbering plan of 総務省 (電気通信番号計画); Luhn, ISO/IEC 7812-1 annex B; check digit of
 *          the 個人番号, 平成26年総務省令第85号; ISO 13616 (IBAN), ISO 7064 MOD 97-10; the numbering
 *          plan of North America
 *
 * Digits and signs may be full width. A number counts by its shape, its check digit and, where
 * the shape alone says too little, by a word before it (口座, マイナンバー, 住所, routing number). After words such as
 * 注文番号, 伝票番号, 追跡番号 or a prefix such as ORD- no number counts.
 * The disadvantage: shapes miss what is written in words (ゼロキュウゼロ…), and names of people are
 * not looked for. Time is linear in the length for any input.
 */
#ifndef MM_TEXT_PII_H
#define MM_TEXT_PII_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

enum mm_pii_kind {
	MM_PII_PHONE, /* 090-1234-5678, 03(1234)5678, +81 90 1234 5678; (415) 555-2671, +44 … */
	MM_PII_EMAIL, /* taro@example.jp */
	MM_PII_CARD,  /* 13 to 16 or 19 digits of a card network, Luhn */
	MM_PII_POSTAL_CODE, /* 〒100-0001; without 〒 only after 郵便番号 or before a prefecture; ZIP */
	MM_PII_MY_NUMBER, /* 12 digits, check digit, some way behind マイナンバー or 個人番号 */
	MM_PII_BANK_ACCOUNT, /* 普通 1234567; ゆうちょ 記号 and 番号; IBAN; English with its word */
	MM_PII_ADDRESS,         /* 市区町村, then 番地; 123 Main Street */
	MM_PII_SOCIAL_SECURITY, /* 123-45-6789 after SSN */
	MM_PII__MAX
};

struct mm_pii_span {
	size_t start, end; /* bytes */
	enum mm_pii_kind kind;
};

/* The kind's name in lower case: "phone", "my_number". */
const char *mm_pii_kind_name(enum mm_pii_kind kind);

/*
 * Finds all personal data in the text. *out is NULL and *count_out 0 when there is none. err may
 * be NULL.
 */
enum mm_status mm_pii_find(const char *text, size_t length, struct mm_pii_span **out,
			   size_t *count_out, struct mm_arena *arena, struct mm_error *err);

#endif
