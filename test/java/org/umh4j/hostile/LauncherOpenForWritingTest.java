// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/**
 * Another process has the launcher's file open for writing. The file is sealed, so it can't be changed, but execve
 * fails with ETXTBSY as long as it is open. Root of a container may open it through a launcher that was executed as a
 * program.
 */
@RequiresRoot
final class LauncherOpenForWritingTest {
    @Test
    void launcherOpenForWritingIsCopiedAgain() throws Exception {
        assertEquals("0 0 0 0 0 0 0 0 0 0 true\n", new Jvm().run(HoldMain.class).requireSuccess());
    }

    /** Holds every copy of the launcher before each start, and prints what came of the starts. */
    static final class HoldMain {
        public static void main(String[] arguments) throws Exception {
            start();
            int before = numbers().size();
            List<RandomAccessFile> held = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                hold(held);
                System.out.print(start() + " ");
            }
            for (RandomAccessFile file : held) {
                file.close();
            }
            System.out.println(numbers().size() <= before + 8); // the reserved numbers are copies of the first one
        }

        private static int start() {
            return UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
        }

        private static void hold(List<RandomAccessFile> held) throws IOException {
            for (Path number : numbers()) {
                held.add(new RandomAccessFile(number.toFile(), "rw"));
            }
            assertTrue(!held.isEmpty());
        }

        /** Those of the JVM that are open on a launcher. */
        private static List<Path> numbers() throws IOException {
            List<Path> numbers = new ArrayList<>();
            for (String number : new File("/proc/self/fd").list()) {
                Path path = Path.of("/proc/self/fd", number);
                if (Files.isSymbolicLink(path)
                        && Files.readSymbolicLink(path).toString().contains("umh4j-launcher")) {
                    numbers.add(path);
                }
            }
            return numbers;
        }
    }
}
