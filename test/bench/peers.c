/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - how C starts a program, called from the same JVM: same descriptors, same heap, same noise. */

#include <errno.h>
#include <jni.h>
#include <limits.h>
#include <spawn.h>
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

static void copy_path(JNIEnv *env, jbyteArray path, char *into)
{
	jsize size = (*env)->GetArrayLength(env, path);

	if (size >= PATH_MAX)
		size = PATH_MAX - 1;
	(*env)->GetByteArrayRegion(env, path, 0, size, (jbyte *)into);
	into[size] = 0;
}

JNIEXPORT jint JNICALL Java_org_umh4j_bench_Peers_posixSpawn(JNIEnv *env, jclass class, jbyteArray path)
{
	char program[PATH_MAX];
	char *const argv[] = {program, NULL};
	pid_t pid;
	int error;

	(void)class;
	copy_path(env, path, program);
	error = posix_spawn(&pid, program, NULL, NULL, argv, no_environment);
	return error ? -error : wait_for(pid);
}

JNIEXPORT jint JNICALL Java_org_umh4j_bench_Peers_vforkExec(JNIEnv *env, jclass class, jbyteArray path)
{
	char program[PATH_MAX];
	char *const argv[] = {program, NULL};
	pid_t pid;

	(void)class;
	copy_path(env, path, program);
	pid = vfork();
	if (pid == 0) {
		execve(program, argv, no_environment);
		_exit(127);
	}
	return pid < 0 ? -errno : wait_for(pid);
}
