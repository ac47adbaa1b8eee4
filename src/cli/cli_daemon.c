/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_options.h"

static void note_inherited(struct cli_daemon *daemon)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(dir) && fd != daemon->null_fd &&
		    daemon->inherited_count < CLI_INHERITED_MAX)
			daemon->inherited[daemon->inherited_count++] = fd;
	}
	closedir(dir);
}

void cli_daemon_prepare(struct cli_daemon *daemon)
{
	int fd;

	*daemon = (struct cli_daemon){.report_fd = -1};
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	daemon->null_fd = fd;
	note_inherited(daemon);
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

pid_t cli_daemon_fork(struct cli_daemon *daemon)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		pid = -errno;
		close(ends[0]);
		close(ends[1]);
		return pid;
	}
	close(ends[pid ? 1 : 0]);
	daemon->report_fd = ends[pid ? 0 : 1];
	daemon->child = pid;
	return pid;
}

void cli_daemon_ready(struct cli_daemon *daemon)
{
	if (daemon->report_fd < 0)
		return;
	setsid();
	if (chdir("/") < 0) {
		/* then the directory we started in stays in use */
	}
	for (int fd = STDIN_FILENO; daemon->null_fd >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(daemon->null_fd, fd);
	while (daemon->inherited_count)
		util_close(daemon->inherited[--daemon->inherited_count]);
	if (write(daemon->report_fd, "", 1) < 0) {
		/* the parent was killed; the mount is as good without it */
	}
	util_close(daemon->report_fd);
	daemon->report_fd = -1;
}

/* The child has said why, unless a signal ended it. */
static int child_failed(struct cli_daemon *daemon, const char *file)
{
	int status = 0;

	while (waitpid(daemon->child, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		fprintf(stderr, "pktfs: %s: ended by signal %d (%s) before the mount answered\n",
			file, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "pktfs: %s: the daemon ended before the mount answered\n", file);
	return CLI_EXIT_FAILED;
}

int cli_daemon_wait(struct cli_daemon *daemon, const char *file, const char *mountpoint)
{
	struct stat st;
	ssize_t n;
	char byte;

	do {
		n = read(daemon->report_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		return child_failed(daemon, file);
	if (stat(mountpoint, &st) < 0 && errno != EACCES) {
		fprintf(stderr, "pktfs: %s: mounted, but does not answer: %s\n", mountpoint,
			strerror(errno));
		kill(daemon->child, SIGTERM);
		return CLI_EXIT_FAILED;
	}
	return 0;
}
