// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

/** The processes that are signaled together with a helper. See {@link Task#scope}. */
public enum KillScope {
    /** The helper's process alone. */
    PROCESS,
    /**
     * The process group that the helper leads; no process if it leads none, as with {@link Session#inherited()}. The
     * group is the helper with its children unless they have left the group. Since Linux 6.9 the group can be signaled
     * after the helper's end too.
     */
    GROUP,
    /**
     * The session that the helper leads; no process if it leads none, as with {@link Session#inherited()} or
     * {@link Session#newGroup()}. It includes the jobs of an interactive shell, which have other process groups.
     */
    SESSION,
    /**
     * The helper's cgroup, which must be set by its path, {@link Limits#cgroup(String)}: every process in it, including
     * daemons that have left process group and session, and processes that the helper did not start. Only SIGKILL can
     * be sent.
     *
     * <p>A helper that may write to the {@code cgroup.procs} of another cgroup, such as root, can leave its cgroup.
     * Give it a uid without that right.
     */
    CGROUP
}
