/* deferral: fits mm_reply_hold() to struct mm_deferral; holds nothing itself. */
#include "config.h"

#include "http/deferral.h"

#include "http/serve.h"

static void *hold(void *context)
{
	return mm_reply_hold(context);
}

static void release(void *held, enum mm_status status, const struct mm_error *err)
{
	mm_reply_release(held, status, err);
}

static void will_wait(void *context)
{
	mm_reply_will_wait(context);
}

struct mm_deferral mm_request_deferral(const struct mm_request *request)
{
	return (struct mm_deferral){.hold = hold,
				    .release = release,
				    .will_wait = will_wait,
				    .context = (void *)(uintptr_t)request};
}
