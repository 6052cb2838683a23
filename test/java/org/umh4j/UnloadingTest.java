// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;

/** The library goes with its class loader, and another one can bring it again: as in a container of applications. */
final class UnloadingTest {
    @Test
    void classLoaderThatNobodyHasTakesThreadsLibraryAndDescriptorsAlong() throws Exception {
        String calls = "PROC 256\nEXEC 0\nNO_WAIT 0\n";
        assertEquals(calls + "gone\n" + calls, new Jvm().run(TwiceMain.class).requireSuccess());
    }

    /** Loads, calls and drops the library, and does so again. */
    static final class TwiceMain {
        public static void main(String[] arguments) throws Exception {
            TreeMap<String, Long> before = Leaks.descriptors();
            WeakReference<ClassLoader> loader = calls();
            Await.until("its threads have been idle for long enough to end", () -> collected(loader));
            Await.until("the library is not mapped", () -> collected(loader) && !isMapped());
            Leaks.assertNothingLeft(before);
            System.out.println(Leaks.libraryThreads().isEmpty() ? "gone" : Leaks.libraryThreads());
            calls();
        }

        private static boolean collected(WeakReference<ClassLoader> loader) {
            System.gc();
            return loader.get() == null;
        }

        private static boolean isMapped() throws IOException {
            return java.nio.file.Files.readString(Path.of("/proc/self/maps")).contains("libumh4j");
        }

        /** In classes of its own, beside those of the same names that this test has. */
        private static WeakReference<ClassLoader> calls() throws Exception {
            URL[] library = {new File("target/classes/").toURI().toURL()};
            ClassLoader loader = new URLClassLoader(library, ClassLoader.getPlatformClassLoader());
            Class<?> wait = loader.loadClass(UmhWait.class.getName());
            Method call = loader.loadClass(UsermodeHelper.class.getName())
                    .getMethod("call", String.class, String[].class, String[].class, wait);
            for (String mode : new String[] {"PROC", "EXEC", "NO_WAIT"}) {
                Object flags = wait.getField(mode).get(null);
                System.out.println(mode + " " + call.invoke(null, "/bin/false", new String[] {"false"}, null, flags));
            }
            return new WeakReference<>(loader);
        }
    }
}
