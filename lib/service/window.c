/* window: counts back from the newest message. */
#include "config.h"

#include "service/window.h"

enum { ASCII_PER_TOKEN = 4 };

int64_t mm_window_tokens(const char *text, size_t length)
{
	int64_t ascii = 0, others = 0;
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)text[i];
		ascii += byte < 0x80;
		others += byte >= 0xC0; /* the first byte of a character */
	}
	return others + (ascii + ASCII_PER_TOKEN - 1) / ASCII_PER_TOKEN;
}

size_t mm_window_start(const struct mm_past *past, int64_t tokens_max)
{
	size_t start = past->count;
	for (int64_t left = tokens_max; start > 0; start--) {
		const struct mm_past_message *message = &past->messages[start - 1];
		left -= mm_window_tokens(message->text, message->length);
		if (left < 0)
			break;
	}
	return start;
}
