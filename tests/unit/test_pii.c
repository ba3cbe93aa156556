/*
 * Tests of lib/text/pii: what is personal data, and what only looks like it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "text/pii.h"

static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

/* One span is wanted: what it covers, and its kind. */
static const struct {
	const char *text, *want;
	enum mm_pii_kind kind;
} positives[] = {
    {"090-1234-5678", "090-1234-5678", MM_PII_PHONE},
    {"電話は090-1234-5678です", "090-1234-5678", MM_PII_PHONE},
    {"09012345678", "09012345678", MM_PII_PHONE},
    {"携帯08012345678まで", "08012345678", MM_PII_PHONE},
    {"070-1234-5678", "070-1234-5678", MM_PII_PHONE},
    {"050-1234-5678", "050-1234-5678", MM_PII_PHONE},
    {"060-1234-5678", "060-1234-5678", MM_PII_PHONE},
    {"03-1234-5678", "03-1234-5678", MM_PII_PHONE},
    {"0312345678", "0312345678", MM_PII_PHONE},
    {"03(1234)5678", "03(1234)5678", MM_PII_PHONE},
    {"(03)1234-5678", "(03)1234-5678", MM_PII_PHONE},
    {"（０３）１２３４－５６７８", "（０３）１２３４－５６７８", MM_PII_PHONE},
    {"045-123-4567", "045-123-4567", MM_PII_PHONE},
    {"0422-12-3456", "0422-12-3456", MM_PII_PHONE},
    {"01234-5-6789", "01234-5-6789", MM_PII_PHONE},
    {"0120-123-456", "0120-123-456", MM_PII_PHONE},
    {"0120-12-3456", "0120-12-3456", MM_PII_PHONE},
    {"0120123456", "0120123456", MM_PII_PHONE},
    {"0570-123-456", "0570-123-456", MM_PII_PHONE},
    {"0800-123-4567", "0800-123-4567", MM_PII_PHONE},
    {"090 1234 5678", "090 1234 5678", MM_PII_PHONE},
    {"090-12345678", "090-12345678", MM_PII_PHONE},
    {"090ー1234ー5678", "090ー1234ー5678", MM_PII_PHONE},
    {"０９０－１２３４－５６７８", "０９０－１２３４－５６７８", MM_PII_PHONE},
    {"０９０１２３４５６７８", "０９０１２３４５６７８", MM_PII_PHONE},
    {"090−1234−5678", "090−1234−5678", MM_PII_PHONE},
    {"090‐1234‐5678", "090‐1234‐5678", MM_PII_PHONE},
    {"+81 90 1234 5678", "+81 90 1234 5678", MM_PII_PHONE},
    {"+81-90-1234-5678", "+81-90-1234-5678", MM_PII_PHONE},
    {"+819012345678", "+819012345678", MM_PII_PHONE},
    {"+81-3-1234-5678", "+81-3-1234-5678", MM_PII_PHONE},
    {"+81(0)90-1234-5678", "+81(0)90-1234-5678", MM_PII_PHONE},
    {"＋８１９０１２３４５６７８", "＋８１９０１２３４５６７８", MM_PII_PHONE},
    {"TEL03-1234-5678", "03-1234-5678", MM_PII_PHONE},
    {"tel:03-1234-5678", "03-1234-5678", MM_PII_PHONE},
    {"ナンバー090-1234-5678", "090-1234-5678", MM_PII_PHONE},
    {"090-1234-5678に10時に", "090-1234-5678", MM_PII_PHONE},
    {"090-1234-5678 10時以降", "090-1234-5678", MM_PII_PHONE},
    {"注文番号12345の件、電話は090-1234-5678", "090-1234-5678", MM_PII_PHONE},
    {"+82 10 1234 5678", "+82 10 1234 5678", MM_PII_PHONE},
    {"+1 555 123 4567", "+1 555 123 4567", MM_PII_PHONE},
    {"taro@example.jp", "taro@example.jp", MM_PII_EMAIL},
    {"メールはtaro.yamada+x@mail.example.co.jpです", "taro.yamada+x@mail.example.co.jp",
     MM_PII_EMAIL},
    {"taro@example.com.", "taro@example.com", MM_PII_EMAIL},
    {"<a_b-c%d@x.org>", "a_b-c%d@x.org", MM_PII_EMAIL},
    {"ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", MM_PII_EMAIL},
    {"09012345678@example.ne.jp", "09012345678@example.ne.jp", MM_PII_EMAIL},
    {"TARO@EXAMPLE.JPに送って", "TARO@EXAMPLE.JP", MM_PII_EMAIL},
    {"4111111111111111", "4111111111111111", MM_PII_CARD},
    {"カード4111-1111-1111-1111です", "4111-1111-1111-1111", MM_PII_CARD},
    {"4111 1111 1111 1111", "4111 1111 1111 1111", MM_PII_CARD},
    {"5555555555554444", "5555555555554444", MM_PII_CARD},
    {"378282246310005", "378282246310005", MM_PII_CARD},
    {"3782-822463-10005", "3782-822463-10005", MM_PII_CARD},
    {"3530111333300000", "3530111333300000", MM_PII_CARD},
    {"30569309025904", "30569309025904", MM_PII_CARD},
    {"6011111111111117", "6011111111111117", MM_PII_CARD},
    {"2223003122003222", "2223003122003222", MM_PII_CARD},
    {"４１１１１１１１１１１１１１１１", "４１１１１１１１１１１１１１１１", MM_PII_CARD},
    {"〒100-0001", "〒100-0001", MM_PII_POSTAL_CODE},
    {"〒 100-0001", "〒 100-0001", MM_PII_POSTAL_CODE},
    {"〒1000001", "〒1000001", MM_PII_POSTAL_CODE},
    {"〒１００－０００１", "〒１００－０００１", MM_PII_POSTAL_CODE},
    {"郵便番号は100-0001です", "100-0001", MM_PII_POSTAL_CODE},
    {"郵便番号：1000001", "1000001", MM_PII_POSTAL_CODE},
    {"100-0001 東京都です", "100-0001", MM_PII_POSTAL_CODE},
    {"マイナンバーは123456789018です", "123456789018", MM_PII_MY_NUMBER},
    {"マイナンバー：1234-5678-9018", "1234-5678-9018", MM_PII_MY_NUMBER},
    {"個人番号 1234 5678 9018", "1234 5678 9018", MM_PII_MY_NUMBER},
    {"マイナンバー123456780010", "123456780010", MM_PII_MY_NUMBER},
    {"マイナンバー123456780070", "123456780070", MM_PII_MY_NUMBER},
    {"My Number: 123456789018", "123456789018", MM_PII_MY_NUMBER},
    {"マイナンバーカードの番号１２３４５６７８９０１８", "１２３４５６７８９０１８",
     MM_PII_MY_NUMBER},
    {"口座番号1234567", "1234567", MM_PII_BANK_ACCOUNT},
    {"普通 1234567", "1234567", MM_PII_BANK_ACCOUNT},
    {"普通預金口座：1234567に", "1234567", MM_PII_BANK_ACCOUNT},
    {"当座0123456", "0123456", MM_PII_BANK_ACCOUNT},
    {"（普）ではなく普通口座番号は１２３４５６７です", "１２３４５６７", MM_PII_BANK_ACCOUNT},
    {"貯蓄 1234567", "1234567", MM_PII_BANK_ACCOUNT},
    {"ゆうちょ 記号 12340", "12340", MM_PII_BANK_ACCOUNT},
    {"ゆうちょ銀行 12340-12345671", "12340-12345671", MM_PII_BANK_ACCOUNT},
    {"東京都渋谷区道玄坂1-2-3", "東京都渋谷区道玄坂1-2-3", MM_PII_ADDRESS},
    {"東京都千代田区千代田1番1号に", "東京都千代田区千代田1番1号", MM_PII_ADDRESS},
    {"大阪府大阪市北区梅田１丁目２番３号", "大阪府大阪市北区梅田１丁目２番３号", MM_PII_ADDRESS},
    {"北海道札幌市中央区北1条西2丁目", "北海道札幌市中央区北1条西2丁目", MM_PII_ADDRESS},
    {"神奈川県横浜市西区みなとみらい2-2-1", "神奈川県横浜市西区みなとみらい2-2-1", MM_PII_ADDRESS},
    {"京都府京都市東山区清水一丁目294", "京都府京都市東山区清水一丁目294", MM_PII_ADDRESS},
    {"住所は渋谷区道玄坂1-2-3です", "渋谷区道玄坂1-2-3", MM_PII_ADDRESS},
    {"お届け先：横浜市西区桜木町4番地", "横浜市西区桜木町4番地", MM_PII_ADDRESS},
    {"東京都港区芝公園4-2-8 東京ハイツ101号室へ", "東京都港区芝公園4-2-8 東京ハイツ101号室",
     MM_PII_ADDRESS},
    {"愛知県名古屋市中村区名駅一丁目一番四号", "愛知県名古屋市中村区名駅一丁目一番四号",
     MM_PII_ADDRESS},
};

static void positive__table(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(positives) / sizeof(positives[0]); i++) {
		const char *text = positives[i].text;
		struct mm_pii_span *spans = NULL;
		size_t count = 0;
		mm_arena_reset(arena);
		assert_int_equal(mm_pii_find(text, strlen(text), &spans, &count, arena, NULL),
				 MM_OK);
		const char *slice = count == 0 ? ""
					       : mm_arena_strndup(arena, text + spans[0].start,
								  spans[0].end - spans[0].start);
		if (count == 1 && spans[0].kind == positives[i].kind &&
		    strcmp(slice, positives[i].want) == 0)
			continue;
		failures++;
		print_error("row %zu \"%s\": %zu spans, %s \"%s\"\n", i, text, count,
			    count == 0 ? "-" : mm_pii_kind_name(spans[0].kind), slice);
	}
	assert_int_equal(failures, 0);
}

static const char *const look_alikes[] = {
    "注文番号 ORD-12345 です",
    "ORD-0312345678",
    "ORD-4111111111111111",
    "注文番号は0312345678です",
    "注文番号：09012345678",
    "注文番号4111111111111111",
    "伝票番号 1234-5678-9012",
    "伝票番号：0312345678",
    "追跡番号123456789018",
    "お問い合わせ番号 4111-1111-1111-1111",
    "送り状 0901-2345-6789",
    "Order 4111111111111111",
    "order no. 0312345678",
    "tracking: 09012345678",
    "invoice #0312345678",
    "#09012345678",
    "ISBN 9784101010014",
    "JAN 4901234567894",
    "シリアル番号0312345678",
    "会員番号 09012345678",
    "会員ID：0312345678",
    "予約番号は0312345678",
    "受付番号 0312345678",
    "2026-11-23",
    "2026/11/23",
    "2026年11月23日",
    "11月23日10時30分",
    "10:30-12:00",
    "01-02-2026",
    "20261123",
    "1763863200123",
    "2026-11-23 10:30:00",
    "12,000円",
    "1234567円",
    "口座から1234567円引かれました",
    "普通に1234567個",
    "¥0312345678",
    "0312345678円",
    "$4111111111111111",
    "バージョン1.2.3",
    "v10.0.19045.3803",
    "192.168.100.200",
    "0.12.3456",
    "123-4567",
    "商品コード123-4567",
    "型番 ABC-123-4567",
    "A090-1234-5678",
    "1-090-1234-5678",
    "090-1234-56789",
    "090-1234-567",
    "0901234567",
    "090123456789",
    "00-1234-5678",
    "012-345-678",
    "110番、119番",
    "0120",
    "4111111111111112",
    "4111-1111-1111-1112",
    "0000000000000000",
    "9999999999999995",
    "1234567890123456",
    "123456789018",
    "1234-5678-9018",
    "マイナンバーは123456789012です",
    "マイナンバーカードを作りました",
    "1234567",
    "口座番号を教えてください",
    "普通の1234",
    "口座は123456です",
    "taro@",
    "@taro",
    "@taro_yamada",
    "taro@example",
    "a@b.c",
    "@example.jp",
    "5個@1,000円",
    "taro@.jp",
    "東京都に住んでいます",
    "東京都渋谷区の店舗",
    "東京都渋谷区の店舗で3回買いました",
    "東京都渋谷区は3-4回行きました",
    "大阪府の天気",
    "京都府京都市",
    "住所を変更したい",
    "住所変更は3-5日かかりますか",
    "北海道産のじゃがいも10kg",
    "サイズは10-20-30cm",
    "+811234",
    "+1 555",
    "",
    "ありがとうございます",
};

static void look_alike__table(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++) {
		const char *text = look_alikes[i];
		struct mm_pii_span *spans = NULL;
		size_t count = 77;
		assert_int_equal(mm_pii_find(text, strlen(text), &spans, &count, arena, NULL),
				 MM_OK);
		if (count == 0 && spans == NULL)
			continue;
		failures++;
		print_error("row %zu \"%s\": %s\n", i, text, mm_pii_kind_name(spans[0].kind));
	}
	assert_int_equal(failures, 0);
}

static void message__with_many__has_them_in_order(void **state)
{
	static const char text[] =
	    "山田です。〒150-0043 東京都渋谷区道玄坂1-2-3、電話03-1234-5678、"
	    "taro@example.jp。ゆうちょ 記号12340 番号12345671。";
	static const enum mm_pii_kind want[] = {MM_PII_POSTAL_CODE,  MM_PII_ADDRESS,
						MM_PII_PHONE,        MM_PII_EMAIL,
						MM_PII_BANK_ACCOUNT, MM_PII_BANK_ACCOUNT};
	struct mm_pii_span *spans;
	size_t count;

	(void)state;
	assert_int_equal(mm_pii_find(text, strlen(text), &spans, &count, arena, NULL), MM_OK);
	assert_int_equal(count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(spans[i].kind, want[i]);
		assert_true(i == 0 || spans[i - 1].end <= spans[i].start);
	}
}

static void invalid_utf8__is_bad_input(void **state)
{
	struct mm_pii_span *spans = NULL;
	size_t count = 77;

	(void)state;
	assert_int_equal(mm_pii_find("090\xFF", 4, &spans, &count, arena, NULL), MM_BAD_INPUT);
	assert_int_equal(count, 77);
}

enum { REPEATS = 100000 };

static void long_text__takes_linear_time(void **state)
{
	static const char *const units[] = {
	    "0",    "1-", "0 ",  "@",  "a@", "a.",    "東京都渋谷区", "市",
	    "住所", "(",  "+81", "〒", "-",  "4111 ", "口座1",        "一"};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t size = strlen(units[i]);
		char *text = malloc(size * REPEATS);
		struct mm_pii_span *spans;
		size_t count;
		clock_t began = clock();
		assert_non_null(text);
		for (size_t k = 0; k < REPEATS; k++)
			memcpy(text + k * size, units[i], size);
		mm_arena_reset(arena);
		assert_int_equal(mm_pii_find(text, size * REPEATS, &spans, &count, arena, NULL),
				 MM_OK);
		free(text);
		if ((double)(clock() - began) / CLOCKS_PER_SEC > 4.0)
			fail_msg("unit \"%s\" is slow", units[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(positive__table),
	    cmocka_unit_test(look_alike__table),
	    cmocka_unit_test(message__with_many__has_them_in_order),
	    cmocka_unit_test(invalid_utf8__is_bad_input),
	    cmocka_unit_test(long_text__takes_linear_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
