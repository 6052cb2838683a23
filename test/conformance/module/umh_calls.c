// SPDX-License-Identifier: GPL-2.0-only
/*
 * umh_calls.c - calls call_usermodehelper_exec() on request, and reports the events of init, cleanup and the caller.
 *
 * It is only for a guest. It is a separate work under the GPL, which a module that uses these symbols needs, and no
 * artifact of umh4j contains it.
 *
 * /proc/umh_calls, written:
 *
 *	call WAIT INITRET ENVP ARGV KIND [PATH]
 *		WAIT is the wait flags in hexadecimal; INITRET what the init function returns, or "none" for none;
 *		ENVP and ARGV are "std", "empty" or "null"; KIND is "path", "emptystr" or "null".
 *	depth N
 *		sets the disable depth, as the freezer does.
 *
 * read: the events since then, one on each line: init, cleanup(RETVAL), returned(RESULT).
 */

#include <linux/kprobes.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/umh.h>

#define WORD 256

/* One call. The caller holds a reference while it waits, and the helper one until cleanup. */
struct call {
	struct kref references;
	unsigned int number;
	int initret;
	char path[WORD];
	char *argv[5];
	char *envp[3];
};

static DEFINE_SPINLOCK(lock);
static char events[1024];
static size_t written;
static unsigned int current_call; /* events of earlier calls are ignored, even if their helper still runs */

static void note(unsigned int number, const char *event, int value, bool has_value)
{
	spin_lock(&lock);
	if (number == current_call)
		written += has_value ? scnprintf(events + written, sizeof(events) - written, "%s(%d)\n", event, value)
				     : scnprintf(events + written, sizeof(events) - written, "%s\n", event);
	spin_unlock(&lock);
}

static void release(struct kref *references)
{
	kfree(container_of(references, struct call, references));
}

static int call_init(struct subprocess_info *info, struct cred *new)
{
	struct call *call = info->data;

	note(call->number, "init", 0, false);
	return call->initret;
}

static void call_cleanup(struct subprocess_info *info)
{
	struct call *call = info->data;

	note(call->number, "cleanup", info->retval, true);
	kref_put(&call->references, release);
}

static void fill_vectors(struct call *call)
{
	static char one[] = "one", two[] = "two words", nothing[] = "", home[] = "HOME=/", x[] = "X=1 2";

	call->argv[0] = call->path;
	call->argv[1] = one;
	call->argv[2] = two;
	call->argv[3] = nothing;
	call->envp[0] = home;
	call->envp[1] = x;
}

/* "null" is a null pointer, "empty" a vector without strings. */
static char **vector(char **strings, const char *kind)
{
	if (!strcmp(kind, "empty"))
		strings[0] = NULL;
	return strcmp(kind, "null") ? strings : NULL;
}

static int
make_call(struct call *call, unsigned int wait, bool has_init, const char *envp, const char *argv, const char *kind)
{
	struct subprocess_info *info;
	unsigned int number = call->number;
	char *path = call->path;

	if (!strcmp(kind, "null"))
		path = NULL;
	if (!strcmp(kind, "emptystr"))
		call->path[0] = 0;
	info = call_usermodehelper_setup(path, vector(call->argv, argv), vector(call->envp, envp), GFP_KERNEL,
					 has_init ? call_init : NULL, call_cleanup, call);
	if (!info)
		return -ENOMEM; /* setup does not run cleanup; the caller drops both references */
	note(number, "returned", call_usermodehelper_exec(info, wait), true);
	return 0;
}

static int do_call(const char *words)
{
	char initret[12], envp[8], argv[8], kind[12];
	struct call *call = kzalloc(sizeof(*call), GFP_KERNEL);
	unsigned int wait;
	int result = -EINVAL;

	if (!call)
		return -ENOMEM;
	kref_init(&call->references);
	if (sscanf(words, "%x %11s %7s %7s %11s %255s", &wait, initret, envp, argv, kind, call->path) < 5)
		goto out;
	if (strcmp(initret, "none") && kstrtoint(initret, 10, &call->initret))
		goto out;
	fill_vectors(call);
	spin_lock(&lock);
	call->number = ++current_call;
	written = 0;
	spin_unlock(&lock);
	kref_get(&call->references);
	result = make_call(call, wait, strcmp(initret, "none"), envp, argv, kind);
	if (result < 0)
		kref_put(&call->references, release);
out:
	kref_put(&call->references, release);
	return result;
}

/* The function is not exported, nor is the symbol table; a kprobe finds it. */
static int set_depth(int depth)
{
	struct kprobe probe = {.symbol_name = "__usermodehelper_set_disable_depth"};
	void (*set)(int depth);
	int result = register_kprobe(&probe);

	if (result < 0)
		return result;
	set = (void *)probe.addr;
	unregister_kprobe(&probe);
	set(depth);
	return 0;
}

static ssize_t calls_write(struct file *file, const char __user *user, size_t size, loff_t *position)
{
	char *words = memdup_user_nul(user, size);
	int result = -EINVAL;
	int depth;

	if (IS_ERR(words))
		return PTR_ERR(words);
	if (!strncmp(words, "call ", 5))
		result = do_call(words + 5);
	else if (sscanf(words, "depth %d", &depth) == 1)
		result = set_depth(depth);
	kfree(words);
	return result < 0 ? result : (ssize_t)size;
}

static ssize_t calls_read(struct file *file, char __user *user, size_t size, loff_t *position)
{
	char copy[sizeof(events)];
	size_t length;

	spin_lock(&lock);
	length = written;
	memcpy(copy, events, length);
	spin_unlock(&lock);
	return simple_read_from_buffer(user, size, position, copy, length);
}

static const struct proc_ops operations = {
	.proc_write = calls_write,
	.proc_read = calls_read,
};

static int __init calls_load(void)
{
	return proc_create("umh_calls", 0600, NULL, &operations) ? 0 : -ENOMEM;
}

/* It is never unloaded, since the cleanup of a running helper may be in this module. */
module_init(calls_load);
MODULE_DESCRIPTION("calls call_usermodehelper_exec() on request");
MODULE_LICENSE("GPL");
