// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;

/**
 * Calls every public method of the API that can be called without a helper, twice, and prints the messages about the
 * library: one line, if every method throws the same one. It also prints classes that could not be initialized, and
 * well-known methods that threw no such message.
 */
public final class EntriesMain {
    private static final String OURS = "umh4j can't be loaded: ";
    /** These wait for others, or have others wait. */
    private static final Set<String> WAITING = Set.of("disable", "freeze", "readTrylock", "readLockWait");

    private static final List<String> WELL_KNOWN = List.of(
            "UsermodeHelper.call",
            "UsermodeHelper.exec",
            "UsermodeHelper.start",
            "UsermodeHelper.run",
            "UmhSysctl.bset",
            "UmhSysctl.inheritable",
            "UmhSysctl.narrowBset",
            "UmhSysctl.writeBset",
            "UsermodeDriver.load",
            "Sandbox.landlockAbi",
            "Pipeline.start");

    private static final TreeSet<String> RESULTS = new TreeSet<>();
    private static final TreeSet<String> SPEAKERS = new TreeSet<>();
    private static final Map<Class<?>, Object> VALUES = new HashMap<>(Map.of(
            UmhWait.class,
            UmhWait.PROC,
            SubprocessInfo[].class,
            new SubprocessInfo[] {call(), call()},
            RunOptions.class,
            RunOptions.defaults(),
            Duration.class,
            Duration.ofMillis(10),
            Path.class,
            Path.of("/bin/true"),
            String.class,
            "1",
            String[].class,
            new String[] {"true"},
            byte[].class,
            new byte[] {1}));

    private EntriesMain() {}

    private static SubprocessInfo call() {
        return SubprocessInfo.of("/bin/true", new String[] {"true"}, null);
    }

    public static void main(String[] arguments) throws Exception {
        for (int time = 0; time < 2; time++) {
            SPEAKERS.clear();
            for (Class<?> type : PublicApi.types()) {
                callAll(type);
            }
            WELL_KNOWN.stream()
                    .filter(entry -> !SPEAKERS.contains(entry))
                    .forEach(entry -> RESULTS.add(entry + " said nothing"));
        }
        RESULTS.forEach(System.out::println);
        Runtime.getRuntime().halt(0);
    }

    private static void callAll(Class<?> type) throws Exception {
        Stream.of(type.getConstructors()).forEach(made -> call(made, () -> made.newInstance(values(made))));
        for (Method method : type.getMethods()) {
            boolean ours =
                    method.getDeclaringClass() == type && !method.isSynthetic() && !WAITING.contains(method.getName());
            Object on = Modifier.isStatic(method.getModifiers()) ? type : value(type);
            if (ours && on != null) {
                call(method, () -> method.invoke(on, values(method)));
            }
        }
    }

    private interface Attempt {
        Object make() throws ReflectiveOperationException;
    }

    private static void call(Executable entry, Attempt attempt) {
        FutureTask<Object> task = new FutureTask<>(attempt::make);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        try {
            Object made = task.get(5, TimeUnit.SECONDS);
            if (made != null && made.getClass().getName().startsWith("org.umh4j.")) {
                VALUES.putIfAbsent(made.getClass(), made);
            }
        } catch (TimeoutException | InterruptedException e) {
            RESULTS.add(entry + " does not return");
        } catch (ExecutionException e) {
            said(entry, e.getCause() instanceof InvocationTargetException target ? target.getCause() : e.getCause());
        }
    }

    private static void said(Executable entry, Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnsatisfiedLinkError
                    && String.valueOf(cause.getMessage()).startsWith(OURS)) {
                RESULTS.add(cause.getMessage());
                SPEAKERS.add(entry.getDeclaringClass().getSimpleName() + "." + entry.getName());
                return;
            }
            if (cause instanceof LinkageError) {
                RESULTS.add(entry + ": " + cause);
                return;
            }
        }
    }

    private static Object[] values(Executable entry) {
        return Arrays.stream(entry.getParameterTypes()).map(EntriesMain::value).toArray();
    }

    /** Something of this type that is good enough; null where nothing has made one yet. */
    private static Object value(Class<?> type) {
        if (type == SubprocessInfo.class) {
            return call(); // each is good for one call
        }
        if (type == InputStream.class) {
            return new ByteArrayInputStream(new byte[] {1});
        }
        if (type.isPrimitive()) {
            return type == boolean.class
                    ? (Object) false
                    : type == long.class
                            ? (Object) 1L
                            : type == int.class ? (Object) 1 : type == double.class ? (Object) 1.0 : null;
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        return VALUES.get(type);
    }
}
