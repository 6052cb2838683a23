// SPDX-License-Identifier: Apache-2.0
package org.umh4j.examples.fib;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
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
 * Finds out from the kernel's routing table which of some routes an address takes. The host's network does not change.
 *
 * <p>The control plane is Java and has no code that needs privilege. A driver in C speaks netlink. It has a new network
 * namespace, a separate uid, CAP_NET_ADMIN and no way to gain another capability, and a filter that allows only the
 * system calls that it makes.
 */
public final class FibControl implements AutoCloseable {
    /** {@code FIB_MESSAGE_MAX} of fib.h. */
    private static final int MESSAGE_BYTES = 65_536;

    private static final int ROUTE_BYTES = 12;
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** A uid that no account has: another process of the same uid could stop and trace the driver. */
    private static final int UID = 61_995;

    /**
     * A route.
     *
     * @param prefix such as {@code 10.0.0.0/8}
     * @param tag the result for an address that takes this route; not 0
     */
    public record Route(String prefix, int tag) {}

    private final UsermodeDriver driver;
    private final Supervisor supervisor;

    private FibControl(UsermodeDriver driver, Supervisor supervisor) {
        this.driver = driver;
        this.supervisor = supervisor;
    }

    /** Loads the driver and starts it. Needs a JVM of root. */
    public static FibControl start(Path program) throws IOException {
        UsermodeDriver driver = UsermodeDriver.load("fib", program).task(confined());
        Supervisor supervisor = Supervisor.of(driver, MESSAGE_BYTES)
                .healthCheck(request(List.of(), List.of()), Duration.ofSeconds(1), TIMEOUT)
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
     * Returns the tag of the route that each address takes, or 0 if no route leads there.
     *
     * <p>If the driver dies during the request, the request is sent once more. That is safe, because a request has no
     * lasting effect. The supervisor can't know this and does not repeat requests.
     *
     * @throws IOException if the kernel refuses a route, or the driver dies twice
     */
    public int[] evaluate(List<Route> routes, List<String> addresses)
            throws IOException, InterruptedException, TimeoutException {
        byte[] request = request(routes, addresses);
        byte[] reply;
        try {
            reply = supervisor.request(request, TIMEOUT);
        } catch (IOException e) {
            reply = supervisor.request(request, TIMEOUT);
        }
        return tags(ByteBuffer.wrap(reply), routes);
    }

    private static byte[] request(List<Route> routes, List<String> addresses) throws IOException {
        ByteBuffer request = ByteBuffer.allocate(4 + ROUTE_BYTES * routes.size() + 4 * addresses.size());
        request.putShort((short) routes.size()).putShort((short) addresses.size());
        for (Route route : routes) {
            String[] parts = route.prefix().split("/");
            request.put(address(parts[0]))
                    .put(Byte.parseByte(parts[1]))
                    .put(new byte[3])
                    .putInt(route.tag());
        }
        for (String address : addresses) {
            request.put(address(address));
        }
        return request.array();
    }

    private static byte[] address(String text) throws IOException {
        if (!text.matches("[0-9.]+")) {
            throw new IllegalArgumentException("'" + text + "' is no IPv4 address");
        }
        return InetAddress.getByName(text).getAddress();
    }

    private static int[] tags(ByteBuffer reply, List<Route> routes) throws IOException {
        int errno = reply.getInt();
        int route = reply.getInt();
        if (errno != 0) {
            throw new IOException((route < routes.size() ? routes.get(route) : "a look-up") + ": errno " + errno);
        }
        int[] tags = new int[reply.remaining() / Integer.BYTES];
        reply.asIntBuffer().get(tags);
        return tags;
    }

    /** The driver, for tests that inspect or kill it. */
    public UsermodeDriver driver() {
        return driver;
    }

    @Override
    public void close() {
        supervisor.close();
    }

    /** Evaluates some routes, kills the driver, and evaluates them again. */
    public static void main(String[] arguments) throws Exception {
        List<Route> routes =
                List.of(new Route("10.0.0.0/8", 7), new Route("10.1.0.0/16", 9), new Route("0.0.0.0/0", 100));
        List<String> addresses = List.of("10.1.2.3", "10.2.2.3", "192.0.2.1");
        try (FibControl fib = start(Path.of(arguments[0]))) {
            System.out.println(addresses + " -> " + Arrays.toString(fib.evaluate(routes, addresses)));
            fib.driver().kill();
            System.out.println(addresses + " -> " + Arrays.toString(fib.evaluate(routes, addresses)));
        }
    }
}
