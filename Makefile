# Two commands do everything on a machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
FULL := $(VENV)/.full
export MPLBACKEND := Agg

.PHONY: demo test test-slow test-gpu lint bench bench-gpu calibrate findings clean

$(BASE): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[cli]"
	touch $(BASE)

# The CPU build of torch first: whatever depends on torch would bring the one with CUDA.
$(FULL): $(BASE)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable ".[torch,jax,cli,test]"
	touch $(FULL)

demo: $(BASE)
	$(BIN)/bayesnoise compare sklearn:diabetes --methods flipout,local_reparameterization,dropout,deterministic --splits 0-4
	$(BIN)/bayesnoise fit sklearn:diabetes --method flipout --epochs 200 --learning-rate 0.01 --out runs/demo
	@echo "The report: runs/demo/report.html"

lint: $(FULL)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright

test: lint
	$(BIN)/pytest -n 2 -m "not slow and not gpu"

test-slow: $(FULL)
	$(BIN)/pytest -n 2 -m "slow and not gpu"

# On a machine with a GPU: the interpreter that has CuPy or torch with CUDA, not the one made here.
GPU_PYTHON ?= python3
test-gpu:
	PYTHONPATH=src:reference:backends:tests $(GPU_PYTHON) -m pytest -m gpu -rs -p no:cacheprovider

bench: $(FULL)
	$(BIN)/python tests/benchmarks/run.py

bench-gpu:
	PYTHONPATH=src:reference:backends:tests $(GPU_PYTHON) tests/benchmarks/run.py --backends cupy

# Hours: 2,000 seeded runs of right layers, which must refute nothing, and the calibration of the p-values.
calibrate: $(FULL)
	$(BIN)/python tests/benchmarks/calibrate.py --out docs/calibration.md

# The public implementations in environments of their own, which need no more of them than their layers.
PEERS := .venv-findings
PEERS_TF := .venv-findings-tf
findings:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet torch==2.13.0 scikit-learn
	$(PEERS)/bin/python -m pip install --quiet .
	$(PEERS)/bin/python -m pip install --quiet --no-deps bayesian-torch==0.5.0 torchbnn==1.2 blitz-bayesian-pytorch==0.2.8
	$(PYTHON) -m venv $(PEERS_TF)
	$(PEERS_TF)/bin/python -m pip install --quiet tensorflow-cpu tf-keras tensorflow-probability==0.25.0
	$(PEERS_TF)/bin/python -m pip install --quiet .
	$(PEERS)/bin/python tests/benchmarks/findings.py torch > $(PEERS)/findings.md
	$(PEERS_TF)/bin/python tests/benchmarks/findings.py tensorflow > $(PEERS_TF)/findings.md
	cat $(PEERS)/findings.md $(PEERS_TF)/findings.md > docs/findings.md

clean:
	rm -rf $(VENV) $(PEERS) $(PEERS_TF) runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
