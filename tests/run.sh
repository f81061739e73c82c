#!/usr/bin/env bash
# Installs everything the tests need into a virtual environment and runs all checks.
#   bash tests/run.sh [folder of the environment, default .venv-tests]
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${1:-.venv-tests}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# nginx stands in /usr/sbin, which is not on every user's path
PATH=$PATH:/usr/sbin
if ! command -v chromium >/dev/null || ! command -v nginx >/dev/null; then
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium nginx
fi
npm install --no-audit --no-fund --loglevel=error

python3 -m venv "$environment"
"$environment/bin/python" -m pip install --quiet -r tests/requirements.txt

"$environment/bin/ruff" check .
"$environment/bin/ruff" format --check .
"$environment/bin/mypy"
"$environment/bin/lint-imports"
npm run --silent lint
npm run --silent types
npm run --silent test
# Two at a time; those in a browser share the cores with a server and its worker and run alone.
"$environment/bin/python" -m pytest --hypothesis-profile=steady -m "not browser" -n 2 --dist loadfile
"$environment/bin/python" -m pytest --hypothesis-profile=steady -m browser
