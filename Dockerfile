# syntax=docker/dockerfile:1
# Three stages: the pages, the Python environment, and the image that runs as nobody special.

FROM node:22-bookworm-slim AS pages
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS environment
# For the native data plane of media.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python -m venv /opt/sociallive
COPY requirements/run.txt requirements/
RUN /opt/sociallive/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY config/ config/
COPY media/ media/
COPY chat/ chat/
COPY ledger/ ledger/
COPY compliance/ compliance/
COPY identity/ identity/
COPY server/ server/
COPY --from=pages /build/server/pages/ server/pages/
RUN SOCIALLIVE_NATIVE=require /opt/sociallive/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /data sociallive
COPY --from=environment /opt/sociallive /opt/sociallive
USER 10001
WORKDIR /data
VOLUME /data
ENV PATH=/opt/sociallive/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SOCIALLIVE_STORES__DATA_DIR=/data \
    SOCIALLIVE_HTTP__HOST=0.0.0.0 \
    SOCIALLIVE_CHAT__HOST=0.0.0.0 \
    SOCIALLIVE_MEDIA__BIND_HOST=0.0.0.0
EXPOSE 8080/tcp 8081/tcp 7000/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["sociallive", "up"]
