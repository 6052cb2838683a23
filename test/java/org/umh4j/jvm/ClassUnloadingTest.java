// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.Mailbox;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.task.Descriptors;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * An application that is undeployed unloads the library with its threads, descriptors and memfds; another one can
 * load it again.
 */
final class ClassUnloadingTest {
    @Test
    void unloadedLibraryLeaksNothing() throws Exception {
        assertEquals("gone\nagain\n", new Jvm().run(DroppedMain.class).requireSuccess());
    }

    /** Loads the library by a new class loader, uses each part, and drops the loader. */
    static final class DroppedMain {
        public static void main(String[] arguments) throws Exception {
            var before = Leaks.descriptors();
            WeakReference<ClassLoader> loader = dropped();
            Await.until("the library is unloaded", () -> {
                System.gc();
                return loader.get() == null;
            });
            Leaks.assertNothingLeft(before);
            assertEquals(List.of(), Leaks.libraryThreads());
            System.out.println("gone");
            dropped();
            System.out.println("again");
        }

        private static WeakReference<ClassLoader> dropped() throws Exception {
            List<URL> urls = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            try (URLClassLoader loader =
                    new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
                Class<?> use = loader.loadClass(UseMain.class.getName());
                use.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
                return new WeakReference<>(loader);
            }
        }
    }

    /** One of everything that has a thread, a descriptor or a program in memory. */
    public static final class UseMain {
        private UseMain() {}

        public static void main(String[] arguments) throws Exception {
            UsermodeHelper.exec(cat(), UmhWait.PROC);
            UsermodeHelper.exec(cat(), UmhWait.NO_WAIT);
            SignalState tied = SignalState.defaults().parentDeathSignal(Signal.KILL);
            try (Helper helper = UsermodeHelper.start(cat().task(Task.defaults()
                    .signals(tied)
                    .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))))) {
                helper.stdin().write(1);
                assertEquals(1, helper.stdout().read());
            }
            try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
                driver.fork();
                Mailbox.of(driver, 1).request(new byte[1], Await.PATIENCE);
            }
        }

        /** Without the probe: a shutdown hook deletes its directory and holds the class loader. */
        private static SubprocessInfo cat() {
            return SubprocessInfo.of("/bin/cat", new String[] {"cat"}, null);
        }
    }
}
