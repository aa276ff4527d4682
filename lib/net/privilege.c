/* SPDX-License-Identifier: Apache-2.0 */
#include "net/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/banned.h"

static bool is_user(const struct passwd *pw)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 &&
	       r == pw->pw_uid && e == pw->pw_uid && s == pw->pw_uid &&
	       rg == pw->pw_gid && eg == pw->pw_gid && sg == pw->pw_gid;
}

static int not_allowed(const char *user, struct span_error *err)
{
	return span_error_set(err, SPAN_E_IO, "cannot become user '%s'", user);
}

int span__become_user(const char *user, struct span_error *err)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw && errno)
		return span_error_set(err, SPAN_E_IO, "user '%s'", user);
	if (!pw)
		return span_error_set(err, SPAN_E_INVALID, "no user '%s'",
				      user);
	if (is_user(pw) && pw->pw_uid != 0)
		return 0;
	if (initgroups(user, pw->pw_gid) < 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return not_allowed(user, err);
	errno = EPERM;
	if (!is_user(pw) ||
	    (pw->pw_uid != 0 && (setuid(0) == 0 || setgid(0) == 0)))
		return not_allowed(user, err);
	return 0;
}

void span__no_new_privileges(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
