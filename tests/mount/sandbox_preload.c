/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exploit of the filter compiler, to be preloaded into pktfs: compiling the
 * filter "ether proto 0x88b5 and len = N" makes the N-th attempt below to get
 * out of the sandbox, in the process and the thread that compiles. What became
 * of it is the error text of the filter, and so in info/log:
 *
 *	exploit NAME: refused (EPERM)    exploit NAME: done    exploit: that was all
 *
 * EXPLOIT_DIR is a directory with what is to be reached; EXPLOIT_PORT a TCP port
 * and EXPLOIT_PID a process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char report[PCAP_ERRBUF_SIZE];
static int last = -1; /* the attempt that it is about */
static const void *reported; /* the pcap_t that it belongs to */

static const char *in_dir(const char *name)
{
	static char path[100]; /* fits into an address */

	snprintf(path, sizeof(path), "%s/%s", getenv("EXPLOIT_DIR"), name);
	return path;
}

static pid_t victim(void)
{
	return atoi(getenv("EXPLOIT_PID"));
}

/* What is got is given back, so that the daemon goes on. */
static int got(long fd)
{
	if (fd < 0)
		return -1;
	close((int)fd);
	return 0;
}

/* ---- files */

static int read_passwd(void)
{
	return got(open("/etc/passwd", O_RDONLY));
}

static int read_secret(void)
{
	return got(open(in_dir("secret"), O_RDONLY));
}

static int write_file(void)
{
	return got(open(in_dir("file"), O_WRONLY));
}

static int write_capture(void)
{
	return got(open(in_dir("capture.pcap"), O_WRONLY));
}

static int read_capture(void)
{
	return got(open(in_dir("capture.pcap"), O_RDONLY));
}

static int append_file(void)
{
	return got(open(in_dir("file"), O_WRONLY | O_APPEND));
}

static int make_file(void)
{
	return got(open(in_dir("new"), O_WRONLY | O_CREAT, 0600));
}

static int make_temporary(void)
{
	return got(open("/tmp", O_RDWR | O_TMPFILE, 0600));
}

static int truncate_file(void)
{
	return truncate(in_dir("file"), 0);
}

static int remove_file(void)
{
	return unlink(in_dir("to_remove"));
}

static int rename_file(void)
{
	char to[100];

	snprintf(to, sizeof(to), "%s", in_dir("renamed"));
	return rename(in_dir("to_rename"), to);
}

static int link_file(void)
{
	char to[100];

	snprintf(to, sizeof(to), "%s", in_dir("linked"));
	return link(in_dir("file"), to);
}

static int make_link(void)
{
	return symlink("/etc/passwd", in_dir("symlink"));
}

static int make_directory(void)
{
	return mkdir(in_dir("directory"), 0700);
}

static int make_pipe(void)
{
	return mkfifo(in_dir("pipe"), 0600);
}

static int change_mode(void)
{
	return chmod(in_dir("file"), 0640);
}

static int change_owner(void)
{
	return chown(in_dir("file"), getuid(), getgid());
}

static int set_attribute(void)
{
	return (int)syscall(SYS_setxattr, in_dir("file"), "user.exploit", "x", 1, 0);
}

static int change_time(void)
{
	return utimensat(AT_FDCWD, in_dir("file"), NULL, 0);
}

static int list_directory(void)
{
	return got(open(in_dir("."), O_RDONLY | O_DIRECTORY));
}

static int read_by_openat2(void)
{
	const uint64_t how[3] = {O_RDONLY, 0, 0};

	return got(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}

static int read_of_process(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", victim());
	return got(open(path, O_RDONLY));
}

static int read_commands(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", victim());
	return got(open(path, O_RDONLY));
}

static int open_memory(void)
{
	return got(open("/proc/self/mem", O_RDWR));
}

static int open_terminal(void)
{
	return got(open("/dev/ptmx", O_RDWR));
}

static int map_code(void)
{
	void *map;
	int fd = open(in_dir("file"), O_RDONLY);

	if (fd < 0) /* another one, then */
		fd = (int)syscall(SYS_memfd_create, "x", 0);
	if (fd < 0)
		return -1;
	map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -1;
	return munmap(map, 4096);
}

/* ---- the network, and other ways to talk */

static int tcp(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(getenv("EXPLOIT_PORT"))),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof(to));

	return r < 0 ? -1 : got(fd);
}

static struct sockaddr_un address(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", in_dir(name));
	return to;
}

static int local(void)
{
	const struct sockaddr_un to = address("socket");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof(to));

	return r < 0 ? -1 : got(fd);
}

static int udp(void)
{
	return got(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int netlink_socket(void)
{
	return got(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int packet_socket(void)
{
	return got(socket(AF_PACKET, SOCK_RAW, 0));
}

static int pair(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0)
		return -1;
	close(ends[1]);
	return got(ends[0]);
}

/* By a socket that is open already: whatever it is connected to. */
static int send_elsewhere(void)
{
	const struct sockaddr_un to = address("datagrams");
	int fd, ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0) {
		close(ends[1]);
		if (sendto(ends[0], "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)) == 1)
			return got(ends[0]);
		return -1;
	}
	for (fd = 3; fd < 64; fd++)
		if (sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)) == 1)
			return 0;
	errno = EPERM;
	return -1;
}

/* ---- programs and processes */

static int ended(long pid)
{
	int status = -1;

	if (pid < 0)
		return -1;
	if (pid == 0)
		_exit(0);
	waitpid((pid_t)pid, &status, 0);
	return status;
}

static int by_fork(void)
{
	return ended(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int by_clone3(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	return ended(syscall(SYS_clone3, &args, sizeof(args)));
}

#ifdef SYS_vfork
static int by_old_fork(void)
{
	return ended(syscall(SYS_fork));
}
#endif

/* In the daemon itself only where there can be no child. */
static int program(void)
{
	char *const argv[] = {(char[]){"true"}, NULL}, *const none[] = {NULL};
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	int status = -1;

	if (pid <= 0) {
		execve("/bin/true", argv, none);
		if (pid == 0)
			_exit(1);
		return -1;
	}
	waitpid((pid_t)pid, &status, 0);
	return status;
}

static int trace(void)
{
	if (ptrace(PTRACE_ATTACH, victim(), NULL, NULL) < 0)
		return -1;
	waitpid(victim(), NULL, __WALL);
	return (int)ptrace(PTRACE_DETACH, victim(), NULL, NULL);
}

static int send_signal(void)
{
	return kill(victim(), SIGCONT);
}

static int send_signal_by_owner(void)
{
	int ends[2], r;

	if (pipe(ends) < 0)
		return -1;
	r = fcntl(ends[0], F_SETOWN, victim());
	close(ends[1]);
	close(ends[0]);
	return r;
}

static int look_into(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {(char *)environ, 1};

	/* whether it may; the address need not be right */
	return process_vm_readv(victim(), &here, 1, &there, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static int signal_by_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, victim(), 0), r;

	r = fd < 0 ? -1 : (int)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
	if (fd >= 0)
		close(fd);
	return r;
}

/* ---- more rights */

static int be_root(void)
{
	return setresuid(0, 0, 0);
}

static int raise_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	sets[0].permitted = sets[0].effective |= 1u << CAP_DAC_OVERRIDE;
	return (int)syscall(SYS_capset, &header, sets);
}

static int mount_something(void)
{
	if (mount("none", in_dir("mountpoint"), "tmpfs", 0, NULL) < 0)
		return -1;
	return umount(in_dir("mountpoint"));
}

static int other_root(void)
{
	return chroot("/");
}

static int new_namespace(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	int status = -1;

	if (pid < 0)
		return unshare(CLONE_NEWUSER);
	if (pid == 0)
		_exit(unshare(CLONE_NEWUTS | CLONE_NEWUSER) < 0);
	waitpid((pid_t)pid, &status, 0);
	errno = EPERM;
	return status ? -1 : 0;
}

static int dumps(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return -1;
	return setrlimit(RLIMIT_CORE, &limit);
}

static int ring(void)
{
	char params[256] = "";

	return got(syscall(SYS_io_uring_setup, 1, params));
}

static int memory_file(void)
{
	return got(syscall(SYS_memfd_create, "x", 0));
}

enum who {
	ALL,   /* succeeds without the sandbox */
	ROOT,  /* for root only */
	MAYBE, /* depends on the kernel */
};

static const struct attempt {
	const char *name;
	int (*make)(void);
	enum who who;
} attempts[] = {
	{"read /etc/passwd", read_passwd, ALL},
	{"read another file", read_secret, ROOT},
	{"read the capture by its path", read_capture, ALL},
	{"write a file", write_file, ALL},
	{"write the capture", write_capture, ALL},
	{"append to a file", append_file, ALL},
	{"make a file", make_file, ALL},
	{"make a temporary file", make_temporary, MAYBE},
	{"truncate a file", truncate_file, ALL},
	{"remove a file", remove_file, ALL},
	{"rename a file", rename_file, ALL},
	{"link a file", link_file, ALL},
	{"make a symbolic link", make_link, ALL},
	{"make a directory", make_directory, ALL},
	{"make a pipe", make_pipe, ALL},
	{"change a mode", change_mode, ALL},
	{"change an owner", change_owner, ALL},
	{"set an attribute", set_attribute, MAYBE},
	{"change a time", change_time, ALL},
	{"list a directory", list_directory, ALL},
	{"openat2", read_by_openat2, MAYBE},
	{"environment of a process", read_of_process, ALL},
	{"command line of a process", read_commands, ALL},
	{"own memory", open_memory, MAYBE},
	{"open a terminal", open_terminal, MAYBE},
	{"map code of a file", map_code, ALL},
	{"connect by TCP", tcp, ALL},
	{"connect to a socket", local, ALL},
	{"UDP", udp, MAYBE},
	{"netlink", netlink_socket, ALL},
	{"raw packets", packet_socket, ROOT},
	{"a pair of sockets", pair, ALL},
	{"send by another socket", send_elsewhere, ALL},
	{"fork", by_fork, ALL},
	{"clone3", by_clone3, MAYBE},
#ifdef SYS_vfork
	{"the call fork", by_old_fork, ALL},
#endif
	{"start a program", program, ALL},
	{"trace a process", trace, MAYBE},
	{"signal a process", send_signal, ALL},
	{"signal by owner", send_signal_by_owner, ALL},
	{"read a process", look_into, MAYBE},
	{"signal by descriptor", signal_by_descriptor, MAYBE},
	{"become root", be_root, ROOT},
	{"raise capabilities", raise_capabilities, ROOT},
	{"mount", mount_something, ROOT},
	{"chroot", other_root, ROOT},
	{"a user namespace", new_namespace, MAYBE},
	{"allow core dumps", dumps, ALL},
	{"change limits", limits, ALL},
	{"io_uring", ring, MAYBE},
	{"memory file", memory_file, MAYBE},
};

static void attempt(unsigned number)
{
	static const char *const whose[] = {"", " [root]", " [maybe]"};
	const struct attempt *which = &attempts[number];
	int r;

	if ((int)number == last) /* a filter may be compiled more than once */
		return;
	last = (int)number;
	if (number >= sizeof(attempts) / sizeof(*attempts)) {
		snprintf(report, sizeof(report), "exploit: that was all");
		return;
	}
	errno = 0;
	r = which->make();
	if (r == 0)
		snprintf(report, sizeof(report), "exploit %s%s: done", which->name,
			 whose[which->who]);
	else
		snprintf(report, sizeof(report), "exploit %s%s: refused (%s)", which->name,
			 whose[which->who], strerrorname_np(errno));
}

__attribute__((visibility("default"))) int pcap_compile(pcap_t *pcap, struct bpf_program *ret,
							const char *expression, int optimize,
							bpf_u_int32 netmask)
{
	int (*real)(pcap_t *, struct bpf_program *, const char *, int, bpf_u_int32) =
		dlsym(RTLD_NEXT, "pcap_compile");
	unsigned number;

	reported = NULL;
	if (sscanf(expression, "ether proto 0x88b5 and len = %u", &number) != 1)
		return real(pcap, ret, expression, optimize, netmask);
	attempt(number);
	reported = pcap;
	return -1;
}

__attribute__((visibility("default"))) char *pcap_geterr(pcap_t *pcap)
{
	char *(*real)(pcap_t *) = dlsym(RTLD_NEXT, "pcap_geterr");

	return reported == pcap ? report : real(pcap);
}
