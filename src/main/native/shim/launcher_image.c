/* SPDX-License-Identifier: Apache-2.0 */
/* launcher_image.c - keeps the launcher as a sealed memfd. */

/*
 * A child shares the JVM's descriptor table and copies only the numbers below the highest that it needs (child.c). So
 * low numbers of the launcher and of the plan socket make a launch fast. umh_load() moves the launcher to the lowest
 * free number and reserves a few more (low_fds.c). If all of these are lent, a launch uses its socket where it is,
 * which costs only time.
 *
 * No number is trusted: a child compares the launcher's file with its identity before it executes it; if other code has
 * closed it, the launcher is created again.
 */

/*
 * The image runs at any address. A separate address needs a page table at each level, which costs more than all else
 * about so small a program; so the image is placed where it shares the stack's tables. A second image is closer to the
 * stack than is safe in general: clone.c decides which launch may use it.
 */

#include "shim/launcher_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/arch.h"
#include "common/file_identity.h"
#include "shim/blob.h"
#include "shim/low_fds.h"
#include "shim/memfd.h"

static const struct umh_launcher_image no_image = {
	.fd = -1, .near_stack = -1, .identity = UMH_NO_IDENTITY, .near_stack_identity = UMH_NO_IDENTITY};
static _Atomic(const struct umh_launcher_image *) current_image = &no_image;

#define NAME "umh4j-launcher"

/* For a file that the property names. */
#define MAX_FILE_BYTES 65536

/* The bytes to create the launcher again; NULL if the launcher is a file. */
static struct {
	char *bytes;
	size_t size;
} image_copy;
static pthread_mutex_t recreating = PTHREAD_MUTEX_INITIALIZER;

/* The headers of the image. launcher.ld makes one segment, and one header for the stack. */
struct headers {
	Elf64_Ehdr file;
	Elf64_Phdr text, stack;
};

static void relocate(struct headers *headers, uint64_t address)
{
	headers->file.e_entry += address - headers->text.p_vaddr;
	headers->text.p_vaddr = address;
	headers->text.p_paddr = address;
}

/* address: where to place the image; 0: where it was linked for. */
static int open_image(const char *image, size_t size, uint64_t address)
{
	struct headers headers;
	struct umh_blob blob;
	int result = size < sizeof headers ? -ENOEXEC : umh_blob_open(NAME, &blob);

	if (result < 0)
		return result;
	memcpy(&headers, image, sizeof headers);
	if (address)
		relocate(&headers, address);
	result = umh_memfd_write(blob.fd, &headers, sizeof headers);
	if (result == 0)
		result = umh_memfd_write(blob.fd, image + sizeof headers, size - sizeof headers);
	if (result == 0)
		return umh_blob_seal(NAME, &blob);
	umh_blob_discard(&blob);
	return result;
}

/*
 * A process that gets hold of the launcher by /proc could write to its file with the JVM's own uid, and the next launch
 * would execute that. So the file itself is executed only if another user, usually root, owns it and only that user can
 * write to it.
 */
static int open_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (syscall(__NR_fstat, fd, &status) == 0 && status.st_uid != geteuid() &&
	    !(status.st_mode & (S_IWGRP | S_IWOTH)) && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		return fd;
	close(fd);
	return -EACCES;
}

/* Duplicates the descriptor to the lowest free number that is not the host's, and closes the original. */
static int move_to_low_fd(int fd)
{
	int low = fcntl(fd, F_DUPFD_CLOEXEC, UMH_MIN_LOW_FD);
	int error = errno;

	close(fd);
	if (low < 0 && error == EINVAL)
		error = EMFILE; /* RLIMIT_NOFILE is below that number */
	return low < 0 ? -error : low;
}

static int open_low(const char *image, size_t size, uint64_t address)
{
	int fd = size > 0 ? open_image(image, size, address) : open_file(image);

	return fd < 0 ? fd : move_to_low_fd(fd);
}

/* Without this image a launch costs only time. */
static int open_near_stack(const char *image, size_t size)
{
#ifdef UMH_NEAR_STACK
	int fd = size > 0 ? open_low(image, size, UMH_NEAR_STACK) : -1;

	return fd < 0 ? -1 : fd;
#else
	(void)image;
	(void)size;
	return -1;
#endif
}

static int create_image(const char *image, size_t size, const struct umh_launcher_image *before, int is_busy)
{
	struct umh_launcher_image *made = malloc(sizeof *made);

	if (!made)
		return -ENOMEM;
	*made = *before;
	made->previous = before;
	if (is_busy || !umh_is_same_file(made->fd, made->identity)) {
		made->fd = open_low(image, size, UMH_BELOW_STACK);
		made->identity = umh_file_identity(made->fd);
	}
	if (made->fd < 0) {
		int result = made->fd;

		free(made);
		return result;
	}
	if (is_busy || !umh_is_same_file(made->near_stack, made->near_stack_identity)) {
		made->near_stack = open_near_stack(image, size);
		made->near_stack_identity = umh_file_identity(made->near_stack);
	}
	umh_low_fds_reserve(made);
	atomic_store(&current_image, made);
	return 0;
}

static int copy_image(const char *image, size_t size)
{
	if (size == 0)
		return -EINVAL;
	image_copy.bytes = malloc(size);
	if (!image_copy.bytes)
		return -ENOMEM;
	memcpy(image_copy.bytes, image, size);
	image_copy.size = size;
	return 0;
}

/* Reads the bytes of the file, because no process can write to a copy. */
static int copy_file(const char *path)
{
	static char bytes[MAX_FILE_BYTES];
	size_t size = 0;
	ssize_t more = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	while (more > 0 && size < sizeof bytes) {
		more = read(fd, bytes + size, sizeof bytes - size);
		size += more > 0 ? (size_t)more : 0;
	}
	error = more < 0 ? errno : more > 0 ? EFBIG : 0;
	close(fd);
	return error ? -error : copy_image(bytes, size);
}

/* If the host executes no copy, the file itself is used, if that is safe. */
static int create_image_of_file(const char *path)
{
	int result = copy_file(path);

	if (result < 0)
		return result;
	result = create_image(image_copy.bytes, image_copy.size, &no_image, 0);
	if (result != -EACCES && result != -EPERM && result != -ENOSYS)
		return result;
	free(image_copy.bytes);
	image_copy.bytes = NULL;
	return create_image(path, 0, &no_image, 0);
}

int umh_launcher_image_load(const char *image, size_t size)
{
	int result;

	if (atomic_load(&current_image) != &no_image)
		return -EALREADY;
	if (size == 0)
		return create_image_of_file(image);
	result = copy_image(image, size);
	return result < 0 ? result : create_image(image, size, &no_image, 0);
}

int umh_launcher_image_recreate(const struct umh_launcher_image *broken, int is_busy)
{
	int fds[] = {broken->fd, broken->near_stack};
	int result = 0;

	pthread_mutex_lock(&recreating);
	if (atomic_load(&current_image) == broken) {
		result = image_copy.bytes ? create_image(image_copy.bytes, image_copy.size, broken, is_busy) : -EBADF;
		if (result == 0 && is_busy) {
			/* A launch in another thread that uses these notices, and starts again. */
			umh_close_if_same(&fds[0], broken->identity);
			umh_close_if_same(&fds[1], broken->near_stack_identity);
		}
	}
	pthread_mutex_unlock(&recreating);
	return result;
}

const struct umh_launcher_image *umh_launcher_image(void)
{
	return atomic_load(&current_image);
}

/* The library is unloaded together with its class loader. */
__attribute__((destructor)) void umh_launcher_image_unload(void)
{
	const struct umh_launcher_image *launcher = umh_launcher_image();

	umh_low_fds_unload();
	while (launcher != &no_image) {
		struct umh_launcher_image last = *launcher;

		umh_close_if_same(&last.near_stack, last.near_stack_identity);
		umh_close_if_same(&last.fd, last.identity);
		free((void *)launcher);
		launcher = last.previous;
	}
	atomic_store(&current_image, &no_image);
	free(image_copy.bytes);
	image_copy.bytes = NULL;
}
