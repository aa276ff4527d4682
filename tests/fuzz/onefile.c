/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets that are built without libFuzzer: it replays the
 * files and directories it is given, or for fuzz-foo the directory corpus/foo
 * beside this file, and says so in TAP. Under --enable-fuzzers libFuzzer's own
 * main() takes its place, which replays files too.
 *
 * Each input is a copy of exactly its length on the heap, so that a sanitizer
 * or valgrind sees a read behind its end.
 */
#ifndef SPAN_LIBFUZZER

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int n_inputs;

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *p = NULL;
	size_t len;
	int rc = 1;

	if (!f || fstat(fileno(f), &st) < 0)
		goto done;
	len = (size_t)st.st_size;
	p = malloc(len);
	if ((len && !p) || fread(p, 1, len, f) != len)
		goto done;
	/* Said before, in case it does not come back. */
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(p, len);
	n_inputs++;
	rc = 0;
done:
	if (rc)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	free(p);
	if (f)
		fclose(f);
	return rc;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int replay_path(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int n, rc = 0;

	if (stat(path, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay(path);
	n = scandir(path, &entries, visible, alphasort);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		size_t len = strlen(path) + strlen(entries[i]->d_name) + 2;
		char *name = malloc(len);

		if (name) {
			snprintf(name, len, "%s/%s", path, entries[i]->d_name);
			rc |= replay(name);
		}
		free(name);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* tests/fuzz/corpus/foo in the sources, for .../fuzz-foo. */
static int replay_corpus(const char *program)
{
	const char *base = strrchr(program, '/'), *src = getenv("srcdir");
	char path[4096];

	base = base ? base + 1 : program;
	base += strncmp(base, "lt-", 3) ? 0 : 3;
	base += strncmp(base, "fuzz-", 5) ? 0 : 5;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", src ? src : ".",
		 base);
	return replay_path(path);
}

int main(int argc, char **argv)
{
	int rc = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2)
		rc = replay_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		rc |= replay_path(argv[i]);
	printf("%sok 1 - %s: %d inputs\n1..1\n", rc || !n_inputs ? "not " : "",
	       argv[0], n_inputs);
	return rc;
}

#else

extern int span_fuzz_unused;
int span_fuzz_unused;

#endif
