# SPDX-License-Identifier: Apache-2.0
# Makefile - every task of the project: Maven's tasks, and those that Maven can't do. `make help` lists the targets.

# Inputs: JAVA_HOME selects the JDK (17 or newer); MAVEN_OPTS and MVNFLAGS go to Maven.
VERSION := $(shell sed -n 's:^  <version>\(.*\)</version>:\1:p' pom.xml)
CLI := target/umh4j-$(VERSION)-cli.jar
SOURCES := pom.xml $(shell find src -type f)

JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/java,java)
# Since JDK 24, loading native code without this option prints a warning. JDK 17 does not have the option.
NATIVE_ACCESS = $(shell $(JAVA) --enable-native-access=ALL-UNNAMED -version >/dev/null 2>&1 && \
	echo --enable-native-access=ALL-UNNAMED)

.DEFAULT_GOAL := build
.PHONY: help tools tools-for-tests build run test attack check check-quick format form words test-arm64 \
	conformance conformance-guests conformance-guests-tools examples bench bench-quick bench-driver bench-report \
	natives dist install install-local tarball compare reproducible soak reliability clean

JAVAC := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/javac,javac)
# Evaluated at use: the first targets run without a JDK.
JDK = $(shell dirname $$(dirname $$(readlink -f $$(command -v $(JAVAC)))))

include src/main/native/Makefile

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9\/.-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Newer JDKs print warnings about Maven's libraries. These options suppress them.
UNSAFE_ACCESS = $(shell $(JAVA) --sun-misc-unsafe-memory-access=allow -version >/dev/null 2>&1 && \
	echo --sun-misc-unsafe-memory-access=allow)
QUIET_MAVEN = $(UNSAFE_ACCESS) $(NATIVE_ACCESS)
MAVEN := mvn --batch-mode --no-transfer-progress $(MVNFLAGS)
MVN = MAVEN_OPTS="$(strip $(QUIET_MAVEN) $(MAVEN_OPTS))" $(MAVEN)

# The tests' tools are in sbin, which is not in an ordinary user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

# Before any build or download, tools/setup checks the required packages. As root it installs missing ones by apt-get,
# otherwise it prints them. SETUP=no never installs.
export SETUP
tools:
	@tools/setup build

tools-for-tests:
	@tools/setup test

$(CLI): $(SOURCES)
	@$(MAKE) --no-print-directory tools
	$(MVN) -q package -DskipTests
	@touch $(CLI)

# umh looks for the archive next to the jar. make install creates it again, since an archive is valid for one path and
# one time of its jar.
ARCHIVE := $(CLI:.jar=.jsa)

$(ARCHIVE): $(CLI)
	src/main/cli/archive $(CURDIR)/$(CLI)

build: $(CLI) $(ARCHIVE) ## build the library and the command line

# Every build has the native files of the host's architecture. A cross compiler builds those of the other one.
ARM64 := target/classes/org/umh4j/internal/linux-arm64/libumh4j.so

$(ARM64): $(CLI)
	@command -v aarch64-linux-gnu-gcc >/dev/null && command -v aarch64-linux-gnu-g++ >/dev/null || \
		{ echo "missing: apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu" >&2; exit 1; }
	$(MVN) -q process-classes -Pcross-arm64
	@touch $@

natives: $(ARM64) ## build launcher and library for arm64 too

# -Dgpg.keyname=KEY in MVNFLAGS signs each artifact.
dist: natives ## build and check the artifacts for a repository: jars, sources, Javadoc, SBOM
	$(MVN) -q verify -DskipTests -Pdist
	.ci/dist
	test/consumer/run

compare: ## fail if the API is not compatible with that of the last tag v*
	.ci/compare

# PREFIX is the directory of the installation. DESTDIR is put before it while a package is built.
PREFIX ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)

install: $(CLI) ## install the command line below PREFIX: script, jar, manual page, completion
	install -d $(INSTALLED)/bin $(INSTALLED)/lib/umh4j $(INSTALLED)/share/man/man1 \
		$(INSTALLED)/share/bash-completion/completions $(INSTALLED)/share/zsh/site-functions
	install -m 755 umh $(INSTALLED)/bin/umh
	install -m 644 $(CLI) $(INSTALLED)/lib/umh4j/umh4j-cli.jar
	install -m 755 src/main/cli/archive $(INSTALLED)/lib/umh4j/archive
	$(if $(DESTDIR),,$(INSTALLED)/lib/umh4j/archive)
	./umh man > $(INSTALLED)/share/man/man1/umh.1
	./umh generate-completion > $(INSTALLED)/share/bash-completion/completions/umh
	./umh zsh > $(INSTALLED)/share/zsh/site-functions/_umh

install-local: tools ## install the library in the local Maven repository, for other projects on this host
	$(MVN) -q install -DskipTests

TARBALL := target/umh4j-$(VERSION).tar.gz

tarball: natives ## pack the files of make install; the command line runs from any directory
	rm -rf target/tarball
	$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/target/tarball PREFIX=/umh4j-$(VERSION)
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 \
		-C target/tarball -cf - umh4j-$(VERSION) | gzip -n > $(TARBALL)

run: build ## start helpers on this host and show their attributes
	./umh tour

# All classes, unless -Dtest=... among MVNFLAGS names some.
TEST_CLASS_COUNT = $(if $(findstring -Dtest=,$(MVNFLAGS)),,$(shell find test/java -name '*Test.java' | wc -l))

test: tools-for-tests ## build and run all tests
	@tools/test-progress "$(TEST_CLASS_COUNT)" env $(MVN) verify
	@tools/count-tests --skipped
	@mkdir -p $(RECORDS)
	@[ -n "$(findstring -Dtest=,$(MVNFLAGS))" ] || tools/count-tests >$(RECORDS)/tests.md

# The number of launches while each attacker runs.
LAUNCHES ?= 2000

attack: tools-for-tests ## let each attacker of SECURITY.md try to access LAUNCHES launchers
	$(MVN) -q verify -Dtest=LauncherAttackersTest,CopiedPlanSocketTest -Dtest.attack.launches=$(LAUNCHES)

# Targets that make check runs in addition to tools/form. Empty until every file has been rewritten; then: form words
HELD := form words

format: ## format Java by Spotless, and C by clang-format if it is installed
	$(MVN) -q spotless:apply
	@! command -v clang-format >/dev/null || git ls-files -z '*.[ch]' | xargs -0 clang-format -i

form: ## fail if make format would change a file
	$(call need,clang-format,clang-format)
	@git ls-files -z '*.[ch]' | xargs -0 clang-format --dry-run -Werror
	$(MVN) -q spotless:check

words: ## find words with a plainer replacement, British spelling, long lines; ARGS=--counts counts them by file
	@tools/words $(ARGS)

# After a small change: compiles, checks the form and runs fast tests of every part.
QUICK := SuiteTest,CapabilityTest,CapabilitySetTest,ErrnoTest,SignalTest,UmhStageTest,WaitStatusTest,DescriptorsTest
QUICK := $(QUICK),SysctlTextTest,ParserPropertiesTest,LauncherBinaryTest,TaskTest,OptionPropertiesTest

check-quick: tools-for-tests $(filter words,$(HELD)) ## compile, check the form and run fast tests; a minute
	@tools/form
	@tools/test-progress "" env $(MVN) test -Dtest=$(QUICK)
	@tools/count-tests --skipped

# TESTS names classes. All of them take hours, since the JVM is emulated.
test-arm64: ## run the tests in an emulated JVM for arm64, and list those that can't pass there
	MVNFLAGS="$(MVNFLAGS)" tools/arm64/run $(TESTS)

reproducible: tools ## build in two directories and compare the results bit by bit
	MVNFLAGS="$(MVNFLAGS)" tools/reproducible

# Error Prone runs in the compiler, which runs in Maven.
COMPILER_EXPORTS := api file main model parser processing tree util
COMPILER_ACCESS := \
	$(foreach package,$(COMPILER_EXPORTS),--add-exports=jdk.compiler/com.sun.tools.javac.$(package)=ALL-UNNAMED) \
	$(foreach package,code comp,--add-opens=jdk.compiler/com.sun.tools.javac.$(package)=ALL-UNNAMED)

check: $(HELD) check-native ## static analysis of C and Java, and compatibility with the last tag
	MAVEN_OPTS="$(strip $(QUIET_MAVEN) $(MAVEN_OPTS) $(COMPILER_ACCESS))" $(MAVEN) -q compile -Panalyze
	@.ci/compare

# ARGS has the program's options: --docs writes the table into docs/conformance.md; names of settings select them.
TEST_CLASSES := target/test-classes/.built
TEST_CLASSPATH = target/test-classes:target/classes:$$(cat target/test.classpath)

$(TEST_CLASSES): $(SOURCES) $(shell find test/java test/expected -type f)
	@$(MAKE) --no-print-directory tools
	$(MVN) -q test-compile dependency:build-classpath -Dmdep.outputFile=target/test.classpath
	@touch $@

conformance: $(TEST_CLASSES) ## compare helpers on this host with recordings of real kernels, field by field
	$(JAVA) $(NATIVE_ACCESS) -cp $(TEST_CLASSPATH) org.umh4j.conformance.Conformance $(ARGS)

conformance-guests-tools:
	@test/conformance/run --tools

# KERNELS are names of Debian's packages without linux-image-; MODES selects boots; ARGS=--docs writes the page.
conformance-guests: conformance-guests-tools $(TEST_CLASSES) ## boot real kernels in QEMU and compare there; 40 minutes
	MODES="$(MODES)" test/conformance/run $(KERNELS)
	$(JAVA) -cp $(TEST_CLASSPATH) org.umh4j.conformance.GuestResults target/conformance-guests $(ARGS)

examples: tools ## run the C of the examples under ASan and UBSan, and fuzz it for SECONDS
	$(MAKE) --no-print-directory -C examples/fib \
		OUT=$(CURDIR)/target/examples/fib FUZZ_SECONDS=$(SECONDS) check fuzz

# DURATION is 30s, 10m, 8h; or HELPERS is the number of helpers.
DURATION ?= 10m
HELPERS ?=
SOAK := target/soak-classes

soak: $(TEST_CLASSES) ## run all kinds of helpers at once for DURATION, or HELPERS of them; then count leaks
	mkdir -p $(SOAK)
	$(JAVAC) -Xlint:all,-processing -cp $(TEST_CLASSPATH) -d $(SOAK) $$(find test/soak -name '*.java')
	$(JAVA) $(NATIVE_ACCESS) -Xms128m -Xmx128m -XX:+AlwaysPreTouch -cp $(SOAK):$(TEST_CLASSPATH) \
		org.umh4j.soak.Soak $(if $(HELPERS),$(HELPERS),$(DURATION)) $(RECORDS)

# soak, faults, sanitize, fuzz and test write their counts to RECORDS.
reliability: ## write the counts of the last runs into docs/reliability.md
	tools/record $(RECORDS) docs/reliability.md

docs/architecture.svg: docs/architecture.txt tools/draw ## draw the picture of README from its text
	tools/draw $< >$@

clean: ## remove all built files
	rm -rf target

# Benchmarks: C peers run in the same JVM, so that all contenders are measured under the same conditions.
BENCH_ROUNDS ?= 1000
# The oldest JDK of the host that is 17 or newer, and the newest one.
BENCH_JAVA ?= $(addsuffix /bin/java,$(shell .ci/jdks))

$(BENCH)/.built: $(CLI) $(BENCH_PROGRAMS) $(shell find test/bench -type f)
	mkdir -p $(BENCH)/classes
	$(MVN) -q -Pbench dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/$(BENCH)/classpath
	$(JAVAC) -Xlint:all,-processing -cp target/classes:$$(cat $(BENCH)/classpath) -d $(BENCH)/classes \
		$$(find test/bench -name '*.java')
	@touch $@

bench: $(BENCH)/.built ## compare starts and waits with C, ProcessBuilder and NuProcess, then bench-driver; 20 minutes
	$(call bench,$(BENCH_ROUNDS),$(BENCH_JAVA))
	$(MAKE) --no-print-directory bench-driver

bench-quick: $(BENCH)/.built ## the same in 2 minutes: one JDK, few rounds
	$(call bench,60,$(JDK)/bin/java)

bench-driver: $(BENCH)/.built ## compare the communication with a driver with that of two C processes
	$(JAVA) $(NATIVE_ACCESS) -Xmx512m -Dbench.peers=$(CURDIR)/$(BENCH)/libpeers.so \
		-cp $(BENCH)/classes:$(CLI) org.umh4j.bench.DriverBench $(CURDIR)/$(BENCH)/echo

bench-report: $(BENCH)/.built ## write the tables and plots of docs/benchmarks.md from the last results
	$(JAVA) -cp $(BENCH)/classes:target/classes:$$(cat $(BENCH)/classpath) \
		org.umh4j.bench.Report $(BENCH)/results.jsonl docs/benchmarks.md docs/plots

# The programs are copied to a directory where any user may execute them: one contender is another user.
define bench
	@programs=$$(mktemp -d) && chmod 755 $$programs && cp $(BENCH)/tiny $(BENCH)/pause $$programs && \
	trap 'rm -r '$$programs EXIT && $(JAVA) -Dbench.peers=$(CURDIR)/$(BENCH)/libpeers.so \
		-Dbench.tiny=$$programs/tiny -Dbench.pause=$$programs/pause \
		-cp $(BENCH)/classes:target/classes:$$(cat $(BENCH)/classpath) \
		org.umh4j.bench.Bench $(BENCH)/results.jsonl $(1) $(2)
endef
