// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

/** How far a signal reaches that is meant for a helper and for what it has started. */
public enum KillScope {
    /** The process alone. */
    PROCESS,
    /**
     * The process group that it leads: its children, as long as they have not left it. Reaches them after the helper's end
     * too, from Linux 6.9 on.
     */
    GROUP,
    /** The session that it leads: also jobs that an interactive shell puts into groups of their own. */
    SESSION,
    /**
     * The cgroup that it was born in, {@link Limits#cgroup}: everything, daemons that have left group and session
     * included; and whatever else is in that cgroup. Only SIGKILL. A helper that may write to the {@code cgroup.procs}
     * of another cgroup, as root may, can leave; give it a uid without that right.
     */
    CGROUP
}
