// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.task.Cred;

/**
 * A function that decides the credentials of one helper right before it is created: the {@code init} member of
 * {@code struct subprocess_info}.
 *
 * <p>The kernel calls init in the new task. Here no Java code can run between clone and exec, so init runs in the
 * caller's thread, or for {@link UmhWait#NO_WAIT} in a thread of the library. No lock is held.
 *
 * <p>If init throws an unchecked exception or returns null, no program is executed, cleanup runs with the result
 * {@code -ECANCELED}, and the exception, for null a {@link NullPointerException}, is thrown to the caller of
 * {@code exec}, {@code start}, {@code run} or {@code fork}. For {@link UmhWait#NO_WAIT} it is logged.
 */
@FunctionalInterface
public interface CredInit {
    /**
     * Decides the helper's credentials.
     *
     * @param info the call
     * @param cred the credentials that the helper has otherwise, with the policy of {@link UmhSysctl} applied
     * @return the credentials of the helper. The policy is applied to them again. {@code cred} itself is immutable: a
     *     changed copy must be returned
     * @throws InitException to refuse the call: no program is executed, and the call returns the number of the
     *     exception
     */
    Cred init(SubprocessInfo info, Cred cred) throws InitException;
}
