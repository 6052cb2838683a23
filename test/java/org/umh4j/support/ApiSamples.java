// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.InputStream;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.umh4j.Helper;
import org.umh4j.HelperGate;
import org.umh4j.HelperProbe;
import org.umh4j.HelperQueue;
import org.umh4j.HostFeature;
import org.umh4j.Mailbox;
import org.umh4j.PipeReader;
import org.umh4j.PipeWriter;
import org.umh4j.Pipeline;
import org.umh4j.RestartBackoff;
import org.umh4j.RunOptions;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.Supervisor;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.ResourceUsage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Sched;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/** One valid value of each type of the API, created again each time if it has state. */
public final class ApiSamples {
    private static final Map<Class<?>, Callable<?>> SAMPLES = new HashMap<>();
    private static final List<AutoCloseable> OPEN = new ArrayList<>();

    static {
        SAMPLES.put(int.class, () -> 1);
        SAMPLES.put(long.class, () -> 1L);
        SAMPLES.put(boolean.class, () -> true);
        SAMPLES.put(String.class, () -> "x");
        SAMPLES.put(Object.class, () -> "x");
        SAMPLES.put(Duration.class, () -> Duration.ofSeconds(5));
        SAMPLES.put(Instant.class, () -> Instant.EPOCH);
        SAMPLES.put(Optional.class, Optional::empty);
        SAMPLES.put(List.class, List::of);
        SAMPLES.put(Path.class, () -> Path.of(ProbeProgram.path()));
        SAMPLES.put(Class.class, () -> ApiSamples.class);
        SAMPLES.put(InputStream.class, () -> new ByteArrayInputStream(DriverBlobs.probe()));
        SAMPLES.put(FileDescriptor.class, () -> FileDescriptor.out);
        SAMPLES.put(ByteBuffer.class, () -> ByteBuffer.allocate(1));
        SAMPLES.put(Channel.class, () -> kept(FileChannel.open(Path.of("/dev/null"), StandardOpenOption.READ)));
        SAMPLES.put(CapabilitySet.class, () -> CapabilitySet.of(Capability.CAP_CHOWN));
        SAMPLES.put(RunOptions.class, RunOptions::defaults);
        SAMPLES.put(RestartBackoff.class, RestartBackoff::defaults);
        SAMPLES.put(HelperProbe.class, () -> kept(HelperProbe.install()));
        SAMPLES.put(HostFeature.class, () -> HostFeature.all().get(0));
        SAMPLES.put(Cred.class, Cred::defaults);
        SAMPLES.put(Descriptors.class, () -> Descriptors.none().devNull(0).devNull(1));
        SAMPLES.put(Task.class, Task::defaults);
        SAMPLES.put(ProcessHandle.class, ProcessHandle::current);
        SAMPLES.put(java.nio.file.OpenOption.class, () -> StandardOpenOption.READ);
        SAMPLES.put(Fs.class, Fs::defaults);
        SAMPLES.put(Limits.class, Limits::defaults);
        SAMPLES.put(NamespaceSetup.class, NamespaceSetup::defaults);
        SAMPLES.put(Sandbox.class, Sandbox::defaults);
        SAMPLES.put(Sched.class, Sched::defaults);
        SAMPLES.put(Session.class, Session::defaults);
        SAMPLES.put(SignalState.class, SignalState::defaults);
        SAMPLES.put(UmhWait.class, () -> UmhWait.PROC);
        SAMPLES.put(WaitStatus.class, () -> new WaitStatus(0));
        SAMPLES.put(HelperQueue.class, () -> new HelperQueue(1));
        SAMPLES.put(SubprocessInfo.class, ApiSamples::call);
        SAMPLES.put(ResourceUsage.class, () -> ended().usage().orElseThrow());
        SAMPLES.put(RunResult.class, () -> UsermodeHelper.run(call(), Duration.ofSeconds(20)));
        SAMPLES.put(
                RunResult.SentSignal.class, () -> new RunResult.SentSignal(org.umh4j.linux.Signal.TERM, Duration.ZERO));
        SAMPLES.put(
                Supervisor.StateChange.class,
                () -> new Supervisor.StateChange(Supervisor.State.RUNNING, 0, Optional.empty(), Optional.empty()));
        SAMPLES.put(UmhException.class, ApiSamples::failure);
        SAMPLES.put(Helper.class, ApiSamples::ended);
        SAMPLES.put(PipeReader.class, () -> ended().reader(1));
        SAMPLES.put(PipeWriter.class, () -> ended().writer(0));
        SAMPLES.put(Pipeline.class, () -> kept(Pipeline.start(call(), call())));
        SAMPLES.put(UsermodeDriver.class, () -> kept(DriverBlobs.doing("cat")));
        SAMPLES.put(Supervisor.class, () -> Supervisor.of(kept(DriverBlobs.doing("cat")), 1 << 10));
        SAMPLES.put(Mailbox.class, ApiSamples::mailbox);
    }

    private ApiSamples() {}

    /** Whether there is one of this type. */
    public static boolean has(Class<?> type) {
        return SAMPLES.containsKey(type);
    }

    /** A good value. */
    public static Object of(Class<?> type) throws Exception {
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        if (type == byte[].class) {
            return new byte[8];
        }
        if (type.isArray()) {
            Class<?> component = type.getComponentType();
            boolean isPair = component == SubprocessInfo.class;
            Object array = Array.newInstance(component, isPair ? 2 : 1);
            for (int i = 0; i < Array.getLength(array); i++) {
                Array.set(array, i, component == byte[].class ? "x".getBytes() : of(component));
            }
            return array;
        }
        Callable<?> sample = SAMPLES.get(type);
        if (sample == null) {
            throw new AssertionError("a type of the API without a sample: " + type);
        }
        return sample.call();
    }

    /** Ends what was started for the last values, and enables what was disabled. */
    public static void reset() throws Exception {
        for (AutoCloseable one : OPEN) {
            one.close();
        }
        OPEN.clear();
        try {
            for (; ; ) {
                HelperGate.readUnlock();
            }
        } catch (IllegalMonitorStateException e) {
            // no code refers to it any more
        }
        HelperGate.thaw();
    }

    private static <T extends AutoCloseable> T kept(T one) {
        OPEN.add(one);
        return one;
    }

    private static SubprocessInfo call() {
        return ProbeProgram.doing("exit", "0");
    }

    /** A helper with pipes that has ended, so that nothing waits for it long. */
    private static Helper ended() throws Exception {
        Helper helper = kept(UsermodeHelper.start(call().task(Task.defaults()
                .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1).pipeToJvm(2)))));
        helper.waitFor();
        return helper;
    }

    private static UmhException failure() {
        SubprocessInfo info = SubprocessInfo.of("/no/such/program", new String[] {"x"}, null);
        UsermodeHelper.exec(info, UmhWait.EXEC);
        return info.failure().orElseThrow();
    }

    private static Mailbox mailbox() throws Exception {
        UsermodeDriver driver = kept(DriverBlobs.doing("cat"));
        driver.fork();
        return kept(Mailbox.of(driver, 1 << 10));
    }
}
