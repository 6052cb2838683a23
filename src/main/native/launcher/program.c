/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - refuses to execute the launcher, under any name. */

/*
 * Links of /proc, such as /proc/self/exe, refer to the launcher while the launcher resolves them in execve(2); for the
 * kernel's helper they do not. So the launcher checks the program's file, and the interpreters that it names, as the
 * kernel follows them. A file that it may not read can't be checked: then the launcher is executed without a plan, and
 * exits (launcher.c). For that moment root of a container can open its file, but not write to it; the launcher is
 * created again if that prevents its execution (umh.c).
 */

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

/*
 * The first bytes of a file: more than the kernel reads of a script; and the headers of a usual program, followed by
 * the name of its dynamic loader.
 */
#define HEAD_SIZE 1024

/* The number of interpreters of interpreters that execve(2) follows. */
#define MAX_INTERPRETERS 6

/* The launcher's own file from its first byte, as launcher.ld maps it. */
extern const char launcher_image[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));

/* The first bytes of every ELF file, as a little-endian number. */
#define ELF_MAGIC_NUMBER UINT32_C(0x464c457f)

/* The headers of the copies differ by their address (shim/launcher_image.c); the code does not. */
#define CODE_OFFSET 256
#define CODE_END    512

static int is_launcher_image(const char *head, long size)
{
	unsigned index = CODE_OFFSET;

	if (size < CODE_END)
		return 0;
	while (index < CODE_END && head[index] == launcher_image[index])
		index++;
	return index == CODE_END;
}

/* The section table is the end of the file. All copies have the same size. */
static long image_size(void)
{
	const Elf64_Ehdr *image = (const void *)launcher_image;

	return (long)image->e_shoff + (long)image->e_shnum * image->e_shentsize;
}

/*
 * Opens only regular files, because opening a device may have an effect. The kernel follows no interpreter of a dynamic
 * loader, so a loader whose size is not the launcher's is not checked further.
 */
static int open_program(const char *path, int is_loader)
{
	struct stat status;
	long result = umh_syscall(__NR_newfstatat, AT_FDCWD, path, &status, 0);

	if (result < 0 || !S_ISREG(status.st_mode) || (is_loader && status.st_size != image_size()))
		return -ENOENT;
	return sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

static const char *script_interpreter(char *head, long size)
{
	long begin = 2, end;

	while (begin < size && (head[begin] == ' ' || head[begin] == '\t'))
		begin++;
	for (end = begin; end < size && head[end] && head[end] != ' ' && head[end] != '\t' && head[end] != '\n'; end++)
		;
	if (end == begin || end == size)
		return 0;
	head[end] = 0;
	return head + begin;
}

/* The kernel refuses a name without a NUL at its end. */
static int is_inside(const Elf64_Phdr *name, const char *head, long size)
{
	const uint64_t end = name->p_offset + name->p_filesz;

	return name->p_filesz > 0 && end > name->p_offset && end <= (uint64_t)size && !head[end - 1];
}

static const char *elf_interpreter(int fd, char *head, long size)
{
	const Elf64_Ehdr *file = (const void *)head;
	const Elf64_Phdr *part = (const void *)(head + sizeof *file);

	if (size < (long)sizeof *file || file->e_phoff != sizeof *file)
		return 0;
	for (unsigned i = 0; i < file->e_phnum && (const char *)(part + i + 1) <= head + size; i++) {
		const Elf64_Phdr found = part[i];

		if (found.p_type != PT_INTERP)
			continue;
		if (is_inside(&found, head, size))
			return head + found.p_offset;
		size = umh_syscall(__NR_pread64, fd, head, HEAD_SIZE - 1, found.p_offset);
		head[size < 0 ? 0 : size] = 0;
		return head;
	}
	return 0;
}

static int is_elf(const char *head, long size)
{
	uint32_t mark;

	__builtin_memcpy(&mark, head, sizeof mark);
	return size >= (long)sizeof mark && mark == ELF_MAGIC_NUMBER;
}

/* The interpreter that the kernel executes instead, or 0. */
static const char *next_interpreter(int fd, char *head, long size)
{
	if (size > 2 && head[0] == '#' && head[1] == '!')
		return script_interpreter(head, size);
	return is_elf(head, size) ? elf_interpreter(fd, head, size) : 0;
}

/* Sets is_loader if the next one is this program's dynamic loader. */
static int read_interpreter(int fd, char head[HEAD_SIZE], const char **path, int *is_loader)
{
	const long size = umh_syscall(__NR_pread64, fd, head, HEAD_SIZE, 0);

	if (is_launcher_image(head, size))
		return -ENOENT;
	*path = *is_loader ? 0 : next_interpreter(fd, head, size);
	*is_loader = is_elf(head, size);
	return 0;
}

/* noinline: its stack is free before the next steps. */
__attribute__((noinline)) int refuse_launcher(const struct launch *launch, const char *path)
{
	const uint32_t program = launch->plan->program;
	char head[HEAD_SIZE] __attribute__((aligned(8))) = {0};
	int is_loader = 0;
	int result = 0;

	if (program != UMH_NO_DESCRIPTOR)
		result = read_interpreter(descriptor(launch, program), head, &path, &is_loader);
	for (unsigned i = 0; result == 0 && path && i < MAX_INTERPRETERS; i++) {
		const int fd = open_program(path, is_loader);

		if (fd < 0)
			return 0;
		result = read_interpreter(fd, head, &path, &is_loader);
		sys_close(fd);
	}
	return result;
}
