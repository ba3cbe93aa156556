/*
 * bench_classic: the same constant through the loop of libfcgi's own examples, a thread per kept
 * connection: what mm_serve() is compared with. The first argument is the number of threads.
 */
#include "config.h"

#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 64 };

static const char reply[] = "Status: 200 OK\r\n"
			    "Content-Type: application/json\r\n"
			    "Content-Length: 15\r\n"
			    "Cache-Control: no-store\r\n"
			    "X-Content-Type-Options: nosniff\r\n"
			    "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
			    "\r\n"
			    "{\"status\":\"ok\"}";

static void *run(void *unused)
{
	FCGX_Request request;

	if (FCGX_InitRequest(&request, 0, 0) != 0)
		return unused;
	while (FCGX_Accept_r(&request) == 0) {
		char scratch[2048];
		while (FCGX_GetStr(scratch, sizeof(scratch), request.in) == (int)sizeof(scratch))
			continue;
		FCGX_PutStr(reply, sizeof(reply) - 1, request.out);
		FCGX_Finish_r(&request);
	}
	return unused;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : THREADS;

	if (threads < 1 || FCGX_Init() != 0)
		return 1;
	for (int i = 1; i < threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run, NULL) != 0)
			return 1;
	}
	run(NULL);
	return 0;
}
