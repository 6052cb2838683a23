# SPDX-License-Identifier: Apache-2.0
# Makefile - the front door: what Maven does, and what it can't. `make help` lists the targets.

# Inputs: JAVA_HOME selects the JDK (17 or newer); MAVEN_OPTS and MVNFLAGS go to Maven.
VERSION := $(shell sed -n 's:^  <version>\(.*\)</version>:\1:p' pom.xml)
CLI := target/umh4j-$(VERSION)-cli.jar
SOURCES := pom.xml $(shell find src -type f)

JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/java,java)
# From 24 on, loading native code without having been told so is a warning; 17 does not know the option.
NATIVE_ACCESS = $(shell $(JAVA) --enable-native-access=ALL-UNNAMED -version >/dev/null 2>&1 && echo --enable-native-access=ALL-UNNAMED)

.DEFAULT_GOAL := build
.PHONY: help tools tools-for-tests build run test attack check check-quick format form words test-arm64 conformance kernel-truth kernel-truth-tools examples bench bench-quick bench-driver bench-report natives dist install install-local tarball compare reproducible soak reliability clean

JAVAC := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/javac,javac)
# Evaluated when it is used: the first targets run without a JDK.
JDK = $(shell dirname $$(dirname $$(readlink -f $$(command -v $(JAVAC)))))

include src/main/native/Makefile

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z0-9\/.-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Maven's own libraries do what newer JDKs warn about; that is not ours to hear.
QUIET_MAVEN = $(shell $(JAVA) --sun-misc-unsafe-memory-access=allow -version >/dev/null 2>&1 && echo --sun-misc-unsafe-memory-access=allow) $(NATIVE_ACCESS)
MAVEN := mvn --batch-mode --no-transfer-progress $(MVNFLAGS)
MVN = MAVEN_OPTS="$(strip $(QUIET_MAVEN) $(MAVEN_OPTS))" $(MAVEN)

# The tests' tools are in sbin, which an ordinary user's PATH lacks.
export PATH := $(PATH):/usr/sbin:/sbin

# What is missing is installed for root by apt-get, or named: before anything is built or downloaded. SETUP=no never installs.
export SETUP
tools:
	@tools/setup build

tools-for-tests:
	@tools/setup test

$(CLI): $(SOURCES)
	@$(MAKE) --no-print-directory tools
	$(MVN) -q package -DskipTests
	@touch $(CLI)

# Beside the jar, where umh looks for it; installed it is made anew, since it knows its jar by path and time.
ARCHIVE := $(CLI:.jar=.jsa)

$(ARCHIVE): $(CLI)
	src/main/cli/archive $(CURDIR)/$(CLI)

build: $(CLI) $(ARCHIVE) ## builds the library and the command line

# The machines that the jar is for; this one's natives are part of every build, the other ones' are made by cross compilers.
ARM64 := target/classes/org/umh4j/internal/linux-arm64/libumh4j.so

$(ARM64): $(CLI)
	@command -v aarch64-linux-gnu-gcc >/dev/null && command -v aarch64-linux-gnu-g++ >/dev/null || \
		{ echo "missing: apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu" >&2; exit 1; }
	$(MVN) -q process-classes -Pcross-arm64
	@touch $@

natives: $(ARM64) ## builds launcher and library for the other machines too: arm64

# -Dgpg.keyname=KEY in MVNFLAGS signs each artifact.
dist: natives ## makes and checks what a repository wants: jars, sources, Javadoc, SBOM
	$(MVN) -q verify -DskipTests -Pdist
	.ci/dist
	test/consumer/run

compare: ## fails if the API is not compatible with that of the last tag v*
	.ci/compare

# PREFIX is where it will be, DESTDIR what stands before that while it is packed.
PREFIX ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)

install: $(CLI) ## installs the command line below PREFIX: script, jar, manual page, completion
	install -d $(INSTALLED)/bin $(INSTALLED)/lib/umh4j $(INSTALLED)/share/man/man1 \
		$(INSTALLED)/share/bash-completion/completions $(INSTALLED)/share/zsh/site-functions
	install -m 755 umh $(INSTALLED)/bin/umh
	install -m 644 $(CLI) $(INSTALLED)/lib/umh4j/umh4j-cli.jar
	install -m 755 src/main/cli/archive $(INSTALLED)/lib/umh4j/archive
	$(if $(DESTDIR),,$(INSTALLED)/lib/umh4j/archive)
	./umh man > $(INSTALLED)/share/man/man1/umh.1
	./umh generate-completion > $(INSTALLED)/share/bash-completion/completions/umh
	./umh zsh > $(INSTALLED)/share/zsh/site-functions/_umh

install-local: tools ## puts the library into the local Maven repository, for other projects on this machine
	$(MVN) -q install -DskipTests

TARBALL := target/umh4j-$(VERSION).tar.gz

tarball: natives ## packs what install installs; unpacked anywhere it runs
	rm -rf target/tarball
	$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/target/tarball PREFIX=/umh4j-$(VERSION)
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 -C target/tarball -cf - umh4j-$(VERSION) | gzip -n > $(TARBALL)

run: build ## starts real helpers on this machine and shows what they were born with
	./umh tour

# All classes, unless -Dtest=... among MVNFLAGS names some.
TEST_CLASS_COUNT = $(if $(findstring -Dtest=,$(MVNFLAGS)),,$(shell find test/java -name '*Test.java' | wc -l))

test: tools-for-tests ## builds and runs all tests
	@tools/test-progress "$(TEST_CLASS_COUNT)" env $(MVN) verify
	@tools/count-tests --skipped
	@mkdir -p $(RECORDS)
	@[ -n "$(findstring -Dtest=,$(MVNFLAGS))" ] || tools/count-tests >$(RECORDS)/tests.md

# Each attacker runs beside so many launches.
LAUNCHES ?= 2000

attack: tools-for-tests ## lets each attacker of SECURITY.md try to reach LAUNCHES launchers, as the user and root of containers
	$(MVN) -q verify -Dtest=LauncherAttackersTest,CopiedPlanSocketTest -Dtest.attack.launches=$(LAUNCHES)

# What make check demands beyond tools/form. Empty until every file has been rewritten once; then: form words
HELD :=

format: ## gives Java and C their form: Spotless, and clang-format if it is installed
	$(MVN) -q spotless:apply
	@! command -v clang-format >/dev/null || git ls-files -z '*.[ch]' | xargs -0 clang-format -i

form: ## fails if make format would change a file
	$(call need,clang-format,clang-format)
	@git ls-files -z '*.[ch]' | xargs -0 clang-format --dry-run -Werror
	$(MVN) -q spotless:check

words: ## finds words with a plainer replacement, British spelling, long lines; ARGS=--counts counts them by file
	@tools/words $(ARGS)

# For whoever changes a line: what compiles, how it looks, and tests of every part that take no time to speak of.
QUICK := SuiteTest,CapabilityTest,CapabilitySetTest,ErrnoTest,SignalTest,UmhStageTest,WaitStatusTest,DescriptorsTest,SysctlTextTest,ParserPropertiesTest,LauncherBinaryTest,TaskTest,OptionPropertiesTest

check-quick: tools-for-tests $(filter words,$(HELD)) ## compiles, looks at the form, runs a fast choice of tests: a minute
	@tools/form
	@tools/test-progress "" env $(MVN) test -Dtest=$(QUICK)
	@tools/count-tests --skipped

# TESTS names classes; all of them take hours, since everything that a JVM does is emulated.
test-arm64: ## runs the tests in an emulated JVM of arm64, by the last of the fallbacks, and says what can't hold there
	MVNFLAGS="$(MVNFLAGS)" tools/arm64/run $(TESTS)

reproducible: tools ## builds in two folders and compares what came of it bit by bit
	MVNFLAGS="$(MVNFLAGS)" tools/reproducible

# Error Prone runs in the compiler, which runs in Maven.
COMPILER_ACCESS := \
	$(foreach package,api file main model parser processing tree util,--add-exports=jdk.compiler/com.sun.tools.javac.$(package)=ALL-UNNAMED) \
	$(foreach package,code comp,--add-opens=jdk.compiler/com.sun.tools.javac.$(package)=ALL-UNNAMED)

check: $(HELD) check-native ## looks for defects without running anything: gcc -fanalyzer, clang-tidy, Error Prone with NullAway; japicmp against the last tag
	MAVEN_OPTS="$(strip $(QUIET_MAVEN) $(MAVEN_OPTS) $(COMPILER_ACCESS))" $(MAVEN) -q compile -Panalyze
	@.ci/compare

# The program's own options go to ARGS: --docs writes the table into docs/conformance.md, names of settings choose among them.
TEST_CLASSES := target/test-classes/.built
TEST_CLASSPATH = target/test-classes:target/classes:$$(cat target/test.classpath)

$(TEST_CLASSES): $(SOURCES) $(shell find test/java test/expected -type f)
	@$(MAKE) --no-print-directory tools
	$(MVN) -q test-compile dependency:build-classpath -Dmdep.outputFile=target/test.classpath
	@touch $@

conformance: $(TEST_CLASSES) ## compares helpers of this machine with those of real kernels, field by field
	$(JAVA) $(NATIVE_ACCESS) -cp $(TEST_CLASSPATH) org.umh4j.conformance.Conformance $(ARGS)

kernel-truth-tools:
	@test/kernel-truth/run --tools

# Boots of KERNELS (Debian's package names without linux-image-), all of them or MODES; ARGS=--docs writes the page.
kernel-truth: kernel-truth-tools $(TEST_CLASSES) ## boots real kernels in QEMU and compares helpers there; takes a while
	MODES="$(MODES)" test/kernel-truth/run $(KERNELS)
	$(JAVA) -cp $(TEST_CLASSPATH) org.umh4j.conformance.KernelTruth target/kernel-truth $(ARGS)

examples: tools ## runs the C of the examples alone, under ASan and UBSan and before clang's fuzzer for SECONDS
	$(MAKE) --no-print-directory -C examples/fib OUT=$(CURDIR)/target/examples/fib FUZZ_SECONDS=$(SECONDS) check fuzz

# DURATION as 30s, 10m, 8h; or HELPERS, how many there shall be.
DURATION ?= 10m
HELPERS ?=
SOAK := target/soak-classes

soak: $(TEST_CLASSES) ## everything at once for DURATION, or until there were HELPERS; then counts what is left
	mkdir -p $(SOAK)
	$(JAVAC) -Xlint:all,-processing -cp $(TEST_CLASSPATH) -d $(SOAK) $$(find test/soak -name '*.java')
	$(JAVA) $(NATIVE_ACCESS) -Xms128m -Xmx128m -XX:+AlwaysPreTouch -cp $(SOAK):$(TEST_CLASSPATH) \
		org.umh4j.soak.Soak $(if $(HELPERS),$(HELPERS),$(DURATION)) $(RECORDS)

# Each of soak, faults, sanitize, fuzz and test leaves its counts where this finds them.
reliability: ## writes what the last runs have counted into docs/reliability.md
	tools/record $(RECORDS) docs/reliability.md

docs/architecture.svg: docs/architecture.txt tools/draw ## draws the picture of README from its text
	tools/draw $< >$@

clean: ## removes what was built
	rm -rf target

# Benchmarks: C peers live in the same JVM, so that everything is measured under the same conditions.
BENCH_ROUNDS ?= 1000
# The JDK in use and, if there is a newer one beside it, that too.
BENCH_JAVA ?= $(addsuffix /bin/java,$(shell .ci/jdks))

$(BENCH)/.built: $(CLI) $(BENCH_PROGRAMS) $(shell find test/bench -type f)
	mkdir -p $(BENCH)/classes
	$(MVN) -q -Pbench dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/$(BENCH)/classpath
	$(JAVAC) -Xlint:all,-processing -cp target/classes:$$(cat $(BENCH)/classpath) -d $(BENCH)/classes \
		$$(find test/bench -name '*.java')
	@touch $@

bench: $(BENCH)/.built ## measures starts, waits and notices against C, ProcessBuilder and NuProcess, then bench-driver; some 20 minutes
	$(call bench,$(BENCH_ROUNDS),$(BENCH_JAVA))
	$(MAKE) --no-print-directory bench-driver

bench-quick: $(BENCH)/.built ## the same in under 2 minutes: one JDK, few rounds
	$(call bench,60,$(JDK)/bin/java)

bench-driver: $(BENCH)/.built ## measures talking to a driver against two C processes
	$(JAVA) $(NATIVE_ACCESS) -Xmx512m -Dbench.peers=$(CURDIR)/$(BENCH)/libpeers.so \
		-cp $(BENCH)/classes:$(CLI) org.umh4j.bench.DriverBench $(CURDIR)/$(BENCH)/echo

bench-report: $(BENCH)/.built ## makes the tables and plots of docs/benchmarks.md from the last results
	$(JAVA) -cp $(BENCH)/classes:target/classes:$$(cat $(BENCH)/classpath) \
		org.umh4j.bench.Report $(BENCH)/results.jsonl docs/benchmarks.md docs/plots

# Copied to where any user may execute them: one contender is another user.
define bench
	@folder=$$(mktemp -d) && chmod 755 $$folder && cp $(BENCH)/tiny $(BENCH)/pause $$folder && \
	trap 'rm -r '$$folder EXIT && $(JAVA) -Dbench.peers=$(CURDIR)/$(BENCH)/libpeers.so \
		-Dbench.tiny=$$folder/tiny -Dbench.pause=$$folder/pause -cp $(BENCH)/classes:target/classes:$$(cat $(BENCH)/classpath) \
		org.umh4j.bench.Bench $(BENCH)/results.jsonl $(1) $(2)
endef
