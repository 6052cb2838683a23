/* SPDX-License-Identifier: Apache-2.0 */
/*
 * others.c - another native library in the JVM: closes the library's descriptors and opens other files at their
 * numbers.
 */

/*
 * Each of these files is checked afterward, through another descriptor and from another process: its bytes, its offset,
 * its lock, its queue, the data that its peer has received, that the number still refers to this open file, that the
 * process of a pidfd lives.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027 /* 6.10 */
#endif

#define MOST    256
#define PRIVATE 700 /* its descriptors begin here */
#define TEXT    "precious content of a database"

enum kind {
	NOTHING,
	READ_ONLY,
	READ_WRITE,
	PROGRAM,
	PROGRAM_MEMFD,
	SEQPACKET,
	STREAM,
	PIPE_READ,
	PIPE_WRITE,
	EPOLL,
	EVENT,
	PIDFD,
	NULL_DEVICE,
	KINDS
};

static struct other {
	int number;
	enum kind kind;
	int own;    /* the same open file */
	int second; /* its peer, its other end, or the watched descriptor of an epoll */
	pid_t victim;
} others[MOST];
static int count;

static int private(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, PRIVATE);

	close(fd);
	return moved;
}

static int lock_of(int fd, int command)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, command, &lock) < 0 ? -1 : lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

static int open_regular(int flags)
{
	static int serial;
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/tmp/others-%d-%d", getpid(), serial++);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (write(fd, TEXT, sizeof TEXT - 1) < 0)
		perror(path);
	if (flags == O_RDONLY) {
		int again = open(path, O_RDONLY | O_CLOEXEC);

		close(fd);
		fd = again;
	}
	unlink(path);
	lseek(fd, 8, SEEK_SET);
	return fd;
}

static int copy_to_memfd(const char *path)
{
	char bytes[65536];
	int in = open(path, O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("others", MFD_CLOEXEC);
	ssize_t size;

	while ((size = read(in, bytes, sizeof bytes)) > 0)
		if (write(fd, bytes, (size_t)size) < 0)
			perror(path);
	close(in);
	fchmod(fd, 0755);
	lseek(fd, 8, SEEK_SET);
	return fd;
}

static int open_pair(int type, int *second)
{
	int pair[2];

	socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair);
	*second = private(pair[1]);
	send(*second, TEXT, sizeof TEXT - 1, 0); /* stays in the queue of the socket at the number */
	return pair[0];
}

static int open_pipe(int end, int *second)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], TEXT, sizeof TEXT - 1) < 0)
		perror("pipe");
	*second = private(ends[1 - end]);
	return ends[end];
}

/* Its event is returned once: another waiter would take it. */
static int open_epoll(int *second)
{
	struct epoll_event watch = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 4711};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	*second = private(eventfd(1, EFD_CLOEXEC));
	epoll_ctl(fd, EPOLL_CTL_ADD, *second, &watch);
	return fd;
}

static int open_pidfd(pid_t *victim)
{
	*victim = fork();
	if (*victim == 0) {
		syscall(__NR_close_range, 3, ~0U, 0);
		for (;;)
			pause();
	}
	return (int)syscall(__NR_pidfd_open, *victim, 0);
}

static int open_kind(struct other *other, const char *program)
{
	other->second = -1;
	switch (other->kind) {
	case READ_ONLY:
		return open_regular(O_RDONLY);
	case READ_WRITE:
		return open_regular(O_RDWR);
	case PROGRAM:
		return open(program, O_RDONLY | O_CLOEXEC);
	case PROGRAM_MEMFD:
		return copy_to_memfd(program);
	case SEQPACKET:
		return open_pair(SOCK_SEQPACKET, &other->second);
	case STREAM:
		return open_pair(SOCK_STREAM, &other->second);
	case PIPE_READ:
		return open_pipe(0, &other->second);
	case PIPE_WRITE:
		return open_pipe(1, &other->second);
	case EPOLL:
		return open_epoll(&other->second);
	case EVENT:
		return eventfd(3, EFD_CLOEXEC);
	case PIDFD:
		return open_pidfd(&other->victim);
	case NULL_DEVICE:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	default:
		return -1;
	}
}

/* Closes a number, and opens another file there unless the kind is nothing. */
JNIEXPORT void JNICALL Java_org_umh4j_support_Others_replace(JNIEnv *env, jclass class, jint number, jint kind,
							     jstring program)
{
	struct other *other = &others[count];
	const char *path = (*env)->GetStringUTFChars(env, program, NULL);

	(void)class;
	*other = (struct other){.number = number, .kind = (enum kind)kind, .own = -1};
	if (kind == NOTHING) {
		close(number);
	} else {
		other->own = private(open_kind(other, path));
		dup3(other->own, number, O_CLOEXEC);
		if (kind == READ_WRITE)
			lock_of(other->own, F_SETLK); /* until this process closes any descriptor of that file */
	}
	count++;
	(*env)->ReleaseStringUTFChars(env, program, path);
}

static int is_same_open_file(int a, int b)
{
	int same = fcntl(a, F_DUPFD_QUERY, b);
	struct stat one, other;

	if (same >= 0)
		return same;
	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* The pid of the lock's holder, seen from another process; 0: none. */
static int lock_holder(int fd)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(lock_of(fd, F_GETLK) == getppid() ? 1 : 0);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WEXITSTATUS(status);
}

static const char *check_regular(const struct other *other)
{
	char bytes[64];
	ssize_t size = pread(other->own, bytes, sizeof bytes, 0);

	if (size != sizeof TEXT - 1 || memcmp(bytes, TEXT, sizeof TEXT - 1) != 0)
		return "its bytes were changed";
	if (lseek(other->own, 0, SEEK_CUR) != 8)
		return "its offset was moved";
	return other->kind == READ_WRITE && !lock_holder(other->own) ? "its lock is gone: a descriptor of it was closed"
								     : NULL;
}

static const char *check_socket(const struct other *other)
{
	char bytes[64];

	if (recv(other->own, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) != sizeof TEXT - 1)
		return "what waited to be read is gone";
	return recv(other->second, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN
		       ? "its peer was sent something"
		       : NULL;
}

static const char *check_pipe(const struct other *other)
{
	int bytes = 0;

	ioctl(other->kind == PIPE_READ ? other->own : other->second, FIONREAD, &bytes);
	return bytes != sizeof TEXT - 1 ? "its bytes are not those that were written" : NULL;
}

static const char *check_event(const struct other *other)
{
	uint64_t value = 0;

	return read(other->own, &value, sizeof value) < 0 || value != 3 ? "its counter was changed" : NULL;
}

static const char *check_epoll(const struct other *other)
{
	struct epoll_event events[4];
	int found = epoll_wait(other->own, events, 4, 0);

	return found != 1 || events[0].data.u64 != 4711 ? "its events are not its own" : NULL;
}

static const char *check_pidfd(const struct other *other)
{
	int status;

	return waitpid(other->victim, &status, WNOHANG | WUNTRACED | WCONTINUED) != 0
		       ? "its process was signaled or reaped"
		       : NULL;
}

static const char *check(const struct other *other)
{
	if (other->kind == NOTHING)
		return NULL;
	if (!is_same_open_file(other->number, other->own))
		return "its number was closed or taken";
	switch (other->kind) {
	case READ_ONLY:
	case READ_WRITE:
		return check_regular(other);
	case SEQPACKET:
	case STREAM:
		return check_socket(other);
	case PIPE_READ:
	case PIPE_WRITE:
		return check_pipe(other);
	case EPOLL:
		return check_epoll(other);
	case EVENT:
		return check_event(other);
	case PIDFD:
		return check_pidfd(other);
	default:
		return NULL;
	}
}

static void put_away(struct other *other)
{
	if (other->kind == NOTHING)
		return;
	if (is_same_open_file(other->number, other->own))
		close(other->number);
	close(other->own);
	if (other->second >= 0)
		close(other->second);
	if (other->victim > 0) {
		kill(other->victim, SIGKILL);
		waitpid(other->victim, NULL, 0);
	}
}

/* The changes of its files since, or an empty text; then closes them. */
JNIEXPORT jstring JNICALL Java_org_umh4j_support_Others_harm(JNIEnv *env, jclass class)
{
	static char text[MOST * 80];
	size_t at = 0;

	(void)class;
	text[0] = 0;
	for (int i = 0; i < count; i++) {
		const char *harm = check(&others[i]);

		if (harm)
			at += (size_t)snprintf(text + at, sizeof text - at, "%d, kind %d: %s; ", others[i].number,
					       others[i].kind, harm);
	}
	for (int i = 0; i < count; i++)
		put_away(&others[i]);
	count = 0;
	return (*env)->NewStringUTF(env, text);
}

/* The number of kinds. */
JNIEXPORT jint JNICALL Java_org_umh4j_support_Others_kinds(JNIEnv *env, jclass class)
{
	(void)env;
	(void)class;
	return KINDS;
}
