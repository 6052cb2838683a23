// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Signal;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import picocli.CommandLine.Option;

/** The options for signals, session, process group and terminal. */
final class SessionOptions {
    @Option(
            names = "--pdeathsig",
            paramLabel = "SIGNAL",
            converter = DeathSignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "The signal that the helper receives when umh ends. Default: none.")
    private @Nullable Signal parentDeath;

    @Option(
            names = "--block",
            paramLabel = "SIGNAL,SIGNAL",
            split = ",",
            hideParamSyntax = true,
            converter = SignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "Starts the helper with these signals blocked. Default: none.")
    private List<Integer> blocked = new ArrayList<>();

    @Option(
            names = "--ignore",
            paramLabel = "SIGNAL,SIGNAL",
            split = ",",
            hideParamSyntax = true,
            converter = SignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "Starts the helper with these signals ignored. Default: none.")
    private List<Integer> ignored = new ArrayList<>();

    @Option(names = "--setsid", description = "Starts the helper in a new session. This is the default.")
    private boolean setsid;

    @Option(names = "--setpgid", description = "Starts the helper in umh's session, in a new process group.")
    private boolean setpgid;

    @Option(names = "--inherit-session", description = "Starts the helper in umh's session and process group.")
    private boolean inheritsSession;

    @Option(
            names = "--terminal",
            paramLabel = "N",
            converter = TerminalConverter.class,
            description = "Starts the helper in a new session with a controlling terminal: umh's descriptor N.")
    private @Nullable Integer terminal;

    SignalState signals() {
        SignalState signals = SignalState.defaults().block(numbers(blocked)).ignore(numbers(ignored));
        return parentDeath == null ? signals : signals.parentDeathSignal(parentDeath);
    }

    private static int[] numbers(List<Integer> signals) {
        int[] numbers = new int[signals.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = signals.get(i);
        }
        return numbers;
    }

    Session session() {
        boolean isNew = setsid || terminal != null;
        if (isNew && setpgid || isNew && inheritsSession || setpgid && inheritsSession) {
            throw new IllegalArgumentException(
                    "one of --setsid, --setpgid and --inherit-session; --terminal includes --setsid");
        }
        if (terminal != null) {
            return Session.terminal(terminal);
        }
        return setpgid ? Session.newGroup() : inheritsSession ? Session.inherited() : Session.newSession();
    }

    /** The number of a signal that can be blocked and ignored. */
    static final class SignalConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int number = Signal.number(text);
            SignalState.defaults().block(number);
            return number;
        }

        @Override
        List<String> candidates() {
            List<String> names = new ArrayList<>();
            for (Signal signal : Signal.values()) {
                names.add(signal.name());
            }
            return names;
        }
    }

    /** A signal other than the real-time signals. */
    static final class DeathSignalConverter extends ValueConverter<Signal> {
        @Override
        Signal parse(String text) {
            int number = Signal.number(text);
            for (Signal signal : Signal.values()) {
                if (signal.number() == number) {
                    return signal;
                }
            }
            throw new IllegalArgumentException("'" + text + "' is a real-time signal");
        }
    }

    /** A descriptor of umh. */
    static final class TerminalConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            return NumberParser.integer(text);
        }
    }
}
