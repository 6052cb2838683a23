// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.ArrayList;
import java.util.List;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** Helpers that are shell scripts: for what takes more than one process. */
public final class Shell {
    private Shell() {}

    /** A call of {@code sh -c}; the arguments are {@code $1} and so on. */
    public static SubprocessInfo script(String script, String... arguments) {
        List<String> argv = new ArrayList<>(List.of("sh", "-c", script, "sh"));
        argv.addAll(List.of(arguments));
        return SubprocessInfo.of("/bin/sh", argv.toArray(String[]::new), UsermodeHelper.kernelEnvironment());
    }

    /** The same with pipes at 0, 1 and 2. */
    public static SubprocessInfo piped(String script, String... arguments) {
        return script(script, arguments)
                .task(Task.defaults()
                        .descriptors(
                                Descriptors.none().pipeFromJvm(0).pipeToJvm(1).pipeToJvm(2)));
    }
}
