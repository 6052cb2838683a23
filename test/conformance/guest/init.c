/* SPDX-License-Identifier: Apache-2.0 */
/* init.c - pid 1 of the guest: mounts file systems, loads the modules, runs the JVM, powers off. */

/*
 * It passes boot=MODE of the kernel's command line to the JVM. The JVM's output goes to the second serial line, which
 * the host reads; the console stays the kernel's. In the boot ODD the probe executes this program, after it has changed
 * every attribute that a process can change (test/conformance/run).
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void must(int result, const char *what)
{
	if (result < 0)
		fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
}

static void mount_on(const char *type, const char *target, const char *options)
{
	mkdir(target, 0755);
	must(mount(type, target, type, 0, options), target);
}

/* The file systems that the recording of each attribute and a JVM need. */
static void mount_all(void)
{
	mount_on("proc", "/proc", "");
	mount_on("sysfs", "/sys", "");
	mount_on("devtmpfs", "/dev", "");
	mount_on("tmpfs", "/tmp", "mode=1777");
	mount_on("tmpfs", "/run", "mode=0755");
	mount_on("cgroup2", "/sys/fs/cgroup", "");
	mkdir("/cg1", 0755);
	must(mount("release", "/cg1", "cgroup", 0, "none,name=release"), "/cg1");
}

/* In the order of their names, which is that of their dependencies. */
static void load_modules(void)
{
	static const char *const names[] = {"llc", "stp", "bridge", "umh_calls"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof path, "/modules/%s.ko", names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		must(fd < 0 ? fd : (int)syscall(SYS_finit_module, fd, "", 0), path);
		if (fd >= 0)
			close(fd);
	}
}

/* Raw, since the line discipline would otherwise turn each newline into two characters. */
static int open_host(void)
{
	struct termios settings;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);

	if (fd >= 0 && tcgetattr(fd, &settings) == 0) {
		cfmakeraw(&settings);
		tcsetattr(fd, TCSANOW, &settings);
	}
	return fd;
}

static const char *mode(void)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	char *found;

	if (fd >= 0)
		close(fd);
	line[size > 0 ? size : 0] = 0;
	found = strstr(line, "boot=");
	if (!found)
		return "MAIN";
	found += strlen("boot=");
	found[strcspn(found, " \n")] = 0;
	return found;
}

static int run_jvm(int host)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		dup2(host, 1);
		dup2(host, 2);
		must(chdir("/app"), "/app");
		execl("/jre/bin/java", "java", "@/app/options", "org.umh4j.conformance.Guest", mode(), (char *)0);
		_exit(127);
	}
	while (waitpid(child, &status, 0) != child)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	int host;

	mount_all();
	load_modules();
	host = open_host();
	dprintf(host, "@@exit %d\n", run_jvm(host));
	tcdrain(host);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
