// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * The credentials that a helper is born with; immutable.
 *
 * <p>An init function gets them as the kernel's gets {@code struct cred *new}: with the policy of {@link UmhSysctl}
 * applied, and answers what they shall be. What the policy has taken out does not come back.
 *
 * @param bounding capabilities that stay in the bounding set; the default is the JVM's set cut by the policy
 * @param inheritable the inheritable set; the default is none
 */
public record Cred(CapabilitySet bounding, CapabilitySet inheritable) {
    /** These credentials with another bounding set. */
    public Cred bounding(CapabilitySet set) {
        return new Cred(set, inheritable);
    }

    /** These credentials with another inheritable set. */
    public Cred inheritable(CapabilitySet set) {
        return new Cred(bounding, set);
    }
}
