/* SPDX-License-Identifier: Apache-2.0 */
#include "store-upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"

#define ROUND_NS 60000000000ull /* between two rounds without a reason */
#define ROOM_NS 1000000000ull	/* between two attempts to make room */
#define REAP_NS 100000000ull
#define NICE 10 /* sealing can wait, what arrives cannot */
/*
 * At most a tenth of a processor is spent on drafts: when they are made again
 * goes by how long it took last, in a run that found nothing else to seal, and
 * is this long after enough came, as a log that is younger gets none.
 */
#define DRAFT_NS 5000000000ull
#define DRAFT_SHARE 10u

extern char **environ;

enum job { SEAL = 1, EXPIRE = 2, DRAFT = 4 };

static struct {
	struct span_store *st;
	const char *name;
	bool seal;
	unsigned due; /* jobs */
	enum job job; /* of the child */
	pid_t pid;    /* 0: none */
	int from;     /* what it says */
	uint64_t closed_logs, round_ns, room_ns, min_free;
	/* bytes when drafts were made last, and since when there are enough
	 * for others; when these may be made, and since when they are; 0: no */
	uint64_t drafted_bytes, grown_ns, draft_ns, drafting_ns;
	char *told; /* its last complaint, which was passed on */
} up;

void upkeep_start(struct span_store *st, const char *name, bool seal)
{
	struct span_store_policy p;

	/* What remembers no policy, as memory, cannot be sealed either. */
	if (span_store_policy_get(st, &p, NULL) < 0)
		return;
	up.st = st;
	up.name = name;
	up.seal = seal;
}

/* ---- The child ---- */

/*
 * No descriptor of ours is left open in it: neither the lock, nor a pipe whose
 * reader waits for its end. The pipe never makes the child wait.
 */
static int spawn(char *const args[], struct span_error *err)
{
	posix_spawn_file_actions_t files;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return span_error_set(err, SPAN_E_IO, "no pipe");
	rc = posix_spawn_file_actions_init(&files);
	if (!rc) {
		rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null",
						      O_RDONLY, 0);
		if (!rc)
			rc = posix_spawn_file_actions_adddup2(&files, fds[1],
							      1);
		if (!rc)
			rc = posix_spawn_file_actions_adddup2(&files, 1, 2);
		if (!rc)
			rc = posix_spawn_file_actions_addclosefrom_np(&files,
								      3);
		if (!rc)
			rc = posix_spawn(&up.pid, "/proc/self/exe", &files,
					 NULL, args, environ);
		posix_spawn_file_actions_destroy(&files);
	}
	close(fds[1]);
	if (!rc) {
		up.from = fds[0];
		if (up.job != EXPIRE)
			(void)setpriority(PRIO_PROCESS, (id_t)up.pid, NICE);
		return 0;
	}
	up.pid = 0;
	close(fds[0]);
	errno = rc;
	return span_error_set(err, SPAN_E_IO, "cannot start it");
}

/* A complaint is passed on when it is another one than last time. */
static void complain(const char *text)
{
	if (up.told && !strcmp(up.told, text))
		return;
	cmd_warn("%s: %s", up.job == EXPIRE ? "expiry" : "sealing", text);
	free(up.told);
	up.told = strdup(text);
}

/* Lines of a program's own begin with its name; others are results. */
static void pass_on(char *text, bool *complained)
{
	static const char mark[] = "span-store: ", warning[] = "warning: ";
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (strncmp(line, mark, sizeof(mark) - 1)) {
			if (cmd_verbose)
				cmd_note("%s: %s", up.name, line);
			continue;
		}
		line += sizeof(mark) - 1;
		if (!strncmp(line, warning, sizeof(warning) - 1))
			line += sizeof(warning) - 1;
		if (!*complained)
			complain(line);
		*complained = true;
	}
}

/* That somebody else seals is fine, and so is that somebody stopped it. */
static bool fine(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == CMD_OK ||
		       WEXITSTATUS(status) == CMD_BUSY;
	return WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM;
}

/* A run ended: when drafts may be made again. */
static void pace_drafts(void)
{
	uint64_t now = cmd_monotonic_ns();

	if (up.drafting_ns)
		up.draft_ns = now + (now - up.drafting_ns) * DRAFT_SHARE;
	up.drafting_ns = 0;
}

static void reap(void)
{
	char text[2048], numbers[64];
	bool complained = false;
	ssize_t len;
	int status;

	if (!up.pid || waitpid(up.pid, &status, WNOHANG) <= 0)
		return;
	len = read(up.from, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = 0;
	close(up.from);
	up.pid = 0;
	pace_drafts();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != CMD_BUSY)
		pass_on(text, &complained);
	if (!fine(status) && !complained) {
		snprintf(numbers, sizeof(numbers), "ended with %s %d",
			 WIFEXITED(status) ? "status" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status)
					   : WTERMSIG(status));
		complain(numbers);
		complained = true;
	}
	if (complained || !fine(status))
		return;
	free(up.told);
	up.told = NULL;
}

/* ---- The jobs ---- */

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Options for expire into ARGS, their bytes into TEXT; returns how many. */
static size_t expire_options(char **args, char text[3][40])
{
	struct span_store_policy p = {0};
	struct span_error err = {0};
	size_t n = 0;

	if (span_store_policy_get(up.st, &p, &err) < 0) {
		complain(err.msg);
		return 0;
	}
	if (p.min_free)
		p.min_free = max64(p.min_free, up.min_free);
	snprintf(text[0], 40, "--max-age=%lluns",
		 (unsigned long long)p.max_age_ns);
	snprintf(text[1], 40, "--max-bytes=%llu",
		 (unsigned long long)p.max_bytes);
	snprintf(text[2], 40, "--min-free=%llu",
		 (unsigned long long)p.min_free);
	if (p.max_age_ns)
		args[n++] = text[0];
	if (p.max_bytes)
		args[n++] = text[1];
	if (p.min_free)
		args[n++] = text[2];
	return n;
}

/* When drafts may be made. */
static uint64_t draft_from(void)
{
	return max64(up.draft_ns, up.grown_ns ? up.grown_ns + DRAFT_NS : 0);
}

/* May the run that begins make drafts? */
static bool begin_drafts(void)
{
	uint64_t now = cmd_monotonic_ns();
	struct span_store_counts c;

	if (now < draft_from())
		return false;
	span_store_counts(up.st, &c);
	up.drafted_bytes = c.bytes;
	up.grown_ns = 0;
	up.drafting_ns = now;
	return true;
}

static void start(enum job job)
{
	char text[3][40], *args[8] = {(char *)"span-store"};
	struct span_error err = {0};
	size_t n = 2;

	up.job = job;
	args[1] = (char *)(job == EXPIRE ? "expire" : "seal");
	if (job != EXPIRE)
		args[n++] = (char *)"--jobs=1"; /* one processor for ingest */
	if (job == SEAL)
		args[n++] = (char *)"--no-drafts";
	if (job == DRAFT && !begin_drafts())
		return;
	if (job == EXPIRE) {
		n += expire_options(args + n, text);
		if (n == 2)
			return;
	}
	args[n++] = (char *)"--";
	args[n] = (char *)up.name;
	if (spawn(args, &err) < 0) {
		up.drafting_ns = 0;
		complain(err.msg);
	}
}

/* Room is made first: what goes need not be sealed, nor drafted what is. */
static void start_next(void)
{
	while (!up.pid && up.due) {
		enum job job = up.due & EXPIRE ? EXPIRE
			       : up.due & SEAL ? SEAL
					       : DRAFT;

		up.due &= ~(unsigned)job;
		start(job);
	}
}

/*
 * Has enough come since a draft was made, and when is it time for the next one?
 * UINT64_MAX: not before more comes.
 */
static uint64_t draft_due(const struct span_store_counts *c, uint64_t now)
{
	if (!up.seal || c->bytes - up.drafted_bytes < SPAN_DRAFT_BYTES)
		return UINT64_MAX;
	if (!up.grown_ns)
		up.grown_ns = now;
	return draft_from() > now ? draft_from() - now : 0;
}

uint64_t upkeep_look(void)
{
	uint64_t now = cmd_monotonic_ns();
	struct span_store_counts c;
	uint64_t draft, round;

	if (!up.st)
		return UINT64_MAX;
	reap();
	span_store_counts(up.st, &c);
	if (!up.round_ns || c.closed_logs != up.closed_logs ||
	    now - up.round_ns >= ROUND_NS) {
		up.round_ns = now;
		up.closed_logs = c.closed_logs;
		up.due |= EXPIRE | (up.seal ? SEAL | DRAFT : 0u);
	}
	draft = draft_due(&c, now);
	if (!draft && !up.pid) {
		up.due |= DRAFT;
		draft = UINT64_MAX;
	}
	start_next();
	round = up.round_ns + ROUND_NS - now;
	if (up.pid)
		return REAP_NS;
	return draft < round ? draft : round;
}

bool upkeep_make_room(uint64_t min_free)
{
	uint64_t now = cmd_monotonic_ns();

	if (!up.room_ns || now - up.room_ns >= ROOM_NS) {
		up.room_ns = now;
		up.min_free = min_free;
		up.due |= EXPIRE;
	}
	(void)upkeep_look();
	return up.pid;
}

void upkeep_stop(void)
{
	reap();
	if (up.pid)
		close(up.from);
	free(up.told);
	up.st = NULL;
	up.told = NULL;
	up.pid = 0;
}
