// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * May be null; what does not bear this never is. For the analyser of {@code make check}, which knows it by its name, and for
 * the test that hands null to everything.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.FIELD, ElementType.METHOD, ElementType.PARAMETER})
public @interface Nullable {}
