// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.umh4j.HelperGate;
import org.umh4j.HelperPaths;
import org.umh4j.UmhSysctl;
import org.umh4j.support.Absurd;
import org.umh4j.support.ApiSamples;
import org.umh4j.support.Jvm;
import org.umh4j.support.PublicApi;
import org.umh4j.task.Cred;

/**
 * Each public method of the API, found by reflection, with each absurd value of each parameter's type. The value is
 * accepted, or rejected by an exception that names the argument, and then no state has changed.
 */
final class AbsurdArgumentsTest {
    @Test
    void absurdArgumentsAreAcceptedOrNamed() throws Exception {
        String out = new Jvm().shortLived().run(ArgumentsMain.class).requireSuccess();
        List<String> lines = out.lines().collect(Collectors.toList());
        assertTrue(lines.get(lines.size() - 1).matches("[0-9]{4,} calls, [0-9]{3,} refused"), out);
        assertEquals("", String.join("\n", lines.subList(0, lines.size() - 1)));
    }

    /** In a new JVM, since calls may narrow the policy. */
    static final class ArgumentsMain {
        /** Of no parameter that could be absurd, or that end the test. */
        private static final Set<String> LEFT_OUT = Set.of("equals", "valueOf", "compareTo", "wait");

        private static final Set<String> FAULTS = new TreeSet<>();
        private static final AtomicInteger CALLS = new AtomicInteger();
        private static final AtomicInteger REFUSED = new AtomicInteger();

        public static void main(String[] arguments) throws Exception {
            List<Class<?>> types = PublicApi.types();
            types.remove(HelperPaths.class);
            types.add(HelperPaths.class); // what it takes holds for all that follows
            for (Class<?> type : types) {
                for (Constructor<?> constructor : type.getConstructors()) {
                    tryAll(type, constructor);
                }
                for (Method method : type.getDeclaredMethods()) {
                    boolean isOurs = !method.isSynthetic() && !LEFT_OUT.contains(method.getName()) && !isListener(type);
                    if (Modifier.isPublic(method.getModifiers()) && isOurs) {
                        tryAll(type, method);
                    }
                }
            }
            FAULTS.forEach(System.out::println);
            System.out.println(CALLS + " calls, " + REFUSED + " refused");
            System.exit(0);
        }

        private static boolean isListener(Class<?> type) {
            return type.isInterface();
        }

        private static void tryAll(Class<?> type, Executable executable) throws Exception {
            Parameter[] parameters = executable.getParameters();
            for (int i = 0; i < parameters.length; i++) {
                for (Object value : Absurd.of(parameters[i].getType())) {
                    tryOne(type, executable, i, value);
                }
            }
        }

        private static void tryOne(Class<?> type, Executable executable, int index, Object value) throws Exception {
            Object receiver = executable instanceof Constructor || Modifier.isStatic(executable.getModifiers())
                    ? null
                    : ApiSamples.of(type);
            Object[] values = new Object[executable.getParameterCount()];
            for (int i = 0; i < values.length; i++) {
                values[i] = i == index ? value : sample(executable.getParameterTypes()[i]);
            }
            String before = state(receiver);
            Throwable thrown = thrownBy(executable, receiver, values);
            CALLS.incrementAndGet();
            String what = executable.getDeclaringClass().getSimpleName() + "." + executable.getName() + "("
                    + executable.getParameters()[index].getName() + " = " + Absurd.text(value) + ")";
            if (thrown != null) {
                REFUSED.incrementAndGet();
                String after = state(receiver);
                if (!after.equals(before)) {
                    FAULTS.add(what + " has changed " + before + " to " + after);
                }
            }
            judge(what, executable, index, value, thrown);
            ApiSamples.reset();
        }

        private static void judge(String what, Executable executable, int index, Object value, Throwable thrown) {
            boolean mustRefuse = value == null
                    && !executable.getParameters()[index].getAnnotatedType().isAnnotationPresent(Nullable.class);
            if (thrown == null) {
                if (mustRefuse) {
                    FAULTS.add(what + " is taken");
                }
                return;
            }
            String message = String.valueOf(thrown.getMessage());
            boolean names = names(thrown, message, executable, index, value);
            if (thrown instanceof IOException
                    || thrown instanceof UncheckedIOException
                    || thrown instanceof TimeoutException
                    || thrown instanceof InterruptedException) {
                names |= !mustRefuse; // the host's answer, and not the library's
            } else if (!isOurs(thrown, mustRefuse || Absurd.hasNull(value))) {
                names = false;
            }
            if (!names) {
                FAULTS.add(what + " throws " + thrown.getClass().getSimpleName() + ": "
                        + message.lines().findFirst().orElse(""));
            }
        }

        private static boolean isOurs(Throwable thrown, boolean isNull) {
            return isNull && thrown.getClass() == NullPointerException.class
                    || Set.of(
                                    IllegalArgumentException.class,
                                    IllegalStateException.class,
                                    IllegalMonitorStateException.class,
                                    NoSuchElementException.class)
                            .contains(thrown.getClass());
        }

        /** By its name, its method's, or what it is; and not by a message of the JVM's own. */
        private static boolean names(Throwable thrown, String message, Executable executable, int index, Object value) {
            String name = executable.getParameters()[index].getName();
            boolean isState =
                    value != null && thrown instanceof IllegalStateException; // nothing is wrong with the argument
            boolean named = isState
                    || message.matches("(?s).*\\b(" + name + "|" + executable.getName() + ")\\b.*")
                    || message.contains(String.valueOf(value))
                            && !String.valueOf(value).isEmpty()
                    || message.matches("(?s).*[0-9\"'].*")
                    || hasElement(message, value);
            return named && !message.contains("because \"") && !message.equals("null");
        }

        private static boolean hasElement(String message, Object value) {
            return value instanceof Enum<?> one
                            && message.toUpperCase(Locale.ROOT).contains(one.name())
                    || value instanceof Object[] array
                            && Arrays.stream(array).anyMatch(one -> hasElement(message, one));
        }

        private static Object sample(Class<?> type) throws Exception {
            if (type.isInterface() && ApiSamples.has(type)) {
                return ApiSamples.of(type);
            }
            return type.isInterface()
                    ? Proxy.newProxyInstance(
                            ArgumentsMain.class.getClassLoader(),
                            new Class<?>[] {type},
                            (proxy, method, arguments) -> method.getName().equals("hashCode")
                                    ? (Object) 1
                                    : method.getReturnType() == long.class
                                            ? (Object) 1L // such as a pid
                                            : method.getReturnType() == Cred.class ? arguments[1] : null)
                    : ApiSamples.of(type);
        }

        private static Throwable thrownBy(Executable executable, Object receiver, Object[] values) throws Exception {
            Future<Throwable> call = CompletableFuture.supplyAsync(() -> call(executable, receiver, values), run -> {
                Thread thread = new Thread(run);
                thread.setDaemon(true);
                thread.start();
            });
            try {
                return call.get(60, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                return new AssertionError("hangs");
            } catch (ExecutionException e) {
                throw new AssertionError(executable.toString(), e);
            }
        }

        private static Throwable call(Executable executable, Object receiver, Object[] values) {
            try {
                Object result = executable instanceof Constructor<?> constructor
                        ? constructor.newInstance(values)
                        : ((Method) executable).invoke(receiver, values);
                String.valueOf(result); // what was taken can be read
                if (result instanceof AutoCloseable closeable) {
                    closeable.close();
                }
                return null;
            } catch (InvocationTargetException e) {
                return e.getCause();
            } catch (Exception | Error e) {
                return new AssertionError("what was taken can't be used: " + e, e);
            }
        }

        /** The text of the receiver, and the state that all calls share. */
        private static String state(Object receiver) throws Exception {
            TreeMap<String, String> state = new TreeMap<>();
            state.put("gate", HelperGate.depth() + " " + HelperGate.runningHelpers());
            state.put("policy", UmhSysctl.bset() + " " + UmhSysctl.inheritable());
            if (receiver != null && Modifier.isPublic(receiver.getClass().getModifiers())) {
                for (Method method : receiver.getClass().getDeclaredMethods()) {
                    boolean isGetter = Modifier.isPublic(method.getModifiers())
                            && method.getParameterCount() == 0
                            && (method.getReturnType().isPrimitive()
                                    || Set.of("toString", "path", "state", "name", "status")
                                            .contains(method.getName()))
                            && method.getReturnType() != void.class
                            && !Modifier.isStatic(method.getModifiers())
                            && !Set.of("kill", "waitFor").contains(method.getName());
                    if (isGetter) {
                        state.put(method.getName(), answer(method, receiver));
                    }
                }
            }
            return state.toString();
        }

        private static String answer(Method method, Object receiver) throws IllegalAccessException {
            try {
                return String.valueOf(method.invoke(receiver));
            } catch (InvocationTargetException e) {
                return e.getCause().toString();
            }
        }
    }
}
