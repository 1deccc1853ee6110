# The commands a person types. Each does all the set-up that it needs.
PREFIX ?= /usr/local
BUILD := build/dev
RELEASE := build/release
SOURCE ?= file

.PHONY: help demo test test-slow bench install package package-test lint fuzz soak clean
help:
	@echo "make demo            build, sync a demonstration database, show what happened"
	@echo "make demo SOURCE=server   the same from a real Turso server on this machine"
	@echo "make test            build and run the tests"
	@echo "make test-slow       the longer ones: the simulation, flipped bits, kills, power losses, a minute's storm on a real server and of Python, 2,000 passes"
	@echo "                     of one daemon, and whether the simulation notices bugs"
	@echo "make bench           build the release preset, run the benchmarks and other clients, write docs/benchmarks.md"
	@echo "make bench BENCH=full   the same with every workload"
	@echo "make install PREFIX=$(PREFIX)"
	@echo "make package         build/package/tidemark_VERSION_ARCH.deb, for Debian 12"
	@echo "make package-test    install it on a clean Debian 12 and use it as a new user would; as root"
	@echo "make lint            check layering, sizes, words, formatting, clang-tidy and alert rules"
	@echo "make fuzz SECONDS=60 run each fuzzer for that long"
	@echo "make soak MINUTES=90 damage every byte, kill at 1,000 moments, too little disk and memory, then the"
	@echo "                     differential, the storm, one daemon's life, the simulation and the fuzzers, for so long"

demo:
	@scripts/setup
	@cmake --preset dev >/dev/null && cmake --build --preset dev --target tidemark
	@scripts/demo $(BUILD) $(SOURCE)

test:
	@scripts/setup
	@cmake --preset dev >/dev/null && cmake --build --preset dev
	@ctest --test-dir $(BUILD) --output-on-failure -j3 -LE slow

test-slow:
	@scripts/setup
	@cmake --preset dev >/dev/null && cmake --build --preset dev
	@ctest --test-dir $(BUILD) --output-on-failure -j2 -L slow

BENCH := short
bench:
	@scripts/setup --bench
	@cmake --preset release -DTIDEMARK_TESTS=OFF -DTIDEMARK_BENCHMARKS=ON >/dev/null
	@benchmarks/peers/setup
	@cmake --build --preset release --target benchmarks
	@benchmarks/run $(RELEASE) $(if $(filter full,$(BENCH)),--full)

install:
	@scripts/setup
	@cmake --preset install -DCMAKE_INSTALL_PREFIX=$(abspath $(PREFIX)) >/dev/null
	@cmake --build --preset install && cmake --install build/install

package:
	@scripts/setup --package
	@scripts/package

package-test: package
	@scripts/package-test

lint:
	@tools/tidy --self-test && tools/tidy
	@scripts/setup --checks
	@tools/lint-cc
	@tools/lint-alerts
	@benchmarks/report.py --check
	@cd python && /usr/bin/python3 -m mypy --cache-dir $(abspath build)/mypy

SECONDS := 60
fuzz:
	@scripts/setup --checks
	@cmake --preset fuzz >/dev/null && cmake --build --preset fuzz
	@tools/fuzz $(SECONDS)

MINUTES := 90
soak:
	@scripts/setup --checks
	@cmake --preset dev >/dev/null && cmake --build --preset dev
	@cmake --preset fuzz >/dev/null && cmake --build --preset fuzz
	@BUILD=$(BUILD) tools/soak $(MINUTES)

clean:
	@rm -rf build
