# The dashboard and the command line on a CPU; docs/deploy.md says how to build and run it.

ARG PYTHON_IMAGE=python:3.12-slim
ARG NODE_IMAGE=node:22-slim

# OpenSeadragon, which the viewer serves itself
FROM ${NODE_IMAGE} AS viewer
WORKDIR /app
COPY package.json .npmrc ./
RUN npm install --omit=dev --no-audit --no-fund

# The Python packages, and the shipped network as OpenVINO reads it, so that no visitor waits for it
FROM ${PYTHON_IMAGE} AS packages
# An index of CPU wheels of PyTorch; without it Linux on x86 gets CUDA's libraries, too
ARG TORCH_INDEX=""
# More packages, for instance "Authlib>=1.3.2,<2" to sign in
ARG EXTRA_PACKAGES=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /app
COPY requirements.txt ./
RUN grep -E '^torch(vision)?[^a-z]' requirements.txt > torch.txt \
    && /venv/bin/pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -r torch.txt \
    && /venv/bin/pip install -r requirements.txt ${EXTRA_PACKAGES:+"$EXTRA_PACKAGES"}
COPY seg_core seg_core
COPY weights weights
RUN SEG_CACHE=/cache /venv/bin/python -c "from seg_core.model import find_model, make_engine; \
from seg_core.settings import AnalysisSettings; \
make_engine(*find_model(), AnalysisSettings(engine='openvino', precision='fp32'))"

FROM ${PYTHON_IMAGE}
RUN useradd --uid 1000 --create-home reader \
    && install --directory --owner reader --group reader /store /slides /cache
COPY --from=packages /venv /venv
COPY --from=packages --chown=reader:reader /cache /cache
WORKDIR /app
COPY --from=viewer /app/node_modules node_modules
COPY . .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PORT=8501 \
    SEG_STORE=/store \
    SEG_CACHE=/cache \
    SEG_LOCAL=0 \
    SEG_LOG=json
USER 1000:1000
VOLUME ["/store", "/slides"]
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import os, urllib.request; \
prefix = os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', '').strip('/'); \
urllib.request.urlopen('/'.join(filter(None, [f'http://localhost:{os.environ[\"PORT\"]}', prefix, '_stcore/health'])))"]
CMD ["sh", "-c", "exec streamlit run streamlit_app.py --server.address 0.0.0.0 --server.port \"$PORT\" --server.headless true"]
