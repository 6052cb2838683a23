/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies.c - another native library in the JVM: forks without an exec, becomes another user, and uses its copies of
 * descriptors.
 */

/*
 * Its process holds both ends of each plan socket that was open at the fork. It sends plans with its own program,
 * reports of every stage with its own descriptors, and messages of other sizes. On request it also receives from the
 * sockets.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "common/plan.h"

#define MOST_SOCKETS 64
#define NUMBERS      1024

enum what { PLAN, WORD, SIZE, TAKE, WHATS };

struct counts {
	unsigned long tried[WHATS], done[WHATS];
};

static struct counts *counts;

/* For the forked process alone. */
static int sockets[MOST_SOCKETS];
static int count;
static int program, own, other; /* a file and two pidfds: this process, and a helper of the JVM */
static unsigned short seed[3];

static int is_message_socket(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* Closes all others: a helper's pipe must reach its end. */
static void look_for_sockets(void)
{
	for (int fd = 3; fd < NUMBERS; fd++) {
		if (fd == program || fd == own || fd == other)
			continue;
		if (count < MOST_SOCKETS && is_message_socket(fd))
			sockets[count++] = fd;
		else
			close(fd);
	}
}

static void send_message(enum what what, int socket, const void *bytes, size_t size, const int *fds, unsigned fd_count)
{
	char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *header = (void *)control;

	if (fd_count > 0) {
		*header = (struct cmsghdr){CMSG_LEN(fd_count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof *fds);
		message.msg_control = control;
		message.msg_controllen = CMSG_LEN(fd_count * sizeof *fds);
	}
	counts->tried[what]++;
	counts->done[what] += sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Requests no step, so the program would be executed with all of the launcher's privilege. */
static void send_plan(int socket)
{
	struct {
		struct umh_plan plan;
		struct umh_descriptor file;
	} message = {
		.plan =
			{
				.magic = UMH_PLAN_MAGIC,
				.size = sizeof message,
				.bounding = UINT64_MAX,
				.uids = {-1, -1, -1},
				.gids = {-1, -1, -1},
				.terminal = UMH_NO_DESCRIPTOR,
				.cgroup = UMH_NO_DESCRIPTOR,
				.program_identity = umh_short_file_identity(umh_file_identity(program)),
				.descriptors = {sizeof message.plan, sizeof message.file},
			},
		.file = {.target = UMH_NO_TARGET},
	};

	send_message(PLAN, socket, &message, sizeof message, &program, 1);
}

static void send_word(int socket)
{
	static const uint32_t errors[] = {0, 0, EPERM, EPIPE, ENOENT, 4096};
	const uint32_t stages[] = {UMH_STAGE_EXEC, UMH_STAGE_PID_NAMESPACE, (uint32_t)(nrand48(seed) % 80)};
	const struct umh_report word = {
		.stage = stages[nrand48(seed) % 3],
		.error = errors[nrand48(seed) % 6],
		.seconds = (uint32_t)nrand48(seed) % 2 ? (uint32_t)getppid() : 1,
		.unapplied = (uint64_t)nrand48(seed),
	};
	const int fds[] = {nrand48(seed) % 2 ? own : other, nrand48(seed) % 2 ? program : other};

	send_message(WORD, socket, &word, sizeof word, fds, (unsigned)(nrand48(seed) % 3));
}

static void send_size(int socket)
{
	static const char bytes[2048];

	send_message(SIZE, socket, bytes, (size_t)(nrand48(seed) % (long)sizeof bytes), &program,
		     (unsigned)(nrand48(seed) % 2));
}

static void take(int socket)
{
	char bytes[2048];

	counts->tried[TAKE]++;
	counts->done[TAKE] += recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0;
}

static __attribute__((noreturn)) void attack(uid_t uid, int takes)
{
	prctl(PR_SET_NAME, "copies");
	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	look_for_sockets();
	seed[0] = (unsigned short)getpid();
	for (;;) {
		for (int i = 0; i < count; i++) {
			send_plan(sockets[i]);
			send_word(sockets[i]);
			send_size(sockets[i]);
			if (takes)
				take(sockets[i]);
		}
		sched_yield();
	}
}

/* Forks; the process continues until end(). Returns its pid. */
JNIEXPORT jint JNICALL Java_org_umh4j_support_Copies_fork(JNIEnv *env, jclass class, jint uid, jint pid, jboolean takes,
							  jstring path)
{
	const char *name = (*env)->GetStringUTFChars(env, path, NULL);
	pid_t child;

	(void)class;
	if (!counts)
		counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child == 0) {
		program = open(name, O_RDONLY | O_CLOEXEC);
		own = (int)syscall(SYS_pidfd_open, getpid(), 0);
		other = (int)syscall(SYS_pidfd_open, pid, 0);
		attack((uid_t)uid, takes);
	}
	(*env)->ReleaseStringUTFChars(env, path, name);
	return child;
}

/* Returns its status, or -1 if the JVM has reaped it already. */
JNIEXPORT jint JNICALL Java_org_umh4j_support_Copies_end(JNIEnv *env, jclass class, jint pid)
{
	int status;
	pid_t result;

	(void)env;
	(void)class;
	if (waitpid(pid, NULL, WNOHANG) != 0)
		return -1;
	kill(pid, SIGKILL);
	do
		result = waitpid(pid, &status, 0);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -1 : status;
}

/* How many plans, reports, other messages were sent, and messages received. */
JNIEXPORT jlong JNICALL Java_org_umh4j_support_Copies_count(JNIEnv *env, jclass class, jint what, jboolean done)
{
	(void)env;
	(void)class;
	return (jlong)(done ? counts->done[what] : counts->tried[what]);
}
