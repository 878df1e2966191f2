# Builds, installs and tests fintrans: the extension by PGXS, the programs by
# the Makefile in bridge/.  `make help` lists the targets.

EXTENSION = fintrans
MODULE_big = fintrans
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard extension/*.c extension/*/*.c)))

# The scripts that install and update the extension are composed of these, in
# this order.  What was released stays as it is: extension/fintrans--0.1.0.sql.
sql_install = encoding
sql_tables = tables-0.2.0
sql_update = update_begin replaced-0.2.0
sql_update_end = update_end
sql_others = magnitudes triggers partitions indexes upkeep retention \
	dead_letters suspects typologies/typologies volume windows alerts exemptions reviews \
	verify rebuild rules aggregates/summary aggregates/bursts bridge_reports \
	privileges
DATA = extension/fintrans--0.1.0.sql
DATA_built = build/extension/fintrans--0.2.0.sql \
	build/extension/fintrans--0.1.0--0.2.0.sql

# these find what those before them have left; the others go in any order
first_tests = install partitions statements amounts rules verify suspects
REGRESS = $(first_tests) $(filter-out $(first_tests), \
	$(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql))))
# the extension wants no other one
REGRESS_OPTS = --encoding=UTF8
ISOLATION_OPTS = $(REGRESS_OPTS)
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))

# the server's own headers do not pass the two that are switched off; what is
# built does not tell where
WERROR = -Werror
PG_CPPFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(WERROR) \
	-ffile-prefix-map='$(CURDIR)'=. -I$(srcdir)/extension

# bitcode for inlining needs clang, and no SQL inlines these functions
override with_llvm = no

PG_CONFIG = pg_config

benches = bench-history bench-rules bench-aggregates bench-volume \
	bench-drilldown bench-codecs bench-influx bench-latency bench-backlog \
	bench-poison bench-peers bench-figures bench-scale bench-batches \
	bench-resources bench-profile

# what the bench compares with, each in bench/peers/
peers = $(patsubst bench/peers/%/,peer-%,$(wildcard bench/peers/*/))

# These targets install what is missing, so they must not need it themselves.
own_targets = help demo docs check check-unit check-fuzz check-sql \
	check-isolation check-tap fuzz check-versions check-images check-plant soak \
	check-grafana grafana preview marathon bench bench-check bench-picture \
	$(benches) $(peers) kafka-jars telegraf \
	list-regress list-isolation

all:

ifneq ($(filter-out $(own_targets),$(or $(MAKECMDGOALS),all)),)

remedy = `.ci/packages install build` installs what is needed to build
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error "$(PG_CONFIG)" is not to be had: $(remedy))
endif
# PGXS comes with Debian's client package, the headers do not
ifneq ($(filter all install,$(or $(MAKECMDGOALS),all)),)
ifeq ($(wildcard $(shell $(PG_CONFIG) --includedir-server)/postgres.h),)
$(error the headers of the server are not to be had: $(remedy))
endif
endif
include $(PGXS)

$(OBJS): $(wildcard extension/*.h extension/*/*.h)

build/extension/fintrans--0.2.0.sql: extension/preamble.sql \
		$(patsubst %,extension/%.sql,$(sql_install)) \
		build/extension/tables-0.1.0.sql \
		$(patsubst %,extension/%.sql,$(sql_tables) $(sql_others))
build/extension/fintrans--0.1.0--0.2.0.sql: \
		$(patsubst %,extension/%.sql,preamble $(sql_update) tables-0.2.0 \
			$(sql_others) $(sql_update_end))

# as they were released, without the empty line behind them
build/extension/tables-0.1.0.sql: extension/fintrans--0.1.0.sql
	@mkdir -p $(@D)
	sed -n '/^-- The tables of fintrans 0.1.0/,/^-- Magnitudes:/ { /^-- Magnitudes:/ ! p }' $< | \
		sed '$$ d' > $@

$(DATA_built):
	@mkdir -p $(@D)
	awk 'FNR == 1 && NR > 1 { print "" } { print }' $^ > $@

# What Marathon fetches: the programs, the extension for this version of
# PostgreSQL, and what the apps beside them read.  Of the same sources the same
# bytes, wherever and whenever it is made.
version := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" fintrans.control)
dist_name = fintrans-$(version)
dist = build/dist/$(dist_name)
tarball = build/$(dist_name)-$(shell dpkg --print-architecture).tar.gz
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)

dist: all
	rm -rf build/dist
	$(MAKE) EXTENSION_ONLY=1 install DESTDIR='$(CURDIR)/$(dist)/postgresql'
	$(MAKE) -C bridge install prefix= DESTDIR='$(CURDIR)/$(dist)'
	mkdir $(dist)/marathon $(dist)/grafana
	cp bridge/marathon/*.json bridge/marathon/marathon.jsonnet bridge/marathon/database.sh $(dist)/marathon
	cp -R grafana/provisioning grafana/dashboards grafana/prometheus $(dist)/grafana
	cp LICENSE CHANGELOG.md $(dist)
	tar -C build/dist --sort=name --format=gnu --mtime=@$(SOURCE_DATE_EPOCH) \
		--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		-c $(dist_name) | gzip -9n > $(tarball).new
	mv $(tarball).new $(tarball)
	@echo $(tarball)

# a database server needs the extension alone, and not librdkafka
ifndef EXTENSION_ONLY
all: all-bridge
install: install-bridge
uninstall: uninstall-bridge
endif
clean: clean-bridge

endif

all-bridge install-bridge uninstall-bridge clean-bridge:
	$(MAKE) -C bridge $(@:-bridge=)

install-bridge: all-bridge

# SECONDS is a variable of the shell's own, so it travels under another name;
# make hands on the others that were given to it
demo: export DEMO_SECONDS = $(SECONDS)
demo:
	@bridge/demo

# PGXS has a target of this name, which only says that there is none
ifneq ($(filter check,$(MAKECMDGOALS)),)
check:
	@.ci/check unit fuzz sql isolation tap
endif

check-unit check-fuzz check-sql check-isolation check-tap:
	@.ci/check $(@:check-%=%)

# as long as wished, and here: what has been found is where the next goes on
fuzz: FUZZ_SECONDS = 600
fuzz:
	@.ci/packages install check
	@$(MAKE) -s -k -C bridge fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)

# what is planted among a million transactions is found, and no ring besides
check-plant:
	@SCRATCH_VARIABLES=FINTRANS_TEST_PLANT_COUNT \
		FINTRANS_TEST_PLANT_COUNT=1000000 \
		PROVE_TESTS=t/045_planted_patterns.pl .ci/check tap

# the faults at length: some two hours, and 20 GB of disk
soak:
	@SCRATCH_VARIABLES='SOAK_KILLS SOAK_STORM_SECONDS SOAK_MINUTES SOAK_RATE' \
		PROVE_TESTS=t/soak/soak.pl .ci/check tap

check-fresh:
	@.ci/fresh

check-versions:
	@.ci/versions $(VERSIONS)

check-images:
	@.ci/images

bench:
	@bench/run

$(benches):
	@bench/run $(@:bench-%=%)

# ratios, and never times; it informs and fails nothing
bench-check: BENCHES = trigger pipeline
bench-check:
	@$(if $(BENCHES),bench/run $(BENCHES))
	@bench/check

bench-picture:
	@bench/picture

# the dashboards and alert rules, of which grafana/source/ is the source
grafana:
	cd grafana/source && jsonnet -m .. dashboards.jsonnet > /dev/null && \
		jsonnet -S -o ../provisioning/alerting/fintrans.yaml alerts.jsonnet

# the apps and groups of Marathon; the site's own: see bridge/marathon/marathon.jsonnet
marathon:
	cd bridge/marathon && jsonnet -m . marathon.jsonnet > /dev/null

# they are drawn by Grafana's own components: with npm and Chromium
check-grafana:
	@.ci/grafana check

preview:
	@.ci/grafana preview

# what docs/ takes from the programs and a database: t/003_documentation.pl
# compares it
docs:
	@.ci/docs

# Apache Kafka, once; for `make demo BROKER=kafka`, the tests and the bench.
# Even told to show no colour, Maven's terminal library ends by resetting it.
kafka-jars: build/kafka/complete

build/kafka/complete: bridge/kafka/pom.xml
	@echo 'fetching Apache Kafka (once)'
	@rm -rf build/kafka
	@MAVEN_OPTS="$$MAVEN_OPTS -Djansi.noreset=true" mvn -B -q -Dstyle.color=never \
		-f bridge/kafka/pom.xml dependency:copy-dependencies \
		-DoutputDirectory='$(CURDIR)/build/kafka'
	@touch $@

# What bench/peers/NAME needs to run, once: the jars of a pom.xml and the classes
# that use them, the packages of a requirements.txt, or another target here.
$(peers): peer-%: build/peers/%/complete

build/peers/%/complete: bench/peers/%/pom.xml
	@echo 'fetching what bench/peers/$* needs (once)'
	@rm -rf $(@D)
	@MAVEN_OPTS="$$MAVEN_OPTS -Djansi.noreset=true" mvn -B -q -Dstyle.color=never \
		-f $< dependency:copy-dependencies -DoutputDirectory='$(CURDIR)/$(@D)'
	@mkdir -p $(@D)/plugins $(@D)/classes
	@for archive in $$(ls $(@D)/*.tar.gz 2> /dev/null); do \
		tar -C $(@D)/plugins -x -f $$archive && rm $$archive || exit; done
	@for source in $$(ls bench/peers/$*/*.java 2> /dev/null); do \
		javac -nowarn -cp '$(@D)/*' -d $(@D)/classes $$source || exit; done
	@touch $@

build/peers/python/complete: bench/peers/python/requirements.txt
	@echo 'fetching what bench/peers/python needs (once)'
	@rm -rf $(@D)
	@/usr/bin/python3 -m venv $(@D)
	@$(@D)/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

build/peers/telegraf/complete: build/telegraf/telegraf
	@mkdir -p $(@D)
	@cp $< $(@D)
	@touch $@

# .ci/packages has installed what these need
build/peers/kcat/complete build/peers/fintrans/complete:
	@mkdir -p $(@D)
	@touch $@

# Telegraf, once, for bench-influx and bench-peers: it is in no Debian, and takes
# a recent Go
telegraf: build/telegraf/telegraf

build/telegraf/telegraf:
	@command -v go > /dev/null || { echo 'no go to build Telegraf with'; exit 1; }
	@echo 'building Telegraf (once, some minutes)'
	@mkdir -p build/telegraf
	@GOBIN='$(CURDIR)/build/telegraf' go install -tags \
		custom,inputs.kafka_consumer,outputs.influxdb,outputs.postgresql,parsers.csv,serializers.influx \
		github.com/influxdata/telegraf/cmd/telegraf@v1.37.2

# for .ci/check, so that the order stands once
list-regress:
	@echo $(REGRESS)

list-isolation:
	@echo $(ISOLATION)

help:
	@echo 'make demo          the whole pipeline for half a minute: SECONDS=30 RATE=20000'
	@echo '                   FORMAT=text|json|csv BROKER=embedded|kafka|host:port'
	@echo '                   FOREVER=1 KEEP=1 PORT=5432'
	@echo 'make check         all tests; or check-unit, check-fuzz, check-sql,'
	@echo '                   check-isolation, check-tap'
	@echo 'make fuzz          mutated input for each parser: FUZZ_SECONDS=600 -j2'
	@echo 'make check-plant   the typologies among a million random transactions'
	@echo 'make soak          200 kills, ten minutes of rebalances and an hour of load:'
	@echo '                   SOAK_KILLS=20 SOAK_STORM_SECONDS=60 SOAK_MINUTES=2 SOAK_RATE=30000'
	@echo 'make check-fresh   demo and check on a fresh Debian 12, as root and with sudo (root only)'
	@echo 'make check-versions'
	@echo '                   SQL and isolation tests on PostgreSQL 15 to 18, pg_upgrade, and the'
	@echo '                   programs with the libraries of Debian sid: VERSIONS="16 17" (root only)'
	@echo 'make check-images  what the recipe of the images says, in scratch directories (root only)'
	@echo 'make               build the extension and the programs'
	@echo 'make install       install both: PG_CONFIG=... prefix=/usr/local DESTDIR=...'
	@echo '                   EXTENSION_ONLY=1 leaves out the programs;'
	@echo '                   systemd_unitdir=/etc/systemd/system installs the unit too'
	@echo 'make dist          a tarball of programs and extension, which Marathon fetches'
	@echo 'make marathon      write the apps of Marathon from bridge/marathon/marathon.jsonnet'
	@echo 'make uninstall     remove what install put there'
	@echo 'make installcheck  SQL and isolation tests on a running server'
	@echo 'make bench         measure throughput; bench-history with ten million pairs,'
	@echo '                   bench-rules windowed rules, bench-aggregates against plain SQL,'
	@echo '                   bench-volume a year of dashboards, bench-drilldown 50 million rows,'
	@echo '                   bench-codecs what reading each format costs,'
	@echo '                   bench-influx the sink for InfluxDB, against Telegraf,'
	@echo '                   bench-latency from a message to the line of its alert,'
	@echo '                   bench-backlog five million messages in 192 MB,'
	@echo '                   bench-poison what a message costs that cannot be stored,'
	@echo '                   bench-peers the bridge against what others use for the job,'
	@echo '                   bench-figures WAL, writers, bridges, memory and the start,'
	@echo '                   bench-batches the bridge and a script by the size of batches,'
	@echo '                   bench-scale 50 million transactions against the model of docs/scale.md,'
	@echo '                   bench-resources CPU and memory of each program,'
	@echo '                   bench-profile where the time goes'
	@echo 'make bench-picture draw what bench-batches and bench-scale have measured here'
	@echo 'make bench-check   measure again, and say which ratios fell by a fifth: BENCHES="trigger pipeline"'
	@echo 'make docs          write the option lists, signatures and answers in docs/'
	@echo 'make grafana       write the dashboards and alert rules from grafana/source/'
	@echo 'make check-grafana their queries over ten million transactions, and what a person sees: ROWS=10000000'
	@echo 'make preview       look at them without a Grafana, until Ctrl-C: PORT=8099'
	@echo 'make clean         remove what was built, but not build/kafka, which was fetched'

.PHONY: all docs demo dist marathon check-grafana grafana preview bench bench-check \
	bench-picture $(benches) $(peers) help kafka-jars telegraf check check-fresh \
	check-versions check-images check-plant soak check-unit \
	check-fuzz check-sql check-isolation check-tap fuzz list-regress \
	list-isolation all-bridge install-bridge uninstall-bridge clean-bridge
