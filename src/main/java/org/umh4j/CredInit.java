// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.task.Cred;

/**
 * Called once for a helper, right before it is created: the {@code init} of {@code struct subprocess_info}.
 *
 * <p>The kernel calls it in the new task; here no Java code ever runs between clone and exec, so it runs in the caller's
 * thread, or for {@link UmhWait#NO_WAIT} in a thread of the library. No lock is held.
 */
@FunctionalInterface
public interface CredInit {
    /**
     * Decides the helper's credentials.
     *
     * @param info the call
     * @param cred what the helper would have, the policy of {@link UmhSysctl} applied
     * @return what it shall have; {@code cred} itself changes nothing
     * @throws InitException to refuse: nothing is executed, and its number is the call's result
     */
    Cred init(SubprocessInfo info, Cred cred) throws InitException;
}
