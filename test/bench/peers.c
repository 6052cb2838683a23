/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - starts programs as C does, from the same JVM: same descriptors, same heap, same noise. */

#include <errno.h>
#include <jni.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const no_environment[] = {NULL};

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* The strings' bytes and the vector of pointers to them, in one allocation. */
static char **copy_argv(JNIEnv *env, jbyteArray strings)
{
	const size_t size = (size_t)(*env)->GetArrayLength(env, strings);
	char *bytes = malloc(size + (size + 1) * sizeof(char *));
	char **argv;
	size_t argc = 0;

	if (!bytes)
		abort();
	argv = (char **)(void *)bytes;
	bytes += (size + 1) * sizeof(char *);
	(*env)->GetByteArrayRegion(env, strings, 0, (jsize)size, (jbyte *)bytes);
	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
		argv[argc++] = bytes + at;
	argv[argc] = NULL;
	return argv;
}

JNIEXPORT jint JNICALL Java_org_umh4j_bench_Peers_posixSpawn(JNIEnv *env, jclass class, jbyteArray strings)
{
	char **argv = copy_argv(env, strings);
	pid_t pid;
	int error;

	(void)class;
	error = posix_spawn(&pid, argv[0], NULL, NULL, argv, no_environment);
	free(argv);
	return error ? -error : wait_for(pid);
}

JNIEXPORT jint JNICALL Java_org_umh4j_bench_Peers_vforkExec(JNIEnv *env, jclass class, jbyteArray strings)
{
	char **const argv = copy_argv(env, strings);
	pid_t pid;

	(void)class;
	pid = vfork();
	if (pid == 0) {
		execve(argv[0], argv, no_environment);
		_exit(127);
	}
	free(argv);
	return pid < 0 ? -errno : wait_for(pid);
}

JNIEXPORT jint JNICALL Java_org_umh4j_bench_Peers_forkExec(JNIEnv *env, jclass class, jbyteArray strings)
{
	char **argv = copy_argv(env, strings);
	pid_t pid;

	(void)class;
	pid = fork();
	if (pid == 0) {
		execve(argv[0], argv, no_environment);
		_exit(127);
	}
	free(argv);
	return pid < 0 ? -errno : wait_for(pid);
}
