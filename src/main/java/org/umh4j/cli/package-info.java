// SPDX-License-Identifier: Apache-2.0

/**
 * The command line {@code umh}. It uses the public packages of the library only, as any other program does.
 *
 * <p>{@code Main} has the list of commands. Each command is a class. The options of a helper are in one class for each
 * heading of {@code umh exec --help}, such as {@code LimitOptions}. A {@code ValueConverter} next to an option parses
 * its value. The checks of {@code umh doctor} are in {@code DoctorChecks} and {@code DoctorTrials}.
 *
 * <p>No package imports this one.
 */
@NullMarked
package org.umh4j.cli;

import org.jspecify.annotations.NullMarked;
