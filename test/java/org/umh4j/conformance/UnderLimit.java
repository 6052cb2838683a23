// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import org.umh4j.cli.Main;

/** A JVM's part under a limit: compares a helper with the kernel's, whose reports are in a folder, and asks umh doctor. */
final class UnderLimit {
    static final String REFUSED = "refused ";

    private UnderLimit() {}

    public static void main(String[] arguments) {
        try {
            InSetting.main(new String[] {Setting.AS_IT_IS.name(), arguments[0]});
        } catch (Exception | LinkageError e) {
            System.out.println(REFUSED + e.getMessage());
        }
        Main.main(new String[] {"doctor"});
    }
}
