// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.task.Cred;
import org.umh4j.task.PlanWriter;

/** The plan of a plain call, for measuring what its steps cost. */
public final class KernelPlan {
    private KernelPlan() {}

    /** As a call of the kernel's own kind has it. */
    public static Plan of(SubprocessInfo info) {
        try (OpenedFiles opened = new OpenedFiles()) {
            return PlanWriter.write(info.task(), Cred.defaults(), null, 0, opened, Pipes.none());
        } catch (StageFailure e) {
            throw new AssertionError(e);
        }
    }
}
