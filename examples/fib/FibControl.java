// SPDX-License-Identifier: Apache-2.0
package org.umh4j.examples.fib;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.umh4j.Supervisor;
import org.umh4j.UsermodeDriver;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.task.Cred;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;

/**
 * Says which of some routes the kernel would take, by asking the kernel, and without touching the host's network.
 *
 * <p>The control plane is Java and has no privilege to speak of in its code; the part that speaks netlink is a driver in C,
 * with a network namespace of its own, a uid of its own, the one capability that changes routes, no way to gain another, and
 * no system call but those that it makes.
 */
public final class FibControl implements AutoCloseable {
    /** As fib.h has it. */
    private static final int MESSAGE_BYTES = 65_536;

    private static final int ROUTE_BYTES = 12;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    /** Nobody's; whoever else has it could stop and trace the driver. */
    private static final int UID = 61_995;

    /**
     * A route.
     *
     * @param prefix such as {@code 10.0.0.0/8}
     * @param tag what an address is answered that takes it; not 0
     */
    public record Route(String prefix, int tag) {}

    private final UsermodeDriver driver;
    private final Supervisor supervisor;

    private FibControl(UsermodeDriver driver, Supervisor supervisor) {
        this.driver = driver;
        this.supervisor = supervisor;
    }

    /** Loads the driver and starts it; needs a JVM of root. */
    public static FibControl start(Path program) throws IOException {
        UsermodeDriver driver = UsermodeDriver.load("fib", program).task(confined());
        Supervisor supervisor = Supervisor.of(driver, MESSAGE_BYTES)
                .health(question(List.of(), List.of()), Duration.ofSeconds(1), PATIENCE)
                .start();
        return new FibControl(driver, supervisor);
    }

    private static Task confined() {
        Cred cred = Cred.defaults()
                .uid(UID)
                .gid(UID)
                .groups(new long[0])
                .capabilities(CapabilitySet.of(Capability.CAP_NET_ADMIN))
                .noNewPrivs();
        return Task.defaults()
                .cred(cred)
                .namespaces(NamespaceSetup.defaults().unshare(Namespace.NET))
                .limits(Limits.defaults().rlimit(Rlimit.AS, 64 << 20).rlimit(Rlimit.NPROC, 1))
                .sandbox(Sandbox.defaults().seccomp(FibFilter.program()));
    }

    /**
     * The tag of the route that each address takes; 0 where none leads.
     *
     * <p>A driver that dies of it, or while it works on it, is asked a second time: the question changes nothing, so it may
     * be asked twice. No supervisor could know that.
     *
     * @throws IOException if the kernel refuses a route, or the driver dies twice
     */
    public int[] evaluate(List<Route> routes, List<String> addresses)
            throws IOException, InterruptedException, TimeoutException {
        byte[] question = question(routes, addresses);
        byte[] answer;
        try {
            answer = supervisor.request(question, PATIENCE);
        } catch (IOException e) {
            answer = supervisor.request(question, PATIENCE);
        }
        return tags(ByteBuffer.wrap(answer), routes);
    }

    private static byte[] question(List<Route> routes, List<String> addresses) throws IOException {
        ByteBuffer question = ByteBuffer.allocate(4 + ROUTE_BYTES * routes.size() + 4 * addresses.size());
        question.putShort((short) routes.size()).putShort((short) addresses.size());
        for (Route route : routes) {
            String[] parts = route.prefix().split("/");
            question.put(address(parts[0]))
                    .put(Byte.parseByte(parts[1]))
                    .put(new byte[3])
                    .putInt(route.tag());
        }
        for (String address : addresses) {
            question.put(address(address));
        }
        return question.array();
    }

    private static byte[] address(String text) throws IOException {
        if (!text.matches("[0-9.]+")) {
            throw new IllegalArgumentException("'" + text + "' is no IPv4 address");
        }
        return InetAddress.getByName(text).getAddress();
    }

    private static int[] tags(ByteBuffer answer, List<Route> routes) throws IOException {
        int errno = answer.getInt();
        int which = answer.getInt();
        if (errno != 0) {
            throw new IOException((which < routes.size() ? routes.get(which) : "a look-up") + ": errno " + errno);
        }
        int[] tags = new int[answer.remaining() / Integer.BYTES];
        answer.asIntBuffer().get(tags);
        return tags;
    }

    /** For whoever wants to look at it, or to kill it. */
    public UsermodeDriver driver() {
        return driver;
    }

    @Override
    public void close() {
        supervisor.close();
    }

    /** Asks a question, kills the driver, asks again. */
    public static void main(String[] arguments) throws Exception {
        List<Route> routes =
                List.of(new Route("10.0.0.0/8", 7), new Route("10.1.0.0/16", 9), new Route("0.0.0.0/0", 100));
        List<String> addresses = List.of("10.1.2.3", "10.2.2.3", "192.0.2.1");
        try (FibControl fib = start(Path.of(arguments[0]))) {
            System.out.println(addresses + " -> " + java.util.Arrays.toString(fib.evaluate(routes, addresses)));
            fib.driver().kill();
            System.out.println(addresses + " -> " + java.util.Arrays.toString(fib.evaluate(routes, addresses)));
        }
    }
}
