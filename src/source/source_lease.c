/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_lease.h"

#include <fcntl.h>
#include <signal.h>

#include "util/util_base.h"

void source_lease_init(struct source_lease *lease, int fd)
{
	*lease = (struct source_lease){.fd = fd};
	pthread_mutex_init(&lease->lock, NULL);
}

void source_lease_fini(struct source_lease *lease)
{
	pthread_mutex_destroy(&lease->lock);
}

int source_lease_ask(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return -EOPNOTSUPP;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return 0;
	return errno == EAGAIN ? -EAGAIN : -EOPNOTSUPP;
}

/* Under the lock. One that is held is shared, but not any more when somebody waits
 * for its end: the holders that there are would never be none. */
static int ask(const struct source_lease *lease)
{
	if (lease->holders)
		return fcntl(lease->fd, F_GETLEASE) == F_RDLCK ? 0 : -EAGAIN;
	/* what is open for writing here would be the writer */
	if (!lease->asked && (fcntl(lease->fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return -EOPNOTSUPP;
	return source_lease_ask(lease->fd);
}

int source_lease_take(struct source_lease *lease)
{
	int r;

	UTIL_LOCK_SCOPE(&lease->lock);
	r = lease->never ? -EOPNOTSUPP : ask(lease);
	lease->asked = true;
	lease->never = r == -EOPNOTSUPP;
	lease->holders += r == 0;
	return r;
}

void source_lease_drop(struct source_lease *lease)
{
	UTIL_LOCK_SCOPE(&lease->lock);
	if (!--lease->holders)
		fcntl(lease->fd, F_SETLEASE, F_UNLCK);
}
