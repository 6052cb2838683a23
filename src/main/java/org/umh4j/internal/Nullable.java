// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * May be null; a type without this annotation is never null. It serves the analyser of {@code make check}, which
 * recognises its name, and the test that passes null to every parameter.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.FIELD, ElementType.METHOD, ElementType.PARAMETER})
public @interface Nullable {}
