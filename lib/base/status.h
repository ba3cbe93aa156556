/*
 * status: how a call ended, and what may be said about it (floor 0).
 *
 * Shape    enum mm_status is the one error code of the library; struct mm_error is a plain value
 *          that the caller owns, usually on its stack
 * Units    texts are UTF-8, NUL-terminated, cut between characters where they do not fit
 * Own      everything is inside struct mm_error but `code`, which is a string literal
 * Errors   functions return enum mm_status and fill the last argument, struct mm_error *, which is
 *          untouched on success and may be NULL
 * Threads  tables are const; a struct mm_error belongs to one thread
 * Source   RFC 9110 for the HTTP statuses
 *
 * Two audiences never mix: `message` may be shown to whoever sent the request, `cause` is for the
 * log. The price is a struct of about 900 bytes, so it is passed by pointer and never copied into
 * arrays.
 */
#ifndef MM_BASE_STATUS_H
#define MM_BASE_STATUS_H

enum mm_status {
	MM_OK,
	MM_BAD_INPUT,       /* the caller's data is wrong; sending it again will not help */
	MM_UNAUTHENTICATED, /* no proof of who is asking */
	MM_DENIED,          /* proved, or not provable, but not allowed */
	MM_NOT_FOUND,
	MM_BAD_METHOD,
	MM_CONFLICT,  /* true when asked, no longer: read again, then decide */
	MM_TOO_LARGE, /* over a documented limit */
	MM_BAD_TYPE,  /* a media type that is not JSON */
	MM_BUSY,      /* a queue or a disk is full: try again later */
	MM_TIMEOUT,   /* the deadline passed; whether it took effect is unknown */
	MM_UPSTREAM,  /* a service we depend on failed; it certainly did not take effect */
	MM_GONE,
	MM_STOPPING, /* the process is shutting down and takes no more work */
	MM_NO_MEMORY,
	MM_BUG, /* our own mistake */
	MM_STATUS__MAX
};

struct mm_error {
	enum mm_status status;
	const char *code;  /* static; NULL: the code of `status` */
	char field[64];    /* the field of the request that is at fault, or "" */
	char message[256]; /* public */
	char cause[512];   /* for the log only, or "" */
};

/* The HTTP status that stands for `status`, 200 for MM_OK; 500 for a value outside the enum. */
int mm_status_http(enum mm_status status);

/* The machine-readable code in an error reply, such as "invalid_request"; "ok" for MM_OK. */
const char *mm_status_code(enum mm_status status);

/* One public English sentence without a final stop. */
const char *mm_status_message(enum mm_status status);

/*
 * Describes a failure that the sender can act on, and returns `status`, so that a check can end in
 * `return mm_error_set(...)`. `code` is a string literal or NULL for the status's own; `field` is
 * NULL when no single field is at fault; the formatted message is public: it never quotes a
 * customer's text, a path or a secret. Clears `cause`.
 */
enum mm_status mm_error_set(struct mm_error *err, enum mm_status status, const char *code,
			    const char *field, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Describes a failure that only the operator can act on, and returns `status`: the public message
 * becomes mm_status_message(status), the formatted text goes to `cause`.
 */
enum mm_status mm_error_cause(struct mm_error *err, enum mm_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
