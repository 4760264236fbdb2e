# Two commands: `make run` and `make test`. Everything lives in .venv and data/ in this folder.
PYTHON ?= python3
PORT   ?= 8080
HOST   ?= 127.0.0.1
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test check build clean

run: $(VENV)/.run
	@exec $(BIN)/suifawen serve --host $(HOST) --port $(PORT)

test: $(VENV)/.test browser-packages
	@$(BIN)/python -m scripts check

# Tests in a browser are left out (and counted) without these; everything else runs.
.PHONY: browser-packages
browser-packages:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  echo "没有 chromium，浏览器里的测试会略过。要跑请运行：sudo apt-get install -y chromium"
	@fc-list :lang=zh 2>/dev/null | grep -q . || \
	  echo "没有中文字体，浏览器里的字会变成方框。请运行：sudo apt-get install -y fonts-noto-cjk"

check: test

build: $(VENV)/.run
	@$(BIN)/suifawen build

# What is missing on a bare Debian or Ubuntu, and the line that installs it.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "缺少 Python 3.11 或更新的版本。请运行：sudo apt-get install -y python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 太旧（$$($(PYTHON) -V)），要 3.11 或更新。有别的版本时：make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "缺少 python3-venv。请运行：sudo apt-get install -y python3-venv"; exit 1; }
	@echo "正在建立运行环境（$(VENV)）……"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@echo "正在安装依赖，第一次约需一两分钟……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.run
	@echo "正在安装测试要用的包……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info
