# Each target is a cargo line or two; the programs behind them say more with --help.
# One selection of crates everywhere, or cargo would compile the same crates twice.
TARGET = answer
BUILT = $${CARGO_TARGET_DIR:-target}

.DEFAULT_GOAL := help
.PHONY: help demo test crash prove mutants fuzz bench static image e2e-helm e2e-argocd lint footprint

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## a cluster's whole life on your screen; ARGS=--exit ends by itself, ARGS=--help says more
	cargo build --workspace --all-targets
	@$(BUILT)/debug/playground demo $(ARGS)

test: ## every test, on a real Kubernetes API and an emulated ACK; ARGS='-- NAME' for some
	cargo test --workspace --all-targets $(ARGS)

crash: ## the process cut at each of its calls; PAIRS=1000 for two cuts a run, RUN=... for one again, ARGS=--help says more
	cargo test --workspace --test it -- __crash $(RUN) $(if $(PAIRS),--pairs $(PAIRS)) $(ARGS)

prove: ## the model's large spaces, tens of millions of states; ARGS='PART OF A NAME' for some of all
	cargo test --package ack-judgement --test proof -- prove $(ARGS)

mutants: ## the protocol broken on purpose in many ways, and what catches each; ARGS='PART OF A NAME' for some
	cargo run --quiet --package xtask -- mutants $(ARGS)

fuzz: ## any bytes at what reads them, for a minute; TARGET=answer, object, secret, redaction, body, kubeconfig; needs cargo-fuzz
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'cargo-fuzz is not here: cargo install cargo-fuzz, and a nightly toolchain'; exit 1; }
	mkdir -p fuzz/corpus/$(TARGET)
	cargo fuzz run $(TARGET) fuzz/corpus/$(TARGET) $(wildcard tests/data/fuzz/$(TARGET) tests/data/samples tests/data/samples/errors) -- -max_total_time=60

lint: ## format, lints and docs, each without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items

footprint: ## size of the release binary, number of crates, memory idle and with 100 clusters
	cargo build --workspace --all-targets
	cargo build --release --bin ack-operator
	@$(BUILT)/debug/playground footprint --operator $(BUILT)/release/ack-operator

bench: ## what the operator costs: calls, writes, memory, time; ARGS='--objects N --accounts A', ARGS=--help says more
	cargo build --workspace --all-targets
	cargo build --profile measure --bin ack-operator
	@$(BUILT)/debug/playground bench --operator $(BUILT)/measure/ack-operator $(ARGS)

# A program that needs nothing of the system it runs on. Given --target, the flags are not for build scripts and macros.
HOST = $(shell rustc --version --verbose | sed -n 's/^host: //p')

static: ## the operator as a static release build, for an image
	RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --bin ack-operator --target $(HOST)

image: static ## an OCI archive of the operator, as the Dockerfile says, without a container daemon
	cargo build --workspace --all-targets
	@$(BUILT)/debug/playground image --operator $(BUILT)/$(HOST)/release/ack-operator --output $(BUILT)/ack-operator.tar

e2e-helm: image ## that archive, installed by Helm on a real one-node Kubernetes made for it; Linux, root
	@$(BUILT)/debug/playground e2e-helm --archive $(BUILT)/ack-operator.tar

e2e-argocd: ## a real Argo CD manages a cluster from Git to its end; needs git, builds Argo CD once (about 10 minutes)
	cargo build --workspace --all-targets
	@$(BUILT)/debug/playground e2e-argocd $(ARGS)
