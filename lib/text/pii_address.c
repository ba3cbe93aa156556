/* pii_address: postal addresses in Japanese: 都道府県 or the word 住所, 市区町村, then numbers of the block. It knows
 * the prefectures but no towns. */
#include "config.h"

#include "text/pii_text.h"

enum {
	TOWN_DISTANCE = 10,  /* points from the prefecture to 市区町村 */
	BLOCK_DISTANCE = 24, /* points from 市区町村 to the first number */
	BLOCK_MAX = 24,      /* points of 1丁目2番地3号 */
	BUILDING_MAX = 20,   /* points of a building's name */
	LABEL_GAP = 4,       /* signs between 住所 and the address */
};

static const char32_t *const prefectures[] = {
    U"北海道", U"青森県", U"岩手県", U"宮城県", U"秋田県", U"山形県",   U"福島県", U"茨城県",
    U"栃木県", U"群馬県", U"埼玉県", U"千葉県", U"東京都", U"神奈川県", U"新潟県", U"富山県",
    U"石川県", U"福井県", U"山梨県", U"長野県", U"岐阜県", U"静岡県",   U"愛知県", U"三重県",
    U"滋賀県", U"京都府", U"大阪府", U"兵庫県", U"奈良県", U"和歌山県", U"鳥取県", U"島根県",
    U"岡山県", U"広島県", U"山口県", U"徳島県", U"香川県", U"愛媛県",   U"高知県", U"福岡県",
    U"佐賀県", U"長崎県", U"熊本県", U"大分県", U"宮崎県", U"鹿児島県", U"沖縄県", NULL,
};
static const char32_t *const labels[] = {U"住所",   U"届け先", U"届先", U"送り先",
					 U"配送先", U"送付先", NULL};
static const char32_t *const block_words[] = {U"丁目", U"番地", U"番",   U"号",
					      U"条",   U"線",   U"地割", NULL};
static const char32_t *const room_words[] = {U"号室", U"号", U"室", U"階", U"f", NULL};

static bool is_one_of(char32_t point, const char32_t *set)
{
	for (; *set != 0 && point != 0; set++)
		if (*set == point)
			return true;
	return false;
}

static size_t word_of(const struct mm_pii_text *text, size_t at, const char32_t *const *words)
{
	for (; *words != NULL; words++) {
		size_t length = mm_pii_word_at(text, at, *words);
		if (length > 0)
			return length;
	}
	return 0;
}

size_t mm_pii_prefecture_at(const struct mm_pii_text *text, size_t at)
{
	/* Most places are settled by the two points where the name must end. */
	if (!is_one_of(mm_pii_point(text, at + 2), U"都道府県") &&
	    mm_pii_point(text, at + 3) != U'県')
		return 0;
	return word_of(text, at, prefectures);
}

static bool is_kana_or_han(char32_t point)
{
	return (point >= 0x3041 && point <= 0x30FE && point != U'・') || point == U'々' ||
	       (point >= 0x3400 && point <= 0x9FFF) || (point >= 0x20000 && point <= 0x3FFFF);
}

/* Place behind 市, 区, 町, 村 or 郡; 0 when there is none. */
static size_t skip_town(const struct mm_pii_text *text, size_t at)
{
	at += mm_pii_point(text, at) == ' ';
	for (size_t i = at; i < at + TOWN_DISTANCE; i++) {
		char32_t point = mm_pii_point(text, i);
		if (i > at && is_one_of(point, U"市区町村郡"))
			return i + 1;
		if (!is_kana_or_han(point) || is_one_of(point, U"はがをにで"))
			return 0;
	}
	return 0;
}

static bool is_block_digit(const struct mm_pii_text *text, size_t at)
{
	char32_t point = mm_pii_point(text, at);

	if (mm_pii_is_digit(point))
		return true;
	return is_one_of(point, U"一二三四五六七八九十〇");
}

/* Where the number of the block begins; 0 when something stands between that no address has. */
static size_t find_block(const struct mm_pii_text *text, size_t at)
{
	for (size_t i = at; i < at + BLOCK_DISTANCE; i++) {
		char32_t point = mm_pii_point(text, i);
		if (mm_pii_is_digit(point))
			return i;
		if (is_block_digit(text, i) &&
		    (word_of(text, i + 1, block_words) > 0 || is_block_digit(text, i + 1)))
			return i;
		if (point == ' ')
			continue;
		if (!is_kana_or_han(point) || is_one_of(point, U"はがをでへ"))
			return 0;
	}
	return 0;
}

/* A sign that counts only before another number: 1-2, 一の二, 北1条西2丁目. */
static bool is_block_joiner(const struct mm_pii_text *text, size_t at)
{
	char32_t point = mm_pii_point(text, at);

	return (mm_pii_is_hyphen(point) || is_one_of(point, U"のノ東西南北")) &&
	       is_block_digit(text, at + 1);
}

/* Place behind 1丁目2番地3号 or 1-2-3; 0 when the number is no number of a block. */
static size_t skip_block(const struct mm_pii_text *text, size_t at)
{
	size_t end = at, limit = at + BLOCK_MAX;
	bool has_sign = false;

	while (end < limit) {
		size_t word = word_of(text, end, block_words);
		if (is_block_digit(text, end)) {
			end++;
		} else if (end > at && (word > 0 || is_block_joiner(text, end))) {
			has_sign = true;
			end += word > 0 ? word : 1;
		} else {
			break;
		}
	}
	bool is_last =
	    !is_kana_or_han(mm_pii_point(text, end)) && !mm_pii_is_latin(mm_pii_point(text, end));
	return has_sign || (end - at >= 2 && is_last) ? end : 0;
}

/* Place behind a building with its room, or the place itself. */
static size_t skip_building(const struct mm_pii_text *text, size_t at)
{
	for (size_t i = at; i < at + BUILDING_MAX; i++) {
		char32_t point = mm_pii_point(text, i);
		if (mm_pii_is_digit(point)) {
			size_t end = i;
			while (end < i + 5 && mm_pii_is_digit(mm_pii_point(text, end)))
				end++;
			size_t room = word_of(text, end, room_words);
			return room > 0 ? end + room : at;
		}
		if (point != ' ' && !is_kana_or_han(point) && !mm_pii_is_latin(point) &&
		    point != U'・')
			return at;
	}
	return at;
}

/* Where an address may begin when a label stands at a place; 0 when none does. */
static size_t skip_label(const struct mm_pii_text *text, size_t at)
{
	size_t length = word_of(text, at, labels);
	size_t end = at + length;

	if (length == 0)
		return 0;
	while (end - at - length < LABEL_GAP &&
	       is_one_of(mm_pii_point(text, end), U" :はが、\n=】)"))
		end++;
	return end;
}

static bool is_han(char32_t point)
{
	return point >= 0x3400 && point <= 0x9FFF;
}

/* Whether a block says by itself that it is an address: 1-2-3, 4丁目, 5番地. */
static bool is_plain_block(const struct mm_pii_text *text, size_t at, size_t end)
{
	size_t joiners = 0;

	for (size_t i = at; i < end; i++) {
		if (word_of(text, i, block_words) > 1)
			return true;
		joiners += mm_pii_is_hyphen(text->points[i]);
	}
	return joiners >= 2;
}

/* An address that begins with its town, in kanji: 新宿区西新宿2-8-1. */
static size_t bare_end(const struct mm_pii_text *text, size_t at)
{
	if (!is_han(text->points[at]) || (at > 0 && is_han(text->points[at - 1])))
		return 0;
	size_t town = skip_town(text, at);
	size_t block = town < at + 2 ? 0 : find_block(text, town);
	size_t end = block == 0 ? 0 : skip_block(text, block);
	return end != 0 && is_plain_block(text, block, end) ? end : 0;
}

/* An address that begins with its prefecture at a place; `start` is 0 when no label was there. */
static size_t full_end(const struct mm_pii_text *text, size_t start, size_t prefecture)
{
	if (prefecture == 0 && start == 0)
		return 0;
	if (prefecture == 0)
		prefecture = mm_pii_prefecture_at(text, start);
	size_t town = skip_town(text, start + prefecture);
	size_t block = town == 0 ? 0 : find_block(text, town);
	return block == 0 ? 0 : skip_block(text, block);
}

bool mm_pii_match_address(const struct mm_pii_text *text, size_t at, struct mm_pii_match *out)
{
	size_t prefecture = mm_pii_prefecture_at(text, at);
	size_t start = prefecture > 0 ? at : skip_label(text, at);
	size_t end = full_end(text, start, prefecture);

	if (end == 0) {
		start = at;
		end = bare_end(text, at);
	}
	if (end == 0)
		return false;
	*out = (struct mm_pii_match){start, skip_building(text, end), MM_PII_ADDRESS};
	return true;
}
