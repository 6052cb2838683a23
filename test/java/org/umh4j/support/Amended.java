// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.function.UnaryOperator;
import org.umh4j.SubprocessInfo;
import org.umh4j.task.Task;

/** A call with a change to its task, in one expression. */
public final class Amended {
    private Amended() {}

    public static SubprocessInfo task(SubprocessInfo info, UnaryOperator<Task> change) {
        return info.task(change.apply(info.task()));
    }
}
