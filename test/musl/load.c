/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - the library of the jar in a process whose libc is musl: loaded and called as a JVM does. */

/*
 * 	load LIBRARY LAUNCHER
 *
 * Debian has no JVM for musl. The library needs only the functions of a JVM that are in the table below: access to the
 * elements of an array. Runs helpers that end in different ways, one with more descriptors than a message can carry.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jni.h>

#include "jni/bridge.h"

#define MANY 300

struct array {
	void *elements;
};

static jbyte *byte_elements(JNIEnv *env, jbyteArray array, jboolean *copied)
{
	(void)env, (void)copied;
	return ((struct array *)array)->elements;
}

static jint *int_elements(JNIEnv *env, jintArray array, jboolean *copied)
{
	(void)env, (void)copied;
	return ((struct array *)array)->elements;
}

static jlong *long_elements(JNIEnv *env, jlongArray array, jboolean *copied)
{
	(void)env, (void)copied;
	return ((struct array *)array)->elements;
}

static void release_bytes(JNIEnv *env, jbyteArray array, jbyte *elements, jint mode)
{
	(void)env, (void)array, (void)elements, (void)mode;
}

static void release_ints(JNIEnv *env, jintArray array, jint *elements, jint mode)
{
	(void)env, (void)array, (void)elements, (void)mode;
}

static void release_longs(JNIEnv *env, jlongArray array, jlong *elements, jint mode)
{
	(void)env, (void)array, (void)elements, (void)mode;
}

static const struct JNINativeInterface_ functions = {
	.GetByteArrayElements = byte_elements,
	.GetIntArrayElements = int_elements,
	.GetLongArrayElements = long_elements,
	.ReleaseByteArrayElements = release_bytes,
	.ReleaseIntArrayElements = release_ints,
	.ReleaseLongArrayElements = release_longs,
};
static JNIEnv env = &functions;

typedef jint load_fn(JNIEnv *, jclass, jbyteArray, jint);
typedef jint start_fn(JNIEnv *, jclass, jbyteArray, jint, jint, jint, jbyteArray, jint, jintArray, jint, jint, jint,
		      jint, jlongArray);

static void *symbol(void *library, const char *name)
{
	void *found = dlsym(library, name);

	if (found)
		return found;
	fprintf(stderr, "load: %s\n", dlerror());
	exit(2);
}

static jint load_launcher(void *library, const char *path)
{
	load_fn *load = (load_fn *)symbol(library, "Java_org_umh4j_internal_Native_load");
	char image[1 << 16];
	FILE *file = fopen(path, "r");
	size_t size = file ? fread(image, 1, sizeof image, file) : 0;

	if (file)
		fclose(file);
	return load(&env, NULL, (jbyteArray) & (struct array){image}, (jint)size);
}

struct row {
	const char *path;
	const char *strings; /* the path and the argument vector */
	jint argc;
	unsigned fd_count;
	jint result;
	jlong status;
};

#define SHELL "/bin/sh"

static const struct row rows[] = {
	{"true", "/bin/true\0true", 1, 0, 0, 0},
	{"exit", SHELL "\0sh\0-c\0exit 3", 3, 0, 0, 3 << 8},
	{"kill", SHELL "\0sh\0-c\0kill -9 $$", 3, 0, 0, 9},
	{"descriptors", SHELL "\0sh\0-c\0[ -e /proc/self/fd/299 ]", 3, MANY, 0, 0},
	{"missing", "/no/such\0x", 1, 0, -ENOENT, 0},
};

static jint strings_size(const struct row *row)
{
	const char *end = row->strings;

	for (jint i = 0; i <= row->argc; i++)
		end += strlen(end) + 1;
	return (jint)(end - row->strings);
}

static int try(start_fn *start, const struct row *row)
{
	struct {
		struct umh_plan plan;
		struct umh_descriptor files[MANY];
	} all = {.plan = {.magic = UMH_PLAN_MAGIC,
			  .program = UMH_NO_DESCRIPTOR,
			  .terminal = UMH_NO_DESCRIPTOR,
			  .cgroup = UMH_NO_DESCRIPTOR}};
	const uint32_t files = row->fd_count * (uint32_t)sizeof(struct umh_descriptor);
	jlong answer[UMH_RESULT_COUNT] = {0};
	jint fds[MANY] = {0};
	jint result;

	all.plan.size = (uint32_t)sizeof all.plan + files;
	if (row->fd_count > 0) {
		all.plan.steps = all.plan.required = UMH_STEP(DESCRIPTORS);
		all.plan.descriptors = (struct umh_span){sizeof all.plan, files};
		for (unsigned i = 0; i < row->fd_count; i++)
			all.files[i].target = i;
	}
	result = start(&env, NULL, (jbyteArray) & (struct array){(void *)row->strings}, strings_size(row), row->argc, 0,
		       (jbyteArray) & (struct array){&all}, (jint)all.plan.size, (jintArray) & (struct array){fds},
		       (jint)row->fd_count, -1, UMH_UNTIL_EXIT, 0, (jlongArray) & (struct array){answer});
	if (result == row->result && (result < 0 || answer[UMH_RESULT_STATUS] == row->status))
		return 0;
	fprintf(stderr, "load: %s: %d, status %lld\n", row->path, (int)result, (long long)answer[UMH_RESULT_STATUS]);
	return 1;
}

int main(int argc, char **argv)
{
	void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	jint loaded;
	int wrong = 0;

	if (!library) {
		fprintf(stderr, "load: %s\n", argc == 3 ? dlerror() : "usage: load LIBRARY LAUNCHER");
		return 2;
	}
	loaded = load_launcher(library, argv[2]);
	if (loaded < 0) {
		fprintf(stderr, "load: the launcher: %d\n", (int)loaded);
		return 1;
	}
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		wrong += try((start_fn *)symbol(library, "Java_org_umh4j_internal_Native_start"), &rows[i]);
	printf("load: %zu rows, %d wrong\n", sizeof rows / sizeof *rows, wrong);
	return wrong ? 1 : 0;
}
