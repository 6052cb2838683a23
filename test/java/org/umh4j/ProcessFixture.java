// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.umh4j.support.Await;
import org.umh4j.support.Shell;

/** Starts processes by {@link ProcessBuilder} and as helpers, and ends those of a test. */
class ProcessFixture {
    static final long SECONDS = Await.PATIENCE.toSeconds();

    final List<Helper> helpers = new ArrayList<>();
    final List<Process> processes = new ArrayList<>();

    /** The API that starts the process. */
    enum Maker {
        JDK,
        HELPER
    }

    Process start(Maker maker, String script) throws IOException {
        if (maker == Maker.HELPER) {
            helpers.add(UsermodeHelper.start(Shell.piped(script)));
            processes.add(helpers.get(helpers.size() - 1).toProcess());
        } else {
            processes.add(new ProcessBuilder("/bin/sh", "-c", script, "sh").start());
        }
        return processes.get(processes.size() - 1);
    }

    @AfterEach
    final void end() throws IOException, InterruptedException {
        helpers.forEach(Helper::close);
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }
}
