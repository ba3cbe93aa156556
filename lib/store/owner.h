/*
 * owner: who answers in a conversation (floor 3).
 *
 * Shape    an enum and its names, as mamori.conversation_owner in sql/ gives them
 * Threads  any
 */
#ifndef MM_STORE_OWNER_H
#define MM_STORE_OWNER_H

enum mm_owner {
	MM_OWNER_BOT,    /* the bot answers */
	MM_OWNER_HUMAN,  /* a person answers, or is waited for */
	MM_OWNER_CLOSED, /* nobody answers any more */
	MM_OWNER__MAX
};

/* "bot", "human", "closed"; "unknown" when out of range. */
const char *mm_owner_name(enum mm_owner owner);

/* Reads a name. One that this program does not know is taken for a person's: the bot stays silent. */
enum mm_owner mm_owner_parse(const char *name);

#endif
