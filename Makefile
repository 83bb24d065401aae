# Each target is a cargo line or two; the programs behind them say more with --help.
# One selection of crates everywhere, or cargo would compile the same crates twice.
BUILT = $${CARGO_TARGET_DIR:-target}

.DEFAULT_GOAL := help
.PHONY: help demo test crash prove mutants lint footprint

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## a cluster's whole life on your screen; ARGS=--exit ends by itself, ARGS=--help says more
	cargo build --workspace --all-targets
	@$(BUILT)/debug/playground demo $(ARGS)

test: ## every test, on a real Kubernetes API and an emulated ACK; ARGS='-- NAME' for some
	cargo test --workspace --all-targets $(ARGS)

crash: ## the process cut at each of its calls; PAIRS=1000 for two cuts a run, RUN=... for one again, ARGS=--help says more
	cargo test --workspace --test it -- __crash $(RUN) $(if $(PAIRS),--pairs $(PAIRS)) $(ARGS)

prove: ## the model's large spaces, tens of millions of states; ARGS='PART OF A NAME' for some of all
	cargo test --test it -- prove $(ARGS)

mutants: ## the protocol broken on purpose in many ways, and what catches each; ARGS='PART OF A NAME' for some
	cargo run --quiet --package xtask -- mutants $(ARGS)

lint: ## format, lints and docs, each without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items

footprint: ## size of the release binary, number of crates, memory idle and with 100 clusters
	cargo build --workspace --all-targets
	cargo build --release --bin ack-operator
	@$(BUILT)/debug/playground footprint --operator $(BUILT)/release/ack-operator
