/*
 * replay: lets a fuzz target run over files without libFuzzer.
 *
 * A target includes this last. Built with -DMM_FUZZ_REPLAY it gets a main that runs every file
 * named on the command line once; built with clang -fsanitize=fuzzer libFuzzer brings its own.
 */
#ifndef MM_FUZZ_REPLAY_H
#define MM_FUZZ_REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef MM_FUZZ_REPLAY
int main(int argc, char **argv)
{
	enum { INPUT_MAX = 1 << 20 };
	uint8_t *data = malloc(INPUT_MAX);

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");

		if (!data || !file) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput(data, fread(data, 1, INPUT_MAX, file));
		fclose(file);
	}
	printf("%d inputs replayed\n", argc - 1);
	free(data);
	return 0;
}
#endif

#endif
