/* SPDX-License-Identifier: Apache-2.0 */
/* thief.c - another native library in the JVM, which reaps any child. */

#include <errno.h>
#include <jni.h>
#include <signal.h>
#include <sys/wait.h>

/* Has the kernel reap all children at once, without keeping their status. */
JNIEXPORT void JNICALL Java_org_umh4j_support_Thief_ignoreChildren(JNIEnv *env, jclass class)
{
	(void)env;
	(void)class;
	signal(SIGCHLD, SIG_IGN);
}

/* The pid of the reaped child, or a negative errno. */
JNIEXPORT jint JNICALL Java_org_umh4j_support_Thief_takeAny(JNIEnv *env, jclass class)
{
	pid_t pid;

	(void)env;
	(void)class;
	do
		pid = waitpid(-1, NULL, 0);
	while (pid < 0 && errno == EINTR);
	return pid < 0 ? -errno : pid;
}
